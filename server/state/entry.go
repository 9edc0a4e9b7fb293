package state

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// maxPending bounds the events that wait for somebody who asks.
const maxPending = 32

// entry is a market at a version. It is guarded by its market's lock.
type entry struct {
	asked   time.Time // when somebody last did
	tip     point     // the last event taken, pending ones included
	pending []tape.Event
	at      *View // of the last event applied; nil: not made yet

	market      db.Market // what is absolute
	outstanding []int64   // in micro-units
	volume      *big.Int  // in micro-units: the only number without a bound
	holders     map[string]struct{}
	past        *past // nil: nobody has asked for it
}

// newEntry is false for a market whose numbers cannot be kept.
func newEntry(read db.MarketState) (*entry, bool) {
	e := &entry{asked: time.Now(), market: read.Market, holders: make(map[string]struct{}, len(read.Holders))}
	head, err := tape.ParseCursor(read.Cursor)
	if err != nil || head.Seq != read.Version || len(read.Holders) != int(read.Traders) || len(read.Outstanding) != len(read.Outcomes) {
		return nil, false
	}
	e.tip = pointAt(head)
	for _, shares := range read.Outstanding {
		n, ok := micros(string(shares))
		if !ok {
			return nil, false
		}
		e.outstanding = append(e.outstanding, n)
	}
	var ok bool
	if e.volume, ok = bigMicros(string(read.Volume)); !ok {
		return nil, false
	}
	for _, handle := range read.Holders {
		e.holders[handle] = struct{}{}
	}
	return e, true
}

// take takes the next event; false if it is not that, or cannot be applied. What is known already
// is skipped: the table may have been ahead of the tape.
func (e *entry) take(event tape.Event) bool {
	if event.Seq <= e.tip.seq {
		return event.Seq < e.tip.seq || pointOf(event) == e.tip
	}
	if !e.tip.follows(event) {
		return false
	}
	e.tip = pointOf(event)
	e.pending = append(e.pending, event)
	return len(e.pending) < maxPending || e.catchUp()
}

// view is the market as of the last event taken; nil if an event cannot be applied.
func (e *entry) view() *View {
	if now := time.Now(); now.Sub(e.asked) > time.Second {
		e.asked = now
	}
	if e.at == nil || len(e.pending) > 0 {
		if !e.catchUp() {
			return nil
		}
		var err error
		if e.at, err = newView(e.current()); err != nil {
			return nil
		}
	}
	return e.at
}

// catchUp applies what is pending.
func (e *entry) catchUp() bool {
	for _, event := range e.pending {
		if !e.apply(event) {
			return false
		}
	}
	clear(e.pending)
	e.pending = e.pending[:0]
	return true
}

// apply changes what an event changes; see pgtape_core.place, move_market and advance.
func (e *entry) apply(event tape.Event) bool {
	b, ok := readBody(event.Kind, event.Body, e.market.Outcomes)
	if !ok {
		return false
	}
	m := &e.market
	switch event.Kind {
	case "trade":
		ok = e.trade(b.Trade)
	case "commented", "comment_removed": // changes nothing
	case "opened", "halted", "closed", "disputed":
		m.Status = b.Status
	case "proposed":
		m.Status = b.Status
		ok = e.pay(&m.Proposal, b.Proposed)
	case "resolved":
		m.Status = b.Status
		ok = e.pay(&m.Payout, b.Resolved)
	case "void":
		m.Status = b.Status
		ok = e.pay(&m.Payout, b.Void)
	case "corrected":
		m.Status = b.Status
		ok = e.pay(&m.Payout, b.Corrected)
	default:
		return false
	}
	m.Prices = b.Prices.Numbers
	m.Version, m.Cursor = event.Seq, pointOf(event).cursor()
	m.UpdatedAt = event.At.In(m.CreatedAt.Location())
	if e.past != nil && e.past.at != nil && !e.past.add(event.At, m.Prices) {
		*e.past = past{}
	}
	return ok && m.Status != ""
}

func (e *entry) pay(into *[]db.Decimal, p paying) bool {
	if !slices.Equal(p.Payout.Outcomes, e.market.Outcomes) {
		return false
	}
	*into = p.Payout.Numbers
	return true
}

// completeSet is the outcome of a trade in one share of each.
const completeSet = "*"

func (e *entry) trade(t trade) bool {
	if t.Account == "" || t.Side != "buy" && t.Side != "sell" {
		return false
	}
	shares, ok := micros(t.Shares)
	amount, fine := micros(t.Amount)
	at := slices.Index(e.market.Outcomes, t.Outcome)
	if !ok || !fine || at < 0 && t.Outcome != completeSet {
		return false
	}
	if t.Side == "sell" {
		shares = -shares
	}
	for i := range e.outstanding {
		if i == at || at < 0 {
			e.outstanding[i] += shares
		}
	}
	if t.Outcome != completeSet { // which moves no price, and can be had for nothing
		e.volume.Add(e.volume, big.NewInt(amount))
		e.market.Trades++
	}
	if _, known := e.holders[t.Account]; !known {
		e.holders[strings.Clone(t.Account)] = struct{}{} // not to hold the whole event
	}
	return true
}

// current is the market as the database has it.
func (e *entry) current() db.Market {
	m := e.market
	m.Outstanding = make([]db.Decimal, len(e.outstanding))
	for i, n := range e.outstanding {
		m.Outstanding[i] = db.Decimal(decimal(big.NewInt(n)))
	}
	m.Volume = db.Decimal(decimal(e.volume))
	m.Traders = int64(len(e.holders))
	return m
}
