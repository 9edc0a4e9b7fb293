package booktest

import (
	"strings"

	"github.com/pgtape/pgtape/db"
)

// due is what a payout makes of what an account holds.
func (m *market) due(a *account, payout []number) number {
	sum := zero
	for i, shares := range m.held(a) {
		sum = sum.plus(shares.times(payout[i]))
	}
	return sum.floor(6)
}

func (b *book) resolve(who caller, slug string, payout []db.Decimal, reason string) db.Code {
	m, code := b.operable(who, slug, "open", "halted", "closed", "proposed", "disputed")
	if code != "" {
		return code
	}
	vector, ok := payoutOf(payout, len(m.outcomes))
	if !ok || !goodReason(reason) {
		return db.InvalidRequest
	}
	b.payOut(m, vector, "resolved", reason, who.name())
	return ""
}

func (b *book) void(who caller, slug, reason string) db.Code {
	m, code := b.operable(who, slug, "draft", "open", "halted", "closed", "proposed", "disputed")
	if code == "" && !goodReason(reason) {
		code = db.InvalidRequest
	}
	if code == "" {
		b.payOut(m, m.void, "void", reason, who.name())
	}
	return code
}

// payOut pays each holder, and the funder what is left.
func (b *book) payOut(m *market, payout []number, status, reason, actor string) {
	m.pot = m.escrow
	paid := zero
	for a := range m.positions {
		amount := m.due(a, payout)
		b.post(a, "payout", m, amount)
		add(m.received, a, amount)
		paid = paid.plus(amount)
	}
	b.postEscrow(m, "payout", paid.negative())
	left := m.escrow
	b.postEscrow(m, "subsidy_return", left.negative())
	b.post(m.funder, "subsidy_return", m, left)
	if m.funder != nil {
		add(m.received, m.funder, left)
	}
	m.status, m.payout = status, payout
	m.announce(status, object{status: object{
		"payout": m.byOutcome(payout, 6), "reason": strings.TrimSpace(reason), "actor": actor,
	}})
}

// correct gives each what the new payout entitles him to less what he has had; who no longer has
// what he must give back gives all he has, and the house the rest.
func (b *book) correct(who caller, slug string, payout []db.Decimal, reason string) db.Code {
	m, code := b.operable(who, slug, "resolved", "void")
	if code != "" {
		return code
	}
	vector, ok := payoutOf(payout, len(m.outcomes))
	if !ok || !goodReason(reason) {
		return db.InvalidRequest
	}
	entitled := map[*account]number{}
	rest := m.pot
	for a := range m.positions {
		entitled[a] = m.due(a, vector)
		rest = rest.minus(entitled[a])
	}
	if m.funder != nil {
		add(entitled, m.funder, rest)
	}

	house := zero
	shorts := object{}
	for a, amount := range entitled {
		difference := amount
		if had, ok := m.received[a]; ok {
			difference = amount.minus(had)
		}
		if short := difference.negative().minus(a.balance); short.sign() > 0 {
			shorts[a.handle] = short.text(6)
			difference = difference.plus(short)
		}
		b.post(a, "correction", m, difference)
		add(m.received, a, difference)
		house = house.minus(difference)
	}
	b.post(nil, "correction", m, house)
	m.status, m.payout = "resolved", vector
	m.announce("corrected", object{"corrected": object{
		"payout": m.byOutcome(vector, 6), "short": shorts, "reason": strings.TrimSpace(reason), "actor": who.name(),
	}})
	return ""
}
