package audit

import (
	"math/bits"
	"slices"

	"github.com/pgtape/pgtape/audit/lmsr"
)

// completeSet is the outcome of a trade in complete sets: one share of each, for exactly 1.
const completeSet = "*"

const (
	chargesFollow = "every charge follows from the trades before"
	tradingHours  = "no trade after close, halt or resolution"
)

func (m *market) trade(e Event, b *body) {
	outcome := slices.Index(m.outcomes, b.outcome)
	isSet := b.outcome == completeSet
	if outcome < 0 && !isSet || b.side != "buy" && b.side != "sell" ||
		b.shares <= 0 || b.shares > lmsr.MaxShares || b.amount < 0 {
		m.found.at(e, wellFormed, "%.10s %s %.60q for %s", b.side, credits(b.shares), b.outcome, credits(b.amount))
		return
	}
	m.checkHours(e)
	if b.id <= m.lastID {
		m.found.at(e, "trade ids rise", "id %d follows id %d", b.id, m.lastID)
	}
	m.lastID = b.id
	if !isAverage(b.avgPrice, b.amount, b.shares) {
		m.found.at(e, chargesFollow, "average price %s of %s for %s", credits(b.avgPrice), credits(b.shares), credits(b.amount))
	}

	delta, paid := b.shares, b.amount
	if b.side == "sell" {
		delta, paid = -delta, -paid
	}
	h := m.holder(b.account)
	if isSet {
		m.moveSets(e, h, delta, b.amount)
	} else {
		m.moveShares(e, h, outcome, delta, b.amount)
	}
	h.get(e, totalOf(-paid))
	m.escrow = m.escrow.plus(totalOf(paid))
	if m.escrow.less(totalOf(slices.Max(m.maker.Outstanding()))) {
		m.found.at(e, coversWorst, "escrow %s, shares outstanding %s", m.escrow, formatAll(m.maker.Outstanding(), creditDecimals))
	}
	if !isSet { // sets move no price, and can be had for nothing
		m.volume = m.volume.plus(totalOf(b.amount))
		m.trades++
	}
}

func (m *market) checkHours(e Event) {
	switch {
	case m.status != "open":
		m.found.at(e, tradingHours, "the market was %s", m.status)
	case !m.closesAt.IsZero() && !e.At.Before(m.closesAt):
		m.found.at(e, tradingHours, "traded at %s, closed at %s", e.At.UTC().Format(headsTime), m.closesAt.Format(headsTime))
	}
}

func (m *market) moveShares(e Event, h *holder, outcome int, delta, amount int64) {
	m.hold(e, h, outcome, delta)
	charge, err := m.maker.Trade(outcome, delta)
	if err != nil {
		m.found.at(e, chargesFollow, "%s shares of %.60q: %v", credits(delta), m.outcomes[outcome], err)
		return
	}
	if !charge.Allows(amount) {
		m.found.at(e, chargesFollow, "amount %s, by the rule %s", credits(amount), credits(charge.Amount))
	}
}

func (m *market) moveSets(e Event, h *holder, delta, amount int64) {
	for i := range m.outcomes {
		m.hold(e, h, i, delta)
	}
	if err := m.maker.Sets(delta); err != nil {
		m.found.at(e, chargesFollow, "%s complete sets: %v", credits(delta), err)
	}
	if amount != delta && amount != -delta {
		m.found.at(e, chargesFollow, "amount %s for %s complete sets", credits(amount), credits(delta))
	}
}

// hold changes a position. On a tape that sells what nobody holds it stays within what fits.
func (m *market) hold(e Event, h *holder, outcome int, delta int64) {
	held := h.shares[outcome]
	if held+delta < 0 {
		m.found.at(e, "no negative position", "%s of %.60q sold, %s held", credits(-delta), m.outcomes[outcome], credits(held))
	}
	h.shares[outcome] = min(max(held+delta, -2*lmsr.MaxShares), 2*lmsr.MaxShares)
}

// isAverage tells whether a price is amount / shares, rounded to 6 decimals, halves up.
func isAverage(price, amount, shares int64) bool {
	hi, lo := bits.Mul64(uint64(amount), lmsr.Micro)
	if hi >= uint64(shares) {
		return false
	}
	quotient, rest := bits.Div64(hi, lo, uint64(shares))
	toHalf := shares - 2*int64(rest)
	switch uint64(price) {
	case quotient:
		return toHalf > 0
	case quotient + 1:
		return toHalf <= 0
	}
	return false
}
