package booktest

import (
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// 35000.000002 / 140000.000001 is 0.25000000001249999999991…: rounded to 20 decimals first, as
// Postgres divides, and then to 12, it came to 0.250000000013.
func TestAnAveragePriceIsRoundedOnce(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market, rich := d.Market(t, dbtest.Liquidity("1")), d.Account(t, "1000000")
	order := db.Order{Market: market, Account: rich, Outcome: "yes", Side: "buy", Shares: "105000", MaxCost: "105000"}
	if _, err := d.Trade(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	order.Outcome, order.Shares = "no", "140000.000001"
	quote, err := d.Quote(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if quote.Amount != "35000.000002" || quote.AvgPrice != "0.250000000012" {
		t.Errorf("amount %s at an average of %s, want 35000.000002 at 0.250000000012", quote.Amount, quote.AvgPrice)
	}
	receipt, err := d.Trade(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.AvgPrice != "0.250000000012" {
		t.Errorf("receipt of an average of %s, want 0.250000000012", receipt.AvgPrice)
	}
	d.Verify(t)
}
