package db_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestTrade(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	rich, poor := d.Account(t, "1000"), d.Account(t, "0.01")
	open, closed := d.Market(t), d.Market(t, dbtest.Closed)
	past, future := time.Now().Add(-time.Second), time.Now().Add(time.Hour)
	zero, much := int32(0), int32(10000)
	ahead := int64(99)
	buy := db.Order{Account: rich, Market: open, Outcome: "yes", Side: "buy", Shares: "10", MaxCost: "6"}
	with := func(change func(*db.Order)) db.Order {
		order := buy
		change(&order)
		return order
	}

	tests := []struct {
		name  string
		order db.Order
		want  db.Code // empty: the trade is made
	}{
		{"buys within the bound", buy, ""},
		{"sells within the bound", with(func(o *db.Order) { o.Side, o.Shares, o.MaxCost, o.MinProceeds = "sell", "1", "", "0.1" }), ""},
		{"spends within the bound", with(func(o *db.Order) { o.Shares, o.Spend = "", "5.5" }), ""},
		{"refuses a dearer price with a fresh quote", with(func(o *db.Order) { o.MaxCost = "1" }), db.StaleQuote},
		{"refuses lower proceeds", with(func(o *db.Order) { o.Side, o.MaxCost, o.MinProceeds = "sell", "", "9.9" }), db.StaleQuote},
		{"refuses a price beyond the slippage", with(func(o *db.Order) { o.MaxCost, o.ExpectedPrice, o.MaxSlippageBps = "", "0.4", &zero }), db.StaleQuote},
		{"takes a price within the slippage", with(func(o *db.Order) { o.MaxCost, o.ExpectedPrice, o.MaxSlippageBps = "", "0.4", &much }), ""},
		{"refuses a quote of a version that is not there yet", with(func(o *db.Order) { o.ExpectedVersion = &ahead }), db.StaleQuote},
		{"refuses an order without a bound", with(func(o *db.Order) { o.MaxCost = "" }), db.InvalidOrder},
		{"refuses an expected price that is no bound", with(func(o *db.Order) { o.MaxCost, o.ExpectedPrice = "", "0.5" }), db.InvalidOrder},
		{"refuses what the account cannot pay", with(func(o *db.Order) { o.Account = poor }), db.InsufficientFunds},
		{"refuses what the account does not hold", with(func(o *db.Order) {
			o.Account, o.Side, o.Shares, o.MaxCost, o.MinProceeds = poor, "sell", "1", "", "0"
		}), db.InsufficientShares},
		{"refuses what nobody holds", with(func(o *db.Order) { o.Side, o.Shares, o.MaxCost, o.MinProceeds = "sell", "999", "", "0" }), db.InsufficientShares},
		{"refuses a closed market", with(func(o *db.Order) { o.Market = closed }), db.MarketNotOpen},
		{"refuses after the deadline", with(func(o *db.Order) { o.Deadline = &past }), db.DeadlinePassed},
		{"trades before the deadline", with(func(o *db.Order) { o.Deadline = &future; o.MaxCost = "8" }), ""},
		{"refuses an unknown market", with(func(o *db.Order) { o.Market = "nowhere" }), db.NotFound},
		{"refuses an unknown outcome", with(func(o *db.Order) { o.Outcome = "maybe" }), db.NotFound},
		{"refuses an unknown account", with(func(o *db.Order) { o.Account = "nobody" }), db.NotFound},
		{"refuses the house as a trader", with(func(o *db.Order) { o.Account = "house" }), db.NotFound},
		{"refuses a side that is none", with(func(o *db.Order) { o.Side = "hold" }), db.InvalidOrder},
		{"refuses no outcome", with(func(o *db.Order) { o.Outcome = "" }), db.InvalidOrder},
		{"refuses both shares and spend", with(func(o *db.Order) { o.Spend = "1" }), db.InvalidOrder},
		{"refuses neither shares nor spend", with(func(o *db.Order) { o.Shares = "" }), db.InvalidOrder},
		{"refuses spending to sell", with(func(o *db.Order) { o.Side, o.Shares, o.Spend, o.MaxCost, o.MinProceeds = "sell", "", "1", "", "0" }), db.InvalidOrder},
		{"refuses no shares", with(func(o *db.Order) { o.Shares = "0" }), db.InvalidOrder},
		{"refuses negative shares", with(func(o *db.Order) { o.Shares = "-1" }), db.InvalidOrder},
		{"refuses NaN", with(func(o *db.Order) { o.Shares = "NaN" }), db.InvalidOrder},
		{"refuses infinity", with(func(o *db.Order) { o.Shares = "Infinity" }), db.InvalidOrder},
		{"refuses 1e400", with(func(o *db.Order) { o.Shares = "1e400" }), db.InvalidOrder},
		{"refuses 7 decimals", with(func(o *db.Order) { o.Shares = "1.0000001" }), db.InvalidOrder},
		{"refuses what is no number", with(func(o *db.Order) { o.Shares = "ten" }), db.InvalidOrder},
		{"refuses a NUL in a text", with(func(o *db.Order) { o.Outcome = "y\x00es" }), db.InvalidOrder},
		{"refuses a bound of the other side", with(func(o *db.Order) { o.MinProceeds = "1" }), db.InvalidOrder},
		{"refuses a slippage above 100 %", with(func(o *db.Order) { o.ExpectedPrice = "0.5"; s := int32(10001); o.MaxSlippageBps = &s }), db.InvalidOrder},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := tradeCount(t, d)
			_, err := d.Trade(t.Context(), tt.order)
			if got := db.CodeOf(err); got != tt.want {
				t.Fatalf("code = %q, want %q (%v)", got, tt.want, err)
			}
			if made := tradeCount(t, d) - before; (made == 1) != (err == nil) {
				t.Fatalf("%d trades were written", made)
			}
			d.Verify(t) // sound, whatever happened
		})
	}
}

func tradeCount(t *testing.T, d *dbtest.DB) (count int) {
	t.Helper()
	if err := d.Pool().QueryRow(t.Context(), "select count(*) from pgtape.trades").Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}

func TestAStaleQuoteCarriesAFreshOneThatCanBeSentBack(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	zero := int32(0)
	order := db.Order{
		Account: ana, Market: market, Outcome: "yes", Side: "buy", Shares: "10",
		ExpectedPrice: "0.5", MaxSlippageBps: &zero,
	}
	_, err := d.Trade(t.Context(), order)
	var refused *db.Error
	if !errors.As(err, &refused) || refused.Code != db.StaleQuote {
		t.Fatalf("err = %v, want a stale quote", err)
	}
	quote, ok := refused.QuoteOf()
	if !ok {
		t.Fatalf("no quote in %s", refused.Detail)
	}
	order.ExpectedPrice, order.ExpectedVersion = quote.AvgPrice, &quote.Version
	receipt, err := d.Trade(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Amount != quote.Amount || receipt.Version != quote.Version+1 {
		t.Fatalf("receipt %+v, want the amount of the quote %+v at the next version", receipt, quote)
	}
}

func TestABetterFillThanQuotedIsGiven(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market := d.Account(t, "1000"), d.Account(t, "1000"), d.Market(t)
	order := db.Order{Market: market, Outcome: "yes", Side: "buy", Shares: "10"}
	quote, err := d.Quote(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody buys the other outcome: this one is cheaper now, at another version.
	if _, err := d.Trade(t.Context(), db.Order{Account: bo, Market: market, Outcome: "no", Side: "buy", Shares: "20", MaxCost: "20"}); err != nil {
		t.Fatal(err)
	}
	zero := int32(0)
	order.Account, order.ExpectedPrice, order.MaxSlippageBps, order.ExpectedVersion = ana, quote.AvgPrice, &zero, &quote.Version
	receipt, err := d.Trade(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Amount >= quote.Amount {
		t.Fatalf("charged %s, want less than the %s quoted", receipt.Amount, quote.Amount)
	}
	d.Verify(t)
}

func TestAnIdempotencyKeyMakesOneTrade(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market := d.Account(t, "1000"), d.Account(t, "1000"), d.Market(t)
	order := db.Order{Account: ana, Market: market, Outcome: "yes", Side: "buy", Shares: "10", MaxCost: "6", IdempotencyKey: "k"}

	receipts := make([]db.Receipt, 20)
	var wait sync.WaitGroup
	for i := range receipts {
		wait.Go(func() {
			var err error
			if receipts[i], err = d.Trade(t.Context(), order); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	fresh := 0
	for _, r := range receipts {
		if !r.Replayed {
			fresh++
		}
		r.Replayed = receipts[0].Replayed
		if r != receipts[0] {
			t.Errorf("receipt %+v differs from %+v", r, receipts[0])
		}
	}
	if fresh != 1 {
		t.Errorf("%d receipts are of a new trade, want 1", fresh)
	}

	same := order
	same.Shares, same.MaxCost = "10.000", "6.0"
	if r, err := d.Trade(t.Context(), same); err != nil || !r.Replayed {
		t.Errorf("the same order written differently: %+v, %v, want the first receipt", r, err)
	}
	other := order
	other.Shares = "11"
	if _, err := d.Trade(t.Context(), other); db.CodeOf(err) != db.IdempotencyMismatch {
		t.Errorf("another order under the key: %v, want %s", err, db.IdempotencyMismatch)
	}
	elsewhere := order
	elsewhere.Market = d.Market(t)
	if _, err := d.Trade(t.Context(), elsewhere); db.CodeOf(err) != db.IdempotencyMismatch {
		t.Errorf("another market under the key: %v, want %s", err, db.IdempotencyMismatch)
	}
	others := order
	others.Account, others.MaxCost = bo, "8"
	if r, err := d.Trade(t.Context(), others); err != nil || r.Replayed {
		t.Errorf("another account's same key: %+v, %v, want its own trade", r, err)
	}
	if _, err := d.CloseMarket(t.Context(), market, "test"); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Trade(t.Context(), order); err != nil || !r.Replayed {
		t.Errorf("after the close: %+v, %v, want the first receipt", r, err)
	}
	d.Verify(t)
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	_, err := d.Trade(t.Context(), db.Order{Account: d.Account(t, "1"), Market: d.Market(t), Outcome: "yes", Side: "buy", Shares: "1"})
	var refused *db.Error
	if !errors.As(err, &refused) || !strings.Contains(refused.Hint, "max_cost") {
		t.Fatalf("err = %#v, want a hint that names a bound", err)
	}
}
