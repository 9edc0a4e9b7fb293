package static

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// gain shows what was won or lost, its direction by arrow and sign.
func gain(amount string) (string, error) {
	a, ok := new(big.Rat).SetString(amount)
	if !ok {
		return "", fmt.Errorf("not an amount: %q", amount)
	}
	switch text := new(big.Rat).Abs(a).FloatString(2); {
	case strings.Trim(text, "0.") == "":
		return text, nil
	case a.Sign() < 0:
		return "▼\u202f−" + text, nil
	default:
		return "▲\u202f+" + text, nil
	}
}

// signed shows an amount that was booked.
func signed(amount string) (string, error) {
	a, ok := new(big.Rat).SetString(amount)
	if !ok {
		return "", fmt.Errorf("not an amount: %q", amount)
	}
	return [...]string{"−", "", "+"}[a.Sign()+1] + new(big.Rat).Abs(a).FloatString(2), nil
}

// day and when show a moment, in UTC.
func day(at string) (string, error)    { return in(at, "2 Jan 2006") }
func clock(at string) (string, error)  { return in(at, "15:04:05") }
func moment(at string) (string, error) { return in(at, "2 Jan 2006, 15:04 UTC") }
func when(at string) (string, error)   { return in(at, "2006-01-02 15:04:05") }

func in(at, layout string) (string, error) {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return "", fmt.Errorf("not a time: %w", err)
	}
	return t.UTC().Format(layout), nil
}

// kinds are what the entries of a ledger are called on a page.
var kinds = map[string]string{
	"opening_grant": "Opening balance", "grant": "Grant", "subsidy": "Market funded", "trade": "Trade", "payout": "Payout",
	"subsidy_return": "Funding returned", "correction": "Correction",
}

func kind(name string) string {
	if shown, ok := kinds[name]; ok {
		return shown
	}
	return name
}
