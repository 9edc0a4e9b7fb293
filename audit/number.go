package audit

import (
	"fmt"
	"math/big"
	"math/bits"
	"strings"

	"github.com/pgtape/pgtape/audit/lmsr"
)

const (
	creditDecimals = 6
	priceDecimals  = 12
)

// parseFixed reads a plain decimal number of at most so many decimals as a whole number of its
// smallest units. ok is false for anything else, and beyond 4e18 units.
func parseFixed(text string, decimals int) (units int64, ok bool) {
	digits, negative := strings.CutPrefix(text, "-")
	fraction := -1 // decimals read so far, once there is a point
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c == '.' && fraction < 0 && i > 0:
			fraction = 0
		case c < '0' || c > '9' || fraction == decimals || units > 4e17:
			return 0, false
		default:
			units = 10*units + int64(c-'0')
			if fraction >= 0 {
				fraction++
			}
		}
	}
	if digits == "" || fraction == 0 {
		return 0, false
	}
	for range decimals - max(fraction, 0) {
		if units > 4e17 {
			return 0, false
		}
		units *= 10
	}
	if negative {
		units = -units
	}
	return units, true
}

// formatFixed is the inverse, with all decimals.
func formatFixed(units int64, decimals int) string {
	sign := ""
	if units < 0 {
		sign = "-"
	}
	digits := fmt.Sprintf("%0*d", decimals+1, max(units, -units))
	return sign + digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:]
}

// credits formats micro-units, of credits or shares.
func credits(units int64) string { return formatFixed(units, creditDecimals) }

// total is a sum of many amounts, in micro-units: 128 bits, two's complement.
type total struct {
	hi int64
	lo uint64
}

func totalOf(units int64) total { return total{units >> 63, uint64(units)} }

func (t total) plus(u total) total {
	lo, carry := bits.Add64(t.lo, u.lo, 0)
	hi, _ := bits.Add64(uint64(t.hi), uint64(u.hi), carry)
	return total{int64(hi), lo}
}

func (t total) negated() total {
	return total{^t.hi, ^t.lo}.plus(totalOf(1))
}

func (t total) minus(u total) total { return t.plus(u.negated()) }

func (t total) negative() bool { return t.hi < 0 }

func (t total) less(u total) bool { return t.hi < u.hi || t.hi == u.hi && t.lo < u.lo }

func (t total) big() *big.Int {
	n := new(big.Int).Lsh(big.NewInt(t.hi), 64)
	return n.Add(n, new(big.Int).SetUint64(t.lo))
}

func (t total) String() string {
	n := t.big()
	digits := fmt.Sprintf("%0*d", creditDecimals+1, new(big.Int).Abs(n))
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
	}
	return sign + digits[:len(digits)-creditDecimals] + "." + digits[len(digits)-creditDecimals:]
}

// parseTotal reads what String writes; fewer decimals will do.
func parseTotal(text string) (total, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimPrefix(whole, "-") + fraction
	if whole == "" || digits == "" || len(digits) > 36 || len(fraction) > creditDecimals || strings.Trim(digits, "0123456789") != "" {
		return total{}, false
	}
	n, ok := new(big.Int).SetString(digits+strings.Repeat("0", creditDecimals-len(fraction)), 10)
	if !ok || n.BitLen() > 126 {
		return total{}, false
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0)))
	t := total{new(big.Int).Rsh(n, 64).Int64(), low.Uint64()}
	if strings.HasPrefix(whole, "-") {
		t = t.negated()
	}
	return t, true
}

// pays is what a payout makes of shares, rounded down to a micro-unit. The payout sums to 1, so it
// is at most the shares of one outcome.
func pays(shares, payout []int64) int64 {
	var sum total
	for i, n := range shares {
		hi, lo := bits.Mul64(uint64(max(n, 0)), uint64(payout[i]))
		sum = sum.plus(total{int64(hi), lo})
	}
	quotient, _ := bits.Div64(uint64(sum.hi)%lmsr.Micro, sum.lo, lmsr.Micro)
	return int64(quotient)
}
