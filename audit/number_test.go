package audit

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestNumbersAreReadExactly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"0.000001", 1, true},
		{"-28.092981", -28_092_981, true},
		{"1000000000000.000000", 1e18, true},
		{"4000000000000.000000", 4e18, true},
		{"4100000000000", 0, false},
		{"99999999999999999999", 0, false},
		{"5.0000000", 0, false},
		{"5.", 0, false},
		{".5", 0, false},
		{"", 0, false},
		{"-", 0, false},
		{"+5", 0, false},
		{"1e3", 0, false},
		{"1.2.3", 0, false},
		{"NaN", 0, false},
		{" 1", 0, false},
	}
	for _, tt := range tests {
		if got, ok := parseFixed(tt.text, creditDecimals); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q = %d, %v, want %d, %v", tt.text, got, ok, tt.want, tt.ok)
		}
		if total, ok := parseTotal(tt.text); tt.ok && (!ok || total != totalOf(tt.want)) {
			t.Errorf("%q = %v, %v, want %d", tt.text, total, ok, tt.want)
		}
	}
	for _, n := range []int64{0, 1, -1, 999_999, -1_000_000, 1e18} {
		if got, ok := parseFixed(credits(n), creditDecimals); !ok || got != n {
			t.Errorf("%d is written %s and read %d", n, credits(n), got)
		}
	}
}

func TestTotalsDoNotOverflow(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	sum, want := total{}, new(big.Int)
	for range 10_000 {
		n := r.Int64N(8e18) - 3e18
		sum = sum.plus(totalOf(n))
		want.Add(want, big.NewInt(n))
		if r.IntN(3) == 0 {
			sum = sum.negated()
			want.Neg(want)
		}
		if sum.big().Cmp(want) != 0 || sum.negative() != (want.Sign() < 0) {
			t.Fatalf("total %s, want %s micro-units", sum, want)
		}
		if back, ok := parseTotal(sum.String()); !ok || back != sum {
			t.Fatalf("%s is read as %s", sum, back)
		}
		if other := totalOf(n); sum.less(other) != (want.Cmp(big.NewInt(n)) < 0) {
			t.Fatalf("%s < %s = %v", sum, other, sum.less(other))
		}
	}
}

func TestPayoutsAreRoundedDown(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	for range 10_000 {
		shares, payout := make([]int64, 3), make([]int64, 3)
		left := int64(1_000_000)
		want := new(big.Int)
		for i := range shares {
			shares[i] = r.Int64N(1e18 + 1)
			payout[i] = r.Int64N(left + 1)
			left -= payout[i]
			want.Add(want, new(big.Int).Mul(big.NewInt(shares[i]), big.NewInt(payout[i])))
		}
		want.Quo(want, big.NewInt(1_000_000))
		if got := pays(shares, payout); want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%d of %d pay %d, want %s", shares, payout, got, want)
		}
	}
}

func TestAveragePrices(t *testing.T) {
	t.Parallel()
	tests := []struct {
		price, amount, shares int64
		want                  bool
	}{
		{561_860, 28_092_981, 50_000_000, true},
		{561_859, 28_092_981, 50_000_000, false},
		{1_000_000, 7, 7, true},
		{500_000, 1_000_001, 2_000_000, false}, // 0.5000005 goes up
		{500_001, 1_000_001, 2_000_000, true},
		{500_002, 1_000_001, 2_000_000, false},
		{0, 0, 1, true},
		{1_000_000, 1e18, 1e18, true},
		{-1, 0, 1, false},
		{499_999, 499_999_499_999_999_999, 1e18, true},
		{500_000, 499_999_499_999_999_999, 1e18, false},
		{499_999, 499_999_499_999_999_999 + 1, 1e18, false},
	}
	for _, tt := range tests {
		if got := isAverage(tt.price, tt.amount, tt.shares); got != tt.want {
			t.Errorf("%d for %d of %d: %v", tt.price, tt.amount, tt.shares, got)
		}
	}
}
