package db_test

import (
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// pump has a helper push a price up that main has bought at before: main sells to it, and it has the loss.
func pump(t *testing.T, d *dbtest.DB, main, helper, market string) {
	t.Helper()
	sell := func(account, shares string) {
		if _, err := d.Trade(t.Context(), db.Order{
			Account: account, Market: market, Outcome: "yes", Side: "sell", Shares: db.Decimal(shares), MinProceeds: "0",
		}); err != nil {
			t.Fatal(err)
		}
	}
	trade(t, d, main, market, "yes", "100")
	trade(t, d, helper, market, "yes", "300")
	sell(main, "100")
	sell(helper, "300")
}

// standing is an account's line of the leaderboard: profit and what is counted of it, to the credit.
func standing(t *testing.T, d *dbtest.DB, account string) (profit, counted int, there bool) {
	t.Helper()
	err := d.Pool().QueryRow(t.Context(), `select count(*) > 0, coalesce(max(round(profit)), 0)::int, coalesce(max(round(counted)), 0)::int
		from pgtape.leaderboard where account = $1`, account).Scan(&there, &profit, &counted)
	if err != nil {
		t.Fatal(err)
	}
	return profit, counted, there
}

// Accounts that lose nowhere else lift nobody on the leaderboard, whichever way they lose.
func TestHelpersLiftNobody(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for name, lose := range map[string]func(main string){
		"one helper after the other": func(main string) {
			market := d.Market(t)
			for range 3 {
				pump(t, d, main, d.Account(t, "1000"), market)
			}
		},
		"a helper in each market": func(main string) {
			for range 3 {
				pump(t, d, main, d.Account(t, "1000"), d.Market(t))
			}
		},
		"helpers that make a little trade elsewhere": func(main string) {
			market, other := d.Market(t), d.Market(t)
			helper := d.Account(t, "1000")
			trade(t, d, helper, other, "yes", "1")
			pump(t, d, main, helper, market)
		},
		"a helper that holds what it lost with": func(main string) {
			market, helper := d.Market(t), d.Account(t, "1000")
			trade(t, d, main, market, "yes", "100")
			trade(t, d, helper, market, "no", "200")
			resolveYes(t, d, market)
		},
		"a helper that funds the market": func(main string) {
			helper := d.Account(t, "1000")
			market, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "funded", Question: "Will it?", Liquidity: "100", Account: helper})
			if err != nil {
				t.Fatal(err)
			}
			trade(t, d, main, market.Slug, "yes", "300")
			resolveYes(t, d, market.Slug)
		},
	} {
		t.Run(name, func(t *testing.T) {
			main := d.Account(t, "1000")
			lose(main)
			profit, counted, _ := standing(t, d, main)
			if profit < 20 || counted < -1 || counted > 1 {
				t.Errorf("of a profit of %d, %d are counted", profit, counted)
			}
		})
	}
	d.Verify(t)
}

func resolveYes(t *testing.T, d *dbtest.DB, market string) {
	t.Helper()
	if _, err := d.ResolveMarket(t.Context(), market, []db.Decimal{"1", "0"}, "it did"); err != nil {
		t.Fatal(err)
	}
}

// What is won from the market maker counts, and what is won from accounts that lose elsewhere as much.
func TestWhatIsWonFromOthersCounts(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	alone, winner, loser, other := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000")
	market := d.Market(t)
	trade(t, d, alone, market, "yes", "100")
	resolveYes(t, d, market)
	if profit, counted, _ := standing(t, d, alone); profit < 30 || counted != profit {
		t.Errorf("won from the market maker: of a profit of %d, %d are counted", profit, counted)
	}
	first, second := d.Market(t), d.Market(t)
	pump(t, d, winner, loser, first)
	if profit, counted, _ := standing(t, d, winner); profit < 20 || counted > 1 {
		t.Errorf("won from an account that has lost nowhere else: of a profit of %d, %d are counted", profit, counted)
	}
	pump(t, d, other, loser, second)
	for _, account := range []string{winner, other} {
		if profit, counted, _ := standing(t, d, account); profit < 20 || counted != profit {
			t.Errorf("won from an account that loses elsewhere: of a profit of %d, %d are counted", profit, counted)
		}
	}
	best, err := d.Leaderboard(t.Context(), 1)
	if err != nil || len(best) != 1 || best[0].Account != alone && best[0].Account != winner && best[0].Account != other {
		t.Errorf("the best: %+v, %v", best, err)
	}
}

// Operators leave accounts out of the leaderboard, and with them all that others have won from them; it is
// in the audit log, and can be taken back.
func TestOperatorsLeaveAccountsOut(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	main, helper, boss := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000")
	if _, err := d.SetRole(t.Context(), boss, db.Operator, ""); err != nil {
		t.Fatal(err)
	}
	pump(t, d, main, helper, d.Market(t))
	pump(t, d, main, helper, d.Market(t))
	profit, before, _ := standing(t, d, main)
	if before != profit {
		t.Errorf("two markets: of a profit of %d, %d are counted", profit, before)
	}
	set := func(ranked bool, reason, by string, want db.Code) {
		t.Helper()
		if _, err := d.SetRanked(t.Context(), helper, ranked, reason, by); db.CodeOf(err) != want {
			t.Fatalf("ranked %v by %s: %v, want %q", ranked, by, err, want)
		}
	}
	set(false, "so", main, db.NotPermitted)
	set(false, "", boss, db.InvalidRequest)
	if _, err := d.SetRanked(t.Context(), "nobody", false, "so", boss); db.CodeOf(err) != db.NotFound {
		t.Errorf("nobody: %v", err)
	}
	set(false, "is a helper", boss, "")
	set(false, "once more", boss, "")
	if _, counted, _ := standing(t, d, main); counted > 1 {
		t.Errorf("of what was won from an account that is left out, %d are counted", counted)
	}
	if _, _, there := standing(t, d, helper); there {
		t.Error("an account that is left out is on the leaderboard")
	}
	list, err := d.UnrankedAccounts(t.Context(), boss)
	if err != nil || len(list) != 1 || list[0].Handle != helper {
		t.Errorf("left out: %+v, %v", list, err)
	}
	set(true, "was none", boss, "")
	if _, counted, _ := standing(t, d, main); counted != before {
		t.Errorf("afterwards %d are counted, want %d", counted, before)
	}
	var acts string
	err = d.Pool().QueryRow(t.Context(), `select string_agg(act || ' ' || (detail ->> 'reason'), ', ' order by id)
		from pgtape.audit where subject = $1 and actor = $2`, helper, boss).Scan(&acts)
	if want := "unranked is a helper, unranked once more, ranked was none"; err != nil || acts != want {
		t.Errorf("audit log: %s, %v, want %s", acts, err, want)
	}
	d.Verify(t)
}
