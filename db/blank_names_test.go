package db_test

import (
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// What is given and blank is not what is not given: a key of spaces is a key, an account of spaces nobody.
func TestABlankNameIsAName(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	for _, blank := range []string{" ", "\t\t", "\n", "\u00a0", "\u3000", "\u200b"} {
		order := db.Order{Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: ana, IdempotencyKey: blank}
		first, err := d.Trade(t.Context(), order)
		again, errAgain := d.Trade(t.Context(), order)
		if err != nil || errAgain != nil || !again.Replayed || again.TradeID != first.TradeID {
			t.Errorf("an order with the key %q again: %+v, %v, %v", blank, again, err, errAgain)
		}
		said := db.NewComment{Market: market, Body: "so it is", Account: ana, IdempotencyKey: blank}
		one, err := d.Comment(t.Context(), said)
		other, errAgain := d.Comment(t.Context(), said)
		if err != nil || errAgain != nil || one.ID != other.ID {
			t.Errorf("a comment with the key %q again: %+v, %v, %v", blank, other, err, errAgain)
		}

		order.Account, said.Account = blank, blank
		_, traded := d.Trade(t.Context(), order)
		_, commented := d.Comment(t.Context(), said)
		_, made := d.CreateMarket(t.Context(), db.NewMarket{Slug: "x", Question: "Will it?", Account: blank})
		_, role := d.SetRole(t.Context(), ana, db.Operator, blank)
		for door, err := range map[string]error{"trade": traded, "comment": commented, "market": made, "role": role} {
			if db.CodeOf(err) != db.NotFound {
				t.Errorf("%s as %q: %v, want %s", door, blank, err, db.NotFound)
			}
		}
	}
	if n := len(mustAll(t, d, "select 1 from pgtape.trades")); n != 6 {
		t.Errorf("%d trades, want 6", n)
	}
	d.Verify(t)
}
