package state

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/pgtape/pgtape/db"
)

// body is what is read of an event.
type body struct {
	Trade     trade
	Status    string
	Prices    db.ByOutcome
	Proposed  paying
	Resolved  paying
	Void      paying
	Corrected paying
}

type trade struct {
	Account, Outcome, Side string
	Shares, Amount         string
}

type paying struct{ Payout db.ByOutcome }

// readBody reads the body of an event of a market with these outcomes, which its prices must be of.
func readBody(kind, text string, outcomes []string) (b body, ok bool) {
	if kind == "trade" {
		if b, ok = readTrade(text, outcomes); ok {
			return b, true
		}
	}
	b = body{}
	ok = json.Unmarshal([]byte(text), &b) == nil && slices.Equal(b.Prices.Outcomes, outcomes)
	return b, ok
}

// readTrade reads a trade as pgtape_core.place writes it, of which a hot market has thousands a
// second. What needs escapes is left to the JSON decoder.
func readTrade(text string, outcomes []string) (b body, ok bool) {
	s := scan{rest: text, ok: true}
	s.skip(`{"trade":{"id":`)
	s.rest = strings.TrimLeft(s.rest, "0123456789")
	b.Trade = trade{
		Account: s.member(`,"account":`), Outcome: s.member(`,"outcome":`), Side: s.member(`,"side":`),
		Shares: s.member(`,"shares":`), Amount: s.member(`,"amount":`),
	}
	s.member(`,"avg_price":`)
	s.skip(`},"prices":`)
	b.Prices = db.ByOutcome{Outcomes: outcomes, Numbers: make([]db.Decimal, len(outcomes))}
	for i, outcome := range outcomes {
		separator := ","
		if i == 0 {
			separator = "{"
		}
		s.ok = s.ok && s.member(separator) == outcome
		b.Prices.Numbers[i] = db.Decimal(s.member(":"))
	}
	s.skip("}}")
	return b, s.ok && s.rest == ""
}

// scan reads text that has one form only.
type scan struct {
	rest string
	ok   bool
}

func (s *scan) skip(literal string) {
	rest, found := strings.CutPrefix(s.rest, literal)
	s.rest, s.ok = rest, s.ok && found
}

// member reads the string behind a literal.
func (s *scan) member(literal string) string {
	s.skip(literal)
	s.skip(`"`)
	value, rest, found := strings.Cut(s.rest, `"`)
	s.rest, s.ok = rest, s.ok && found && !strings.Contains(value, `\`)
	return value
}
