package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/pgtape/pgtape/db"
)

// step is a recorded trade with the orders that carry it out.
type step struct {
	trade  Trade
	orders []db.Order // one or two
}

// plan makes the orders of a recording. It follows from the recording alone, not from what the
// database holds now: whoever plays it again, after an interruption, sends the same orders with
// the same idempotency keys, and what was done is not done twice.
func plan(r *Recording, run string) []step {
	steps := make([]step, 0, len(r.Trades))
	held := holdings{}
	repeats := map[string]int{}
	for _, t := range r.Trades {
		row := strings.Join([]string{
			run, t.Market, t.At.UTC().Format(time.RFC3339Nano), t.Trader, t.Outcome, string(t.Shares),
		}, "\n")
		repeats[row]++
		hash := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", row, repeats[row]))
		key := "replay:" + hex.EncodeToString(hash[:12])

		sell, buy := held.move(t)
		s := step{trade: t}
		if sell > 0 {
			s.orders = append(s.orders, db.Order{
				Market: t.Market, Account: t.Trader, Outcome: other(t.Outcome), Side: "sell",
				Shares: sell.decimal(), MinProceeds: "0", IdempotencyKey: key + ":sell",
			})
		}
		if buy > 0 {
			// A share costs less than 1, whatever the market: the bound never binds.
			s.orders = append(s.orders, db.Order{
				Market: t.Market, Account: t.Trader, Outcome: t.Outcome, Side: "buy",
				Shares: buy.decimal(), MaxCost: buy.decimal(), IdempotencyKey: key + ":buy",
			})
		}
		steps = append(steps, s)
	}
	return steps
}

func other(outcome string) string {
	if outcome == "yes" {
		return "no"
	}
	return "yes"
}

// holdings are what each trader has of each outcome of each market, by the recording.
type holdings map[holding]micros

type holding struct{ market, trader, outcome string }

// move splits a trade into what its trader sells of the other outcome, as far as he holds it, and
// what he buys: both move the price alike.
func (h holdings) move(t Trade) (sell, buy micros) {
	trader := strings.ToLower(t.Trader) // as handles are compared
	has := holding{t.Market, trader, other(t.Outcome)}
	shares := microsOf(t.Shares)
	sell = min(h[has], shares)
	buy = shares - sell
	h[has] -= sell
	h[holding{t.Market, trader, t.Outcome}] += buy
	return sell, buy
}
