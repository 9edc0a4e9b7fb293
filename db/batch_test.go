package db_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestABatchIsItsOrdersInTurn(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market := d.Account(t, "20"), d.Account(t, "1000"), d.Market(t)
	buy := func(account, outcome string, shares, bound db.Decimal) db.Order {
		return db.Order{Account: account, Market: market, Outcome: outcome, Side: "buy", Shares: shares, MaxCost: bound}
	}
	keyed := buy(bo, "no", "1", "1")
	keyed.IdempotencyKey = "k"
	sell := db.Order{Account: ana, Market: market, Outcome: "yes", Side: "sell", Shares: "30", MinProceeds: "0"}
	orders := []db.Order{
		buy(ana, "yes", "30", "30"),  // leaves her with less than 5
		buy(ana, "yes", "30", "30"),  // which is not enough for this
		sell,                         // but her shares are there to be sold
		buy(bo, "no", "10", "1"),     // a bound that fails alone
		buy(bo, "maybe", "10", "10"), // and an outcome that is none
		buy(bo, "no", "10", "10"),
		keyed, keyed,
		{Account: bo, Outcome: "no", Side: "buy", Shares: "1"}, // blind
	}
	want := []db.Code{"", db.InsufficientFunds, "", db.StaleQuote, db.NotFound, "", "", "", db.InvalidOrder}

	placed, err := d.TradeBatch(t.Context(), market, orders)
	if err != nil {
		t.Fatal(err)
	}
	var got []db.Code
	for _, p := range placed {
		got = append(got, db.CodeOf(p.Err))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("codes %q, want %q", got, want)
	}
	if placed[7].Receipt.Version != placed[6].Receipt.Version || !placed[7].Receipt.Replayed {
		t.Errorf("the repeated order: %+v, first %+v", placed[7].Receipt, placed[6].Receipt)
	}
	if _, err := d.TradeBatch(t.Context(), "nowhere", orders); db.CodeOf(err) != db.NotFound {
		t.Errorf("no market: %v", err)
	}
	for _, orders := range []string{`{}`, `[1]`, `[{"shares":"many"}]`, `null`} {
		_, err := d.Pool().Exec(t.Context(), "select pgtape.trade_batch($1, $2)", market, orders)
		if orders != "null" && err == nil {
			t.Errorf("orders %s were taken", orders)
		}
	}
	d.Verify(t)
}

// Batches on several markets that share accounts, each in another order of accounts.
func TestBatchesThatShareAccountsDoNotWaitInACircle(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	const markets, accounts, rounds = 4, 6, 12
	var names []string
	for range accounts {
		names = append(names, d.Account(t, "10000"))
	}
	var wait sync.WaitGroup
	for m := range markets {
		market := d.Market(t)
		wait.Go(func() {
			for round := range rounds {
				var orders []db.Order
				for i := range accounts {
					account := names[(i*(1+m%2*(accounts-2))+m+round)%accounts] // ascending here, descending there
					orders = append(orders, db.Order{
						Account: account, Outcome: []string{"yes", "no"}[(i+round)%2], Side: "buy", Shares: "1", MaxCost: "1",
						IdempotencyKey: fmt.Sprint(market, round, i),
					})
				}
				placed, err := d.TradeBatch(t.Context(), market, orders)
				if err != nil {
					t.Error(err)
					return
				}
				for _, p := range placed {
					if p.Err != nil {
						t.Error(p.Err)
					}
				}
			}
		})
	}
	wait.Wait()
	if got, want := tradeCount(t, d), markets*accounts*rounds; got != want {
		t.Errorf("%d trades, want %d", got, want)
	}
	d.Verify(t)
}
