package static

import (
	"math/big"
	"strings"
	"time"
)

// gain shows what was won or lost, its direction by arrow and sign.
func gain(amount string) string {
	a, ok := new(big.Rat).SetString(amount)
	if !ok {
		return amount // whatever it is: a page is not refused for one figure
	}
	switch text := new(big.Rat).Abs(a).FloatString(2); {
	case strings.Trim(text, "0.") == "":
		return text
	case a.Sign() < 0:
		return "▼\u202f−" + text
	default:
		return "▲\u202f+" + text
	}
}

// held shows what somebody has, in shares or credits: rounded down, since more than that cannot be
// sold or spent. js/money.js has the same, and both read test/held.json.
func held(amount string) string {
	a, ok := new(big.Rat).SetString(amount)
	if !ok {
		return amount
	}
	cents := new(big.Int).Quo(new(big.Int).Mul(a.Num(), big.NewInt(100)), a.Denom())
	if cents.Sign() == 0 && a.Sign() > 0 {
		return "<0.01"
	}
	return new(big.Rat).SetFrac(cents, big.NewInt(100)).FloatString(2)
}

// signed shows an amount that was booked.
func signed(amount string) string {
	a, ok := new(big.Rat).SetString(amount)
	if !ok {
		return amount
	}
	return [...]string{"−", "", "+"}[a.Sign()+1] + new(big.Rat).Abs(a).FloatString(2)
}

// day and when show a moment, in UTC; what is none, such as a year of five digits, as it stands.
func day(at string) string    { return in(at, "2 Jan 2006") }
func clock(at string) string  { return in(at, "15:04:05") }
func moment(at string) string { return in(at, "2 Jan 2006, 15:04 UTC") }
func when(at string) string   { return in(at, "2006-01-02 15:04:05") }

func in(at, layout string) string {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return at
	}
	return t.UTC().Format(layout)
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
