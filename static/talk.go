package static

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// happened words the kinds of events that are a market's life, as js/components/market_tape.js does.
var happened = map[string]string{
	"created": "Made", "halted": "Trading halted", "opened": "Open for trading", "closed": "Closed",
	"proposed": "Resolution proposed", "disputed": "Resolution disputed", "resolved": "Resolved", "void": "Void",
	"corrected": "Resolution corrected",
}

// isTalk tells the events that are comments, which have a tab of their own.
func isTalk(kind string) bool { return kind == "commented" || kind == "comment_removed" }

// moment shows a time for who has no scripts; with them it is the reader's own.
// pays words a payout: what a share of each outcome brings, those first that bring something.
func pays(payout map[string]any, outcomes []any) (string, error) {
	var something, nothing []string
	for _, o := range outcomes {
		outcome, amount := fmt.Sprint(o), fmt.Sprint(payout[fmt.Sprint(o)])
		n, ok := new(big.Rat).SetString(amount)
		if !ok {
			return "", fmt.Errorf("no payout of %q", outcome)
		}
		if n.Sign() > 0 {
			something = append(something, label(outcome)+" pays ¤\u00a0"+trimmed(n))
		} else {
			nothing = append(nothing, label(outcome))
		}
	}
	if len(nothing) > 0 && len(nothing) <= 3 {
		something = append(something, strings.Join(nothing, " and ")+" nothing")
	}
	return strings.Join(something, ", "), nil
}

// trimmed has two decimals, or as many as there are.
func trimmed(n *big.Rat) string {
	if whole, short := n.FloatString(2), n.FloatString(6); whole+"0000" != short {
		return strings.TrimRight(short, "0")
	}
	return n.FloatString(2)
}

// mayRemove tells whether an account may take away a comment: 1, its own, or 2, as an operator; else 0.
func mayRemove(account any, author string) int {
	who, _ := account.(map[string]any)
	switch {
	case who == nil:
		return 0
	case who["handle"] == author:
		return 1
	case who["role"] == "operator", who["role"] == "admin":
		return 2
	}
	return 0
}

// names are the outcomes that a payout is of, in its order, which JSON objects lose.
func names(payout map[string]any) []any {
	var list []any
	for _, first := range []bool{true, false} { // Yes and No in this order; others by name
		for _, o := range slices.Sorted(maps.Keys(payout)) {
			if (o == "yes") == first {
				list = append(list, o)
			}
		}
	}
	return list
}

func counted(n json.Number, one, many string) string {
	if n == "1" {
		return "1 " + one
	}
	return string(n) + " " + many
}

// received says what somebody was paid, or gave back.
func received(amount string) (string, error) {
	words := "You were paid ¤\u00a0"
	if rest, back := strings.CutPrefix(amount, "-"); back {
		amount, words = rest, "You gave back ¤\u00a0"
	}
	n, err := credits(amount)
	return words + n + ".", err
}
