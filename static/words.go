package static

import (
	"fmt"
	"math/big"
)

// Percent shows a price as pages do.
func Percent(price string) (string, error) { return percent(price) }

// Credits shows an amount as pages do.
func Credits(amount string) (string, error) { return credits(amount) }

// Label is an outcome as people write it.
func Label(outcome string) string { return label(outcome) }

// Change says how far a price has gone, in points, with an arrow for its direction.
func Change(from, to string) (string, error) {
	a, ok := new(big.Rat).SetString(from)
	b, also := new(big.Rat).SetString(to)
	if !ok || !also {
		return "", fmt.Errorf("no way from %q to %q", from, to)
	}
	by := b.Sub(b, a)
	by.Mul(by, big.NewRat(100, 1))
	size := new(big.Rat).Abs(by)
	switch {
	case size.Cmp(big.NewRat(5, 100)) < 0:
		return "±0.0", nil
	case by.Sign() > 0:
		return "▲\u202f" + size.FloatString(1), nil
	}
	return "▼\u202f" + size.FloatString(1), nil
}
