package lmsr

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"
)

// units reads a decimal as a whole number of units; longer ones are cut off.
func units(t *testing.T, number json.Number, unit int64) int64 {
	t.Helper()
	r, ok := new(big.Rat).SetString(number.String())
	if !ok {
		t.Fatalf("%q is no number", number)
	}
	r.Mul(r, big.NewRat(unit, 1))
	return new(big.Int).Quo(r.Num(), r.Denom()).Int64()
}

func TestKnownVectors(t *testing.T) {
	t.Parallel()
	type vector struct {
		Name         string
		B            json.Number
		Q            []json.Number
		Outcome      int
		Side         string
		FilledShares json.Number   `json:"filled_shares"`
		Amount       json.Number   `json:"amount"`
		PricesBefore []json.Number `json:"prices_before"`
		PricesAfter  []json.Number `json:"prices_after"`
	}
	var file struct {
		Vectors []vector
		Bounds  []struct {
			B         json.Number
			N         int
			WorstLoss json.Number `json:"worst_loss"`
		}
	}
	text, err := os.ReadFile("../../db/testdata/lmsr-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 20 || len(file.Bounds) < 4 {
		t.Fatalf("%d vectors, %d bounds", len(file.Vectors), len(file.Bounds))
	}
	for _, v := range file.Vectors {
		q := make([]int64, len(v.Q))
		for i := range q {
			q[i] = units(t, v.Q[i], Micro)
		}
		m := at(t, units(t, v.B, Micro), q, slices.Max(q))
		delta := units(t, v.FilledShares, Micro)
		if v.Side == "sell" {
			delta = -delta
		}
		comparePrices(t, v.Name+" before", m.Prices(), v.PricesBefore)
		charge, err := m.Trade(v.Outcome, delta)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if want := units(t, v.Amount, Micro); charge.Amount != want || charge.Or != want {
			t.Errorf("%s: amount %d, want %d", v.Name, charge.Amount, want)
		}
		comparePrices(t, v.Name+" after", m.Prices(), v.PricesAfter)
	}
	for _, bound := range file.Bounds {
		want := units(t, bound.WorstLoss, Micro) + 1
		if got := Subsidy(units(t, bound.B, Micro), bound.N); got != want {
			t.Errorf("subsidy of b %s, n %d = %d, want %d", bound.B, bound.N, got, want)
		}
	}
}

// comparePrices compares with prices that were each rounded to nearest: where those sum to 1, the
// largest remainders are those that were rounded up; elsewhere a unit went to another outcome.
func comparePrices(t *testing.T, name string, got []int64, want []json.Number) {
	t.Helper()
	left := int64(Pico)
	for _, price := range want {
		left -= units(t, price, Pico)
	}
	for i, price := range want {
		if off := abs(got[i] - units(t, price, Pico)); off > 1 || left == 0 && off != 0 {
			t.Errorf("%s: price %d = %d, want %s", name, i, got[i], price)
		}
	}
}

func TestSharesOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	m := at(t, 100*Micro, []int64{MaxShares, 5}, MaxShares)
	prices := slices.Clone(m.Prices())
	for _, trade := range []struct {
		outcome int
		delta   int64
	}{{0, 1}, {1, -6}, {1, 0}, {1, MaxShares}, {0, -MaxShares - 1}, {1, 1 << 62}} {
		if _, err := m.Trade(trade.outcome, trade.delta); !errors.Is(err, ErrRange) {
			t.Errorf("%d of %d: %v", trade.delta, trade.outcome, err)
		}
	}
	for _, sets := range []int64{1, -6, 1 << 62} {
		if err := m.Sets(sets); !errors.Is(err, ErrRange) {
			t.Errorf("%d sets: %v", sets, err)
		}
	}
	if q := m.Outstanding(); q[0] != MaxShares || q[1] != 5 || !slices.Equal(m.Prices(), prices) {
		t.Errorf("moved to %d, %d", q, m.Prices())
	}
	for _, bad := range []struct {
		b int64
		n int
	}{{MinLiquidity - 1, 2}, {MaxLiquidity + 1, 2}, {Micro, 1}, {Micro, 51}} {
		if _, err := New(bad.b, bad.n); err == nil {
			t.Errorf("a market of b %d and %d outcomes", bad.b, bad.n)
		}
	}
}

func TestSetsMoveNoPrice(t *testing.T) {
	t.Parallel()
	m := at(t, 100*Micro, []int64{50 * Micro, 0, 7}, 50*Micro)
	prices := slices.Clone(m.Prices())
	if err := m.Sets(1e15); err != nil {
		t.Fatal(err)
	}
	if fresh := at(t, 100*Micro, m.Outstanding(), m.Outstanding()[0]); !slices.Equal(fresh.Prices(), prices) || !slices.Equal(m.Prices(), prices) {
		t.Errorf("prices %d, afresh %d, before %d", m.Prices(), fresh.Prices(), prices)
	}
}

func TestManySmallBuysAndOneSaleGainNothing(t *testing.T) {
	t.Parallel()
	m := at(t, 100*Micro, []int64{0, 0}, 0)
	var paid int64
	for range 2000 {
		charge, err := m.Trade(0, 1)
		if err != nil {
			t.Fatal(err)
		}
		paid += charge.Amount
	}
	back, err := m.Trade(0, -2000)
	if err != nil {
		t.Fatal(err)
	}
	if paid != 2000 || back.Amount != 1000 {
		t.Errorf("paid %d, got back %d, want 2000 and 1000", paid, back.Amount)
	}
}

func BenchmarkTrade(b *testing.B) {
	for _, n := range []int{2, 10, 50} {
		b.Run(fmt.Sprint(n, " outcomes"), func(b *testing.B) {
			m, err := New(100*Micro, n)
			if err != nil {
				b.Fatal(err)
			}
			for i := range b.N {
				delta := int64(7_654_321 + i%1000)
				if i/n%2 == 1 {
					delta = -7_000_000
				}
				if _, err := m.Trade(i%n, delta); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(m.Fallbacks()), "fallbacks")
		})
	}
}
