package db_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// moves are the functions that move a market, by name.
func moves(d *dbtest.DB, concerned string) map[string]func(ctx context.Context, market string) (db.Market, error) {
	reason := func(f func(context.Context, string, string) (db.Market, error)) func(context.Context, string) (db.Market, error) {
		return func(ctx context.Context, market string) (db.Market, error) { return f(ctx, market, "why") }
	}
	payout := func(f func(context.Context, string, []db.Decimal, string) (db.Market, error)) func(context.Context, string) (db.Market, error) {
		return func(ctx context.Context, market string) (db.Market, error) {
			return f(ctx, market, []db.Decimal{"1", "0"}, "why")
		}
	}
	return map[string]func(context.Context, string) (db.Market, error){
		"open": reason(d.OpenMarket), "halt": reason(d.HaltMarket), "close": reason(d.CloseMarket), "void": reason(d.VoidMarket),
		"propose": payout(d.ProposeResolution), "resolve": payout(d.ResolveMarket), "correct": payout(d.CorrectResolution),
		"dispute": func(ctx context.Context, market string) (db.Market, error) {
			return d.DisputeMarket(ctx, market, "why", concerned)
		},
	}
}

// reach has the moves to reach a state from open; a draft is made as one.
var reach = map[string][]string{
	"draft": nil, "open": nil, "halted": {"halt"}, "closed": {"close"}, "proposed": {"close", "propose"},
	"disputed": {"close", "propose", "dispute"}, "resolved": {"resolve"}, "void": {"void"},
}

// The whole table of states and moves: what is not in it is refused and changes nothing.
func TestEveryMoveFromEveryState(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana := d.Account(t, "100000")
	do := moves(d, ana)
	allowed := map[string]map[string]string{ // state, move → new state
		"draft":    {"open": "open", "void": "void"},
		"open":     {"halt": "halted", "close": "closed", "resolve": "resolved", "void": "void"},
		"halted":   {"open": "open", "close": "closed", "resolve": "resolved", "void": "void"},
		"closed":   {"propose": "proposed", "resolve": "resolved", "void": "void"},
		"proposed": {"propose": "proposed", "dispute": "disputed", "resolve": "resolved", "void": "void"},
		"disputed": {"propose": "proposed", "resolve": "resolved", "void": "void"},
		"resolved": {"correct": "resolved"},
		"void":     {"correct": "resolved"},
	}
	for state, path := range reach {
		for name, move := range do {
			market := state + "-" + name
			made, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: market, Question: "Will it?", Draft: state == "draft"})
			if err != nil {
				t.Fatal(err)
			}
			if state != "draft" {
				trade(t, d, ana, market, "yes", "1")
			}
			for _, step := range path {
				if made, err = do[step](t.Context(), market); err != nil {
					t.Fatalf("%s: %s: %v", market, step, err)
				}
			}
			if made.Status != state {
				t.Fatalf("%s is %s", market, made.Status)
			}
			want, ok := allowed[state][name]
			after, err := move(t.Context(), market)
			if ok && (err != nil || after.Status != want) {
				t.Errorf("%s from %s: %s, %v, want %s", name, state, after.Status, err, want)
			}
			if !ok && db.CodeOf(err) != db.MarketNotOpen {
				t.Errorf("%s from %s: %v, want %s", name, state, err, db.MarketNotOpen)
			}
			_, err = d.Trade(t.Context(), db.Order{Account: ana, Market: market, Outcome: "no", Side: "buy", Shares: "1", MaxCost: "1"})
			if trades := db.CodeOf(err) == ""; trades != (want == "open" || !ok && state == "open") {
				t.Errorf("an order after %s from %s: %v", name, state, err)
			}
		}
	}
	d.Verify(t)
}

func TestOnlyThoseConcernedDispute(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server, _ := login(t, d, "pgtape_server") // no operator
	ana, bo, market := d.Account(t, "1000"), d.Account(t, "1000"), d.Market(t)
	trade(t, d, ana, market, "yes", "1")
	for _, step := range []string{"close", "propose"} {
		if _, err := moves(d, ana)[step](t.Context(), market); err != nil {
			t.Fatal(err)
		}
	}
	const dispute = "select status from pgtape.dispute_market($1, 'no', $2)"
	var status string
	if err := server.QueryRow(t.Context(), dispute, market, bo).Scan(&status); err == nil || !strings.Contains(err.Error(), "TP009") {
		t.Errorf("somebody without shares: %v, want TP009", err)
	}
	if err := server.QueryRow(t.Context(), dispute, market, ana).Scan(&status); err != nil || status != "disputed" {
		t.Errorf("a holder: %s, %v", status, err)
	}
}

func TestAWrongResolutionIsCorrectedByEntries(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, funder := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000")
	if _, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: funder}); err != nil {
		t.Fatal(err)
	}
	trade(t, d, ana, "rain", "yes", "200")
	trade(t, d, bo, "rain", "no", "300")
	right := map[string]db.Decimal{}
	resolve := func(f func(context.Context, string, []db.Decimal, string) (db.Market, error), payout ...db.Decimal) {
		t.Helper()
		if _, err := f(t.Context(), "rain", payout, "why"); err != nil {
			t.Fatal(err)
		}
		d.Verify(t)
	}
	resolve(d.ResolveMarket, "0", "1")
	for _, account := range []string{ana, bo, funder} {
		right[account] = balance(t, d, account)
	}
	resolve(d.CorrectResolution, "1", "0")
	resolve(d.CorrectResolution, "0.5", "0.5")
	resolve(d.CorrectResolution, "0", "1")
	for account, want := range right {
		if got := balance(t, d, account); got != want {
			t.Errorf("%s has %s after the corrections, want %s", account, got, want)
		}
	}

	// Bo spends what he was paid; then it turns out that he should not have been.
	spare := d.Market(t, dbtest.Liquidity("1000000"))
	have := balance(t, d, bo)
	if _, err := d.Trade(t.Context(), db.Order{Account: bo, Market: spare, Outcome: "yes", Side: "buy", Spend: have, MaxCost: have}); err != nil {
		t.Fatal(err)
	}
	anas, house := balance(t, d, ana), balance(t, d, "house")
	resolve(d.CorrectResolution, "1", "0")
	if got, want := less(t, d, balance(t, d, ana), anas), "200"; got != want {
		t.Errorf("ana was paid %s, want %s", got, want)
	}
	if got, want := less(t, d, house, balance(t, d, "house")), "300"; got != want {
		t.Errorf("the house gave %s for what bo is short, want %s", got, want)
	}
	if got := balance(t, d, bo); got != "0.000000" {
		t.Errorf("bo has %s", got)
	}
}

func TestAVoidMarketPaysWhatWasDeclared(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana := d.Account(t, "1000")
	_, err := d.CreateMarket(t.Context(), db.NewMarket{
		Slug: "which", Question: "Which?", Outcomes: []string{"a", "b", "c"}, VoidPayout: []db.Decimal{"0.2", "0.3", "0.5"},
	})
	if err != nil {
		t.Fatal(err)
	}
	trade(t, d, ana, "which", "a", "10")
	trade(t, d, ana, "which", "c", "20")
	before := balance(t, d, ana)
	if _, err := d.VoidMarket(t.Context(), "which", "the question had no answer"); err != nil {
		t.Fatal(err)
	}
	if got, want := less(t, d, balance(t, d, ana), before), "12"; got != want {
		t.Errorf("paid %s, want %s", got, want)
	}
	d.Verify(t)
}

func TestCompleteSetsCostExactlyOne(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t, dbtest.Outcomes("a", "b", "c"))
	sets := db.Order{Account: ana, Market: market, Outcome: "*", Side: "buy", Shares: "7.5", MaxCost: "7.5"}
	receipt, err := d.Trade(t.Context(), sets)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Amount != "7.500000" || receipt.AvgPrice != "1.000000000000" || receipt.Position != "7.500000" {
		t.Errorf("receipt %+v", receipt)
	}
	trade(t, d, ana, market, "b", "5")
	over := db.Order{Account: ana, Market: market, Outcome: "*", Side: "sell", Shares: "7.500001", MinProceeds: "0"}
	if _, err := d.Trade(t.Context(), over); db.CodeOf(err) != db.InsufficientShares {
		t.Errorf("more sets than held: %v, want %s", err, db.InsufficientShares)
	}
	back := db.Order{Account: ana, Market: market, Outcome: "*", Side: "sell", Shares: "7.5", MinProceeds: "7.5"}
	if receipt, err = d.Trade(t.Context(), back); err != nil || receipt.Amount != "7.500000" || receipt.Position != "0.000000" {
		t.Errorf("redeemed %+v, %v", receipt, err)
	}
	if _, err := d.Trade(t.Context(), back); db.CodeOf(err) != db.InsufficientShares {
		t.Errorf("redeemed twice: %v, want %s", err, db.InsufficientShares)
	}
	d.Verify(t)
}

func TestGrantsAreOnTheHousesTape(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana := d.Account(t, "10")
	if account, err := d.GrantCredits(t.Context(), ana, "2.5", "for the cake"); err != nil || account.Balance != "12.500000" {
		t.Errorf("granted %+v, %v", account, err)
	}
	for _, amount := range []db.Decimal{"0", "-1", "NaN", "1.0000001", ""} {
		if _, err := d.GrantCredits(t.Context(), ana, amount, "why"); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("granting %q: %v, want %s", amount, err, db.InvalidRequest)
		}
	}
	if _, err := d.GrantCredits(t.Context(), "nobody", "1", "why"); db.CodeOf(err) != db.NotFound {
		t.Errorf("granting to nobody: %v", err)
	}
	events, err := d.TapeAfter(t.Context(), "house", "", 10)
	if err != nil || len(events) != 2 || events[0].Kind != "account" || events[1].Kind != "grant" {
		t.Errorf("the house's tape: %+v, %v", events, err)
	}
	d.Verify(t)
}
