package db_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// vector is a known move of a market, computed elsewhere with 60 digits.
type vector struct {
	Name         string        `json:"name"`
	Liquidity    db.Decimal    `json:"b"`
	Outstanding  []db.Decimal  `json:"q"`
	Outcome      int           `json:"outcome"`
	Side         string        `json:"side"`
	Shares       db.Decimal    `json:"shares"`
	Spend        db.Decimal    `json:"spend"`
	FilledShares json.Number   `json:"filled_shares"`
	Amount       json.Number   `json:"amount"`
	PricesBefore []json.Number `json:"prices_before"`
	PricesAfter  []json.Number `json:"prices_after"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/lmsr-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 20 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	return file.Vectors
}

// marketAt makes a market in which traders hold so many shares, by trading there: whoever funds it
// buys what a vector starts from.
func marketAt(t *testing.T, d *dbtest.DB, v vector) (market, account string) {
	t.Helper()
	var names []string
	for i := range v.Outstanding {
		names = append(names, fmt.Sprintf("o%d", i))
	}
	market = d.Market(t, dbtest.Outcomes(names...), dbtest.Liquidity(v.Liquidity))
	account = d.Account(t, "1000000000")
	for i, shares := range v.Outstanding {
		if shares == "0" {
			continue
		}
		_, err := d.Trade(t.Context(), db.Order{
			Account: account, Market: market, Outcome: names[i], Side: "buy", Shares: shares, MaxCost: shares,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return market, account
}

func TestKnownPrices(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			market, account := marketAt(t, d, v)
			order := db.Order{Market: market, Outcome: fmt.Sprintf("o%d", v.Outcome), Side: v.Side, Shares: v.Shares, Spend: v.Spend}
			quote, err := d.Quote(t.Context(), order)
			if err != nil {
				t.Fatal(err)
			}
			order.Account, order.MaxCost = account, v.Spend
			if v.Side == "sell" {
				order.MinProceeds = quote.Amount
			} else if v.Spend == "" {
				order.MaxCost = quote.Amount
			}
			receipt, err := d.Trade(t.Context(), order)
			if err != nil {
				t.Fatal(err)
			}
			receipt.Version--
			if receipt.Quote != quote {
				t.Errorf("traded %+v, quoted %+v", receipt.Quote, quote)
			}
			for what, pair := range map[string][2]string{
				"shares":       {string(quote.Shares), string(v.FilledShares)},
				"amount":       {string(quote.Amount), string(v.Amount)},
				"price before": {string(quote.PriceBefore), string(v.PricesBefore[v.Outcome])},
				"price after":  {string(quote.PriceAfter), string(v.PricesAfter[v.Outcome])},
			} {
				if got, want := plain(t, d, pair[0]), plain(t, d, pair[1]); got != want {
					t.Errorf("%s = %s, want %s", what, got, want)
				}
			}
		})
	}
	d.Verify(t)
}

// plain is a number without exponent and trailing zeros.
func plain(t *testing.T, d *dbtest.DB, number string) (text string) {
	t.Helper()
	if err := d.Pool().QueryRow(t.Context(), "select trim_scale($1::text::numeric)::text", number).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestChargesAtTheEdges(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	tests := []struct {
		name            string
		q, b            string
		outcome, delta  string
		want            string
		before0, after0 string
	}{
		// From (0, 50) to (100, 50) every price is mirrored, so C moves by exactly 50.
		{"an exact amount is not rounded up", "{0,50}", "100", "1", "100", "50.000000", "0.377540668798", "0.622459331202"},
		{"an exact amount is not rounded down", "{100,50}", "100", "1", "-100", "50.000000", "0.622459331202", "0.377540668798"},
		{"an exact amount of three outcomes", "{0,10,20}", "7", "1", "30", "10.000000", "", ""},
		{"a price that shows as 0 is not free", "{100000,0}", "10", "2", "10", "0.000001", "", ""},
		{"a price that shows as 1 does not pay 1", "{100000,0}", "10", "1", "-10", "9.999999", "", ""},
		{"a price that shows as 1 costs 1", "{100000,0}", "10", "1", "10", "10.000000", "", ""},
		{"10^7 shares at b = 1", "{10000000,0}", "1", "1", "10000000", "10000000.000000", "", ""},
		{"one micro", "{0,0}", "100", "1", "0.000001", "0.000001", "", ""},
		{"one micro back", "{0.000001,0}", "100", "1", "-0.000001", "0.000000", "", ""},
		{"a large market", "{0,0}", "10000000", "1", "1000000000", "993068528.194401", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var amount, before, after string
			err := d.Pool().QueryRow(t.Context(), `
				select amount::text, prices_before[1]::text, prices_after[1]::text
				from pgtape_core.lmsr_charge($1::text::numeric[], $2::text::numeric, $3::text::integer, $4::text::numeric)`,
				tt.q, tt.b, tt.outcome, tt.delta).Scan(&amount, &before, &after)
			if err != nil {
				t.Fatal(err)
			}
			if amount != tt.want {
				t.Errorf("amount = %s, want %s", amount, tt.want)
			}
			if tt.before0 != "" && (before != tt.before0 || after != tt.after0) {
				t.Errorf("prices %s, %s, want %s, %s", before, after, tt.before0, tt.after0)
			}
		})
	}
}
