package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func balance(t *testing.T, d *dbtest.DB, account string) (balance db.Decimal) {
	t.Helper()
	err := d.Pool().QueryRow(t.Context(), "select balance::text from pgtape.accounts where handle = $1", account).Scan(&balance)
	if err != nil {
		t.Fatal(err)
	}
	return balance
}

func trade(t *testing.T, d *dbtest.DB, account, market, outcome string, shares db.Decimal) db.Receipt {
	t.Helper()
	receipt, err := d.Trade(t.Context(), db.Order{
		Account: account, Market: market, Outcome: outcome, Side: "buy", Shares: shares, MaxCost: shares,
	})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func TestCreateMarket(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	rich, poor := d.Account(t, "1000"), d.Account(t, "1")
	taken := d.Market(t)
	future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("outcome %d", i))
	}

	tests := []struct {
		name   string
		market db.NewMarket
		want   db.Code
	}{
		{"yes and no, paid by the house", db.NewMarket{Slug: "plain", Question: "Will it?"}, ""},
		{"paid by an account", db.NewMarket{Slug: "funded", Question: "Will it?", Account: rich, ClosesAt: &future}, ""},
		{"50 outcomes", db.NewMarket{Slug: "many", Question: "Which?", Outcomes: many}, ""},
		{"51 outcomes", db.NewMarket{Slug: "x", Question: "Which?", Outcomes: append(slices.Clone(many), "one more")}, db.InvalidRequest},
		{"one outcome", db.NewMarket{Slug: "x", Question: "Will it?", Outcomes: []string{"yes"}}, db.InvalidRequest},
		{"the same outcome twice", db.NewMarket{Slug: "x", Question: "Will it?", Outcomes: []string{"yes", "Yes"}}, db.InvalidRequest},
		{"an empty outcome", db.NewMarket{Slug: "x", Question: "Will it?", Outcomes: []string{"yes", ""}}, db.InvalidRequest},
		{"a slug that is taken", db.NewMarket{Slug: taken, Question: "Will it?"}, db.AlreadyExists},
		{"a slug that is none", db.NewMarket{Slug: "No Slug", Question: "Will it?"}, db.InvalidRequest},
		{"no question", db.NewMarket{Slug: "x", Question: " "}, db.InvalidRequest},
		{"no liquidity", db.NewMarket{Slug: "x", Question: "Will it?", Liquidity: "0"}, db.InvalidRequest},
		{"negative liquidity", db.NewMarket{Slug: "x", Question: "Will it?", Liquidity: "-5"}, db.InvalidRequest},
		{"liquidity NaN", db.NewMarket{Slug: "x", Question: "Will it?", Liquidity: "NaN"}, db.InvalidRequest},
		{"liquidity 1e400", db.NewMarket{Slug: "x", Question: "Will it?", Liquidity: "1e400"}, db.InvalidRequest},
		{"closed before it opens", db.NewMarket{Slug: "x", Question: "Will it?", ClosesAt: &past}, db.InvalidRequest},
		{"an account that cannot fund it", db.NewMarket{Slug: "x", Question: "Will it?", Account: poor}, db.InsufficientFunds},
		{"the slug of the house's tape", db.NewMarket{Slug: "house", Question: "Will it?"}, db.InvalidRequest},
		{"an outcome that means one of each", db.NewMarket{Slug: "x", Question: "Will it?", Outcomes: []string{"yes", "*"}}, db.InvalidRequest},
		{"a payout for a void that does not sum to 1", db.NewMarket{Slug: "x", Question: "Will it?", VoidPayout: []db.Decimal{"1", "1"}}, db.InvalidRequest},
		{"a payout for a void beyond all numbers", db.NewMarket{Slug: "x", Question: "Will it?", VoidPayout: []db.Decimal{"10", "-9"}}, db.InvalidRequest},
		{"an account that is none", db.NewMarket{Slug: "x", Question: "Will it?", Account: "nobody"}, db.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			market, err := d.CreateMarket(t.Context(), tt.market)
			if got := db.CodeOf(err); got != tt.want {
				t.Fatalf("code = %q, want %q (%v)", got, tt.want, err)
			}
			if err == nil && (market.Version != 1 || market.Status != "open") {
				t.Errorf("made %+v, want it open at version 1", market)
			}
			d.Verify(t)
		})
	}
	if _, err := d.Pool().Exec(t.Context(), "select pgtape.create_market('x', 'Which?', outcomes => null)"); err == nil || !strings.Contains(err.Error(), "TP011") {
		t.Errorf("outcomes that are null: %v, want TP011", err)
	}
	if got, want := balance(t, d, rich), db.Decimal("930.685281"); got != want {
		t.Errorf("balance of the funder = %s, want %s", got, want)
	}
}

func TestALifeOfAMarket(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, funder := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000")
	if _, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: funder}); err != nil {
		t.Fatal(err)
	}
	trade(t, d, ana, "rain", "yes", "50")
	trade(t, d, bo, "rain", "no", "20")

	order := db.Order{Account: ana, Market: "rain", Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}
	for _, step := range []struct {
		name   string
		move   func(ctx context.Context, market, reason string) (db.Market, error)
		reason string
		want   db.Code
		trades db.Code // of an order after it
	}{
		{"nothing to open", d.OpenMarket, "why", db.MarketNotOpen, ""},
		{"halt without a reason", d.HaltMarket, " ", db.InvalidRequest, ""},
		{"halt", d.HaltMarket, "news is out", "", db.MarketNotOpen},
		{"halt again", d.HaltMarket, "why", db.MarketNotOpen, db.MarketNotOpen},
		{"open", d.OpenMarket, "news is in", "", ""},
		{"close", d.CloseMarket, "it is tomorrow", "", db.MarketNotOpen},
		{"open what is closed", d.OpenMarket, "why", db.MarketNotOpen, db.MarketNotOpen},
	} {
		if _, err := step.move(t.Context(), "rain", step.reason); db.CodeOf(err) != step.want {
			t.Fatalf("%s: %v, want %q", step.name, err, step.want)
		}
		if _, err := d.Trade(t.Context(), order); db.CodeOf(err) != step.trades {
			t.Fatalf("an order after %s: %v, want %q", step.name, err, step.trades)
		}
		d.Verify(t)
	}

	for _, payout := range [][]db.Decimal{nil, {"1"}, {"1", "1"}, {"1.5", "-0.5"}, {"0.3333333", "0.6666667"}, {"NaN", "0"}} {
		if _, err := d.ResolveMarket(t.Context(), "rain", payout, "why"); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("payout %v: %v, want %s", payout, err, db.InvalidRequest)
		}
	}
	before := balance(t, d, ana)
	market, err := d.ResolveMarket(t.Context(), "rain", []db.Decimal{"1", "0"}, "it rained")
	if err != nil {
		t.Fatal(err)
	}
	if market.Status != "resolved" || !slices.Equal(market.Payout, []db.Decimal{"1.000000", "0.000000"}) {
		t.Errorf("resolved to %+v", market)
	}
	held := plain(t, d, string(market.Outstanding[0]))
	if got, want := less(t, d, balance(t, d, ana), before), held; got != want {
		t.Errorf("ana was paid %s for %s shares", got, want)
	}
	total := sum(t, d, balance(t, d, ana), balance(t, d, bo), balance(t, d, funder))
	if total != "3000" {
		t.Errorf("together they have %s, want 3000: all the subsidy has come back", total)
	}
	if _, err := d.ResolveMarket(t.Context(), "rain", []db.Decimal{"0", "1"}, "again"); db.CodeOf(err) != db.MarketNotOpen {
		t.Errorf("resolved again: %v, want %s", err, db.MarketNotOpen)
	}
	d.Verify(t)
}

func sum(t *testing.T, d *dbtest.DB, numbers ...db.Decimal) (text string) {
	t.Helper()
	err := d.Pool().QueryRow(t.Context(), "select trim_scale(sum(n::numeric))::text from unnest($1::text[]) n", numbers).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// less is a number less another, plain.
func less(t *testing.T, d *dbtest.DB, a, b db.Decimal) (text string) {
	t.Helper()
	err := d.Pool().QueryRow(t.Context(), "select trim_scale($1::text::numeric - $2::text::numeric)::text", a, b).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAMarketClosesAtItsTime(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	// A transaction that began before the close and traded after it comes too late: the clock is
	// read when the lock is held.
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	order := func() error {
		_, err := tx.Exec(t.Context(), "select pgtape.trade($1, 'yes', 'buy', shares => 1, max_cost => 1, account => $2)", market, ana)
		return err
	}
	if err := order(); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"update pgtape_core.market set closes_at = clock_timestamp() + interval '10 milliseconds' where slug = $1",
		"select pg_sleep_until(closes_at) from pgtape_core.market where slug = $1 and closes_at > now()",
	} {
		if _, err := tx.Exec(t.Context(), statement, market); err != nil {
			t.Fatal(err)
		}
	}
	if err := order(); err == nil || !strings.Contains(err.Error(), "TP002") {
		t.Errorf("after the close: %v, want TP002", err)
	}
}

func TestMarketsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	want := map[string]bool{}
	for range 7 {
		want[d.Market(t)] = true
	}
	for _, sort := range []string{"new", "active", "volume"} {
		got, cursor := map[string]bool{}, ""
		for page := 0; ; page++ {
			markets, next, err := d.Markets(t.Context(), db.MarketFilter{Sort: sort, Cursor: cursor, Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range markets {
				got[m.Slug] = true
			}
			if cursor = next; cursor == "" {
				if page != 2 {
					t.Errorf("sort %s: %d pages, want 3", sort, page+1)
				}
				break
			}
		}
		if len(got) != len(want) {
			t.Errorf("sort %s: %d markets, want %d", sort, len(got), len(want))
		}
	}
	for _, f := range []db.MarketFilter{{Sort: "odd"}, {Cursor: "odd"}} {
		if _, _, err := d.Markets(t.Context(), f); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("%+v: %v, want %s", f, err, db.InvalidRequest)
		}
	}
	closed := d.Market(t, dbtest.Closed)
	markets, _, err := d.Markets(t.Context(), db.MarketFilter{Status: "closed", Query: closed[1:5]})
	if err != nil || len(markets) != 1 || markets[0].Slug != closed {
		t.Errorf("filtered: %+v, %v, want %s", markets, err, closed)
	}
}

func TestHistoryIsThinned(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	for range 30 {
		trade(t, d, ana, market, "yes", "1")
	}
	all, err := d.History(t.Context(), market, nil, nil, 5000)
	if err != nil {
		t.Fatal(err)
	}
	thin, err := d.History(t.Context(), market, nil, nil, 4)
	if err != nil {
		t.Fatal(err)
	}
	if len(thin) > 5 || len(all) < len(thin) {
		t.Errorf("%d points thinned to %d, want about 4", len(all), len(thin))
	}
	last := thin[len(thin)-1]
	if now, err := d.DB.Market(t.Context(), market); err != nil || last.Seq != now.Version || !slices.Equal(last.Prices, now.Prices) {
		t.Errorf("the last point is %+v, the market %+v (%v)", last, now, err)
	}
	// A range begins with the prices that held then.
	since := all[10].At.Add(time.Microsecond)
	part, err := d.History(t.Context(), market, &since, nil, 5000)
	if err != nil || part[0].Seq != all[10].Seq || len(part) != len(all)-10 {
		t.Errorf("since %v: %d points from %+v, %v, want %d from seq %d", since, len(part), part[0], err, len(all)-10, all[10].Seq)
	}
	if _, err := d.History(t.Context(), market, nil, nil, 1); db.CodeOf(err) != db.InvalidRequest {
		t.Errorf("1 point: %v, want %s", err, db.InvalidRequest)
	}
}
