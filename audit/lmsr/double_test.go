package lmsr

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/apd/v3"
)

var cases = flag.Int("cases", 400, "random cases in each test of lmsr's arithmetic")

func pow(x, y float64) float64 { return math.Pow(x, y) }

func decimalOf(t testing.TB, x double) *apd.Decimal {
	t.Helper()
	sum := new(apd.Decimal)
	for _, f := range []float64{x.hi, x.lo} {
		part := new(apd.Decimal)
		// A float is a fraction of a power of two: its decimal is finite, but long.
		mantissa, exponent := math.Frexp(f)
		part.SetInt64(int64(mantissa * (1 << 53)))
		scale := new(apd.Decimal)
		wide := apd.BaseContext.WithPrecision(200)
		if _, err := wide.Pow(scale, apd.New(2, 0), apd.New(int64(exponent-53), 0)); err != nil {
			t.Fatal(err)
		}
		if _, err := wide.Mul(part, part, scale); err != nil {
			t.Fatal(err)
		}
		if _, err := wide.Add(sum, sum, part); err != nil {
			t.Fatal(err)
		}
	}
	return sum
}

// off is |x - want|, or that over |want|.
func off(t testing.TB, x double, want *apd.Decimal, relative bool) float64 {
	t.Helper()
	d := newDecimal()
	distance := d.minus(decimalOf(t, x), want)
	if relative {
		distance = d.over(distance, want)
	}
	f, err := distance.Float64()
	if err != nil || d.Err() != nil {
		t.Fatal(err, d.Err())
	}
	return math.Abs(f)
}

// The bounds of double.go are proven; here is that what was proven was also written down. An error
// found within a hundredth of the bound is what is usual for double-double arithmetic.
func TestExpAndLnKeepTheirBounds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var worstExp, worstLn float64
	for range *cases {
		b := int64(MinLiquidity * pow(float64(MaxLiquidity)/MinLiquidity, r.Float64()))
		n := int64(float64(negligible*b) * (r.Float64() - 0.75) * pow(1e-9, r.Float64()))
		n = min(n, reach*b)
		d := newDecimal()
		w := exp(whole(n).over(double{float64(b), 0}))
		worstExp = max(worstExp, off(t, w, d.exp(d.over(apd.New(n, 0), apd.New(b, 0))), true))

		x := quickSum(pow(math.E, 108*r.Float64()-54), 0)
		x = quickSum(x.hi, x.hi*(r.Float64()-0.5)*0x1p-53)
		if r.IntN(4) == 0 {
			x = quickSum(1, pow(1e-25, r.Float64()))
		}
		y, ok := ln(x)
		if !ok {
			t.Fatalf("no logarithm of %v", x)
		}
		worstLn = max(worstLn, off(t, y, d.ln(decimalOf(t, x)), false))
	}
	t.Logf("exp off by 2^%.1f of itself, ln by 2^%.1f", math.Log2(worstExp), math.Log2(worstLn))
	if worstExp > 0x1p-94 {
		t.Errorf("exp is off by %g of itself", worstExp)
	}
	if worstLn > 0x1p-93 {
		t.Errorf("ln is off by %g", worstLn)
	}
}

// Wherever the fast way decides, the slow one must say the same, whatever the market.
func TestTheFastWayNeverDecidesWrongly(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	fallbacks, shifts := 0, 0
	for range *cases {
		b, q := randomMarket(r)
		outcome, delta := randomMove(r, b, q)
		top := slices.Max(q)
		ref := top + int64((2*r.Float64()-1)*float64(reach*b))
		m := at(t, b, q, ref)
		charge, err := m.Trade(outcome, delta)
		if err != nil {
			continue
		}
		fallbacks += m.Fallbacks()
		prices := slices.Clone(m.Prices())
		var sum int64
		for _, p := range prices {
			sum += p
		}
		m.exactPrices()
		if sum != Pico || !m.allEqual() && !slices.Equal(prices, m.Prices()) {
			t.Fatalf("b %d, q %d: prices %d, exact %d", b, m.Outstanding(), prices, m.Prices())
		}
		if n := int64(len(q)); delta%n == 0 && isShift(m.outstanding, outcome, delta, delta/n) {
			shifts++
			if charge.Amount != abs(delta/n) {
				t.Fatalf("b %d, q %d, %d of %d: charge %d for a shift", b, q, delta, outcome, charge.Amount)
			}
			continue
		}
		if m.undecidedByDigits(outcome, delta, charge.Amount) {
			continue
		}
		if exact := m.exactCharge(outcome, delta); exact != charge {
			t.Fatalf("b %d, q %d, %d of %d: charge %d, exact %d", b, q, delta, outcome, charge, exact)
		}
	}
	t.Logf("%d fallbacks, %d shifts in %d cases", fallbacks, shifts, *cases)
	if shifts == 0 {
		t.Error("no case was a shift")
	}
}

// A long walk ends where a fresh start does: nothing adds up in the weights.
func TestALongWalkLeavesNoTrace(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		b, q := randomMarket(r)
		m := at(t, b, q, slices.Max(q))
		for range 200 {
			outcome, delta := randomMove(r, b, m.Outstanding())
			if _, err := m.Trade(outcome, delta); err != nil {
				continue
			}
			if r.IntN(5) == 0 {
				if err := m.Sets(int64(r.IntN(1000)) - 500); err != nil {
					continue
				}
			}
		}
		prices := slices.Clone(m.Prices())
		if fresh := at(t, b, m.Outstanding(), slices.Max(m.Outstanding())); !slices.Equal(fresh.Prices(), prices) {
			t.Errorf("b %d, q %d: prices %d, afresh %d", b, m.Outstanding(), prices, fresh.Prices())
		}
	}
}
