package lmsr

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// at is a maker with these shares outstanding, its weights relative to ref.
func at(t testing.TB, b int64, q []int64, ref int64) *Maker {
	t.Helper()
	m, err := New(b, len(q))
	if err != nil {
		t.Fatal(err)
	}
	copy(m.outstanding, q)
	m.ref = ref
	m.weigh()
	m.reprice()
	return m
}

type known struct {
	Name        string
	Liquidity   int64
	Outstanding []int64
	Outcome     int
	Delta       int64
	Amount      int64
	Prices      []int64
}

func knownCases(t testing.TB) []known {
	t.Helper()
	text, err := os.ReadFile("testdata/charges.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []known }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 190 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	return file.Cases
}

func TestChargesAndPricesAreThoseOfAnotherComputation(t *testing.T) {
	t.Parallel()
	for _, c := range knownCases(t) {
		m := at(t, c.Liquidity, c.Outstanding, slices.Max(c.Outstanding))
		charge, err := m.Trade(c.Outcome, c.Delta)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if charge.Amount != c.Amount || charge.Or != c.Amount {
			t.Errorf("%s: amount %d or %d, want %d", c.Name, charge.Amount, charge.Or, c.Amount)
		}
		if !slices.Equal(m.Prices(), c.Prices) {
			t.Errorf("%s: prices %d, want %d", c.Name, m.Prices(), c.Prices)
		}
	}
}

func TestBothWaysToANumberAgreeOnKnownCases(t *testing.T) {
	t.Parallel()
	for _, c := range knownCases(t) {
		m := at(t, c.Liquidity, c.Outstanding, slices.Max(c.Outstanding))
		if _, err := m.Trade(c.Outcome, c.Delta); err != nil {
			t.Fatal(err)
		}
		m.exactPrices()
		if !slices.Equal(m.Prices(), c.Prices) {
			t.Errorf("%s: exact prices %d, want %d", c.Name, m.Prices(), c.Prices)
		}
		if m.undecidedByDigits(c.Outcome, c.Delta, c.Amount) {
			continue
		}
		if charge := m.exactCharge(c.Outcome, c.Delta); charge.Amount != c.Amount {
			t.Errorf("%s: exact amount %d, want %d", c.Name, charge.Amount, c.Amount)
		}
	}
}

// undecidedByDigits tells whether a trade that has been made is a shift, or its amount so near to
// nothing or to 1 a share that the bounds of every trade may have decided it. The fast way settles
// these by other means than more digits.
func (m *Maker) undecidedByDigits(outcome int, delta, amount int64) bool {
	n := int64(len(m.outstanding))
	shift := delta%n == 0 && isShift(m.outstanding, outcome, delta, delta/n)
	return shift || amount <= 1 || amount >= abs(delta)-1
}

// randomMarket is any market that the limits allow, mostly in the ranges where something happens.
func randomMarket(r *rand.Rand) (b int64, q []int64) {
	b = int64(MinLiquidity * pow(float64(MaxLiquidity)/MinLiquidity, r.Float64()))
	n := 2
	if r.IntN(2) == 0 {
		n = 2 + r.IntN(7)
	}
	if r.IntN(20) == 0 {
		n = MaxOutcomes
	}
	spread := []float64{0, 1e-6, 1, 10, 45, 90, 400}[r.IntN(7)]
	base := int64(r.Float64() * 1e17)
	for range n {
		shares := base + min(int64(float64(b)*spread*r.Float64()), MaxShares/2)
		if r.IntN(3) == 0 {
			shares = shares / Micro * Micro
		}
		if len(q) > 0 && r.IntN(4) == 0 {
			shares = q[r.IntN(len(q))]
		}
		q = append(q, shares)
	}
	return b, q
}

func randomMove(r *rand.Rand, b int64, q []int64) (outcome int, delta int64) {
	outcome = r.IntN(len(q))
	size := pow(float64(min(20*b, MaxShares/3)), r.Float64())
	delta = max(1, int64(size))
	switch r.IntN(4) {
	case 0: // to where another outcome is, or its mirror image
		to := q[r.IntN(len(q))]
		delta = (1 + int64(r.IntN(2))) * (to - q[outcome])
	case 1:
		delta = -delta
	}
	if delta == 0 {
		delta = 1
	}
	return outcome, max(delta, -q[outcome])
}
