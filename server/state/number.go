package state

import (
	"math/big"
	"strings"
)

const (
	decimals      = 6 // of credits and shares
	priceDecimals = 12
)

// bigMicros reads a number of credits or shares, as Postgres writes them, in micro-units.
func bigMicros(text string) (*big.Int, bool) {
	whole, fraction, found := strings.Cut(text, ".")
	if !found || len(fraction) != decimals || whole == "" {
		return nil, false
	}
	return new(big.Int).SetString(whole+fraction, 10)
}

// micros reads one that is bounded: up to 10^12.
func micros(text string) (int64, bool) { return units(text, decimals) }

// units reads a number with so many decimals, in units of the last.
func units(text string, decimals int) (int64, bool) {
	dot := len(text) - decimals - 1
	if dot < 1 || dot > 13 || text[dot] != '.' {
		return 0, false
	}
	var n int64
	for i := range len(text) {
		c := text[i]
		if i == dot {
			continue
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// decimal writes micro-units with all decimals.
func decimal(n *big.Int) string {
	text := n.String()
	sign := ""
	if n.Sign() < 0 {
		sign, text = "-", text[1:]
	}
	if missing := decimals + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	return sign + text[:len(text)-decimals] + "." + text[len(text)-decimals:]
}
