package booktest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// buy buys any number of shares of any outcome, or for any spend.
func (p *program) buy(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	o := db.Order{Market: m.slug, Account: a.handle, Outcome: pick(t, "outcome", m.outcomes...), Side: "buy"}
	if rapid.Bool().Draw(t, "by spend") {
		o.Spend = drawAmount(t, "spend").decimal()
	} else {
		o.Shares = drawAmount(t, "shares").decimal()
	}
	p.bounded(t, o)
}

// buyWithEverything buys as much as there is money for, or a micro more or less.
func (p *program) buyWithEverything(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	i := rapid.IntRange(0, len(m.outcomes)-1).Draw(t, "outcome")
	if a.balance.sign() == 0 || a.balance.more(scaled(1, 12)) {
		t.Skip("no amount of an order")
	}
	o := db.Order{Market: m.slug, Account: a.handle, Outcome: m.outcomes[i], Side: "buy"}
	odd := pick(t, "and", zero, micro, micro.negative())
	if rapid.Bool().Draw(t, "by spend") {
		o.Spend = a.balance.plus(odd).decimal()
	} else {
		shares, _ := p.book.rule.shares(m.q, m.b, i, a.balance)
		o.Shares = shares.plus(odd).decimal()
	}
	p.bounded(t, o)
}

// buyToMirror lifts the lowest outcome over the highest by a step that keeps the picture, where the
// shares stand at equal steps: then C moves by exactly that step. A micro beside it, it does not.
func (p *program) buyToMirror(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	low, high := 0, 0
	for i := range m.q {
		if m.q[i].less(m.q[low]) {
			low = i
		}
		if m.q[i].more(m.q[high]) {
			high = i
		}
	}
	n := int64(len(m.q))
	step := m.q[high].minus(m.q[low]).over(whole(n - 1)).floor(6)
	if step.sign() == 0 {
		t.Skip("nothing to mirror")
	}
	shares := step.times(whole(n))
	o := db.Order{Market: m.slug, Account: a.handle, Outcome: m.outcomes[low], Side: "buy"}
	switch pick(t, "how", "exactly", "a micro more", "a micro less", "by spend") {
	case "a micro more":
		shares = shares.plus(micro)
	case "a micro less":
		shares = shares.minus(micro)
	case "by spend":
		o.Spend = step.decimal()
	}
	if o.Spend == "" {
		o.Shares = shares.decimal()
	}
	p.bounded(t, o)
	if n == 3 && odds(t, 2, "and the middle") {
		// Three outcomes stand at equal steps once the middle one is put there.
		middle := 3 - low - high
		if up := m.q[high].plus(m.q[low]).over(whole(2)).floor(6).minus(m.q[middle]); up.sign() > 0 && middle != high && middle != low {
			p.bounded(t, db.Order{Market: m.slug, Account: a.handle, Outcome: m.outcomes[middle], Side: "buy", Shares: up.decimal()})
		}
	}
}

// sell sells any number of shares, often of those held.
func (p *program) sell(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	i := rapid.IntRange(0, len(m.outcomes)-1).Draw(t, "outcome")
	shares := drawAmount(t, "shares")
	if held := m.held(a)[i]; held.sign() > 0 && rapid.Bool().Draw(t, "of those held") {
		part := rapid.Int64Range(1, 1000).Draw(t, "part")
		shares = most(held.times(scaled(part, -3)).floor(6), micro)
	}
	p.bounded(t, db.Order{Market: m.slug, Account: a.handle, Outcome: m.outcomes[i], Side: "sell", Shares: shares.decimal()})
}

// sellEverything sells all that an account has of an outcome, or a micro more or less.
func (p *program) sellEverything(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	for i, held := range m.held(a) {
		if held.sign() > 0 {
			shares := held.plus(pick(t, "and", zero, micro, micro.negative()))
			p.bounded(t, db.Order{Market: m.slug, Account: a.handle, Outcome: m.outcomes[i], Side: "sell", Shares: shares.decimal()})
			return
		}
	}
	t.Skip("nothing to sell")
}

// tradeSets buys or redeems complete sets.
func (p *program) tradeSets(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	o := db.Order{Market: m.slug, Account: a.handle, Outcome: "*", Side: "buy"}
	sets := m.sellable(a, -1)
	if sets.sign() == 0 && m.holds(a) {
		// None, but the book has as many, and of some outcomes so has the account.
		sets = least(slices.MaxFunc(m.held(a), compare), slices.MinFunc(m.q, compare))
	}
	switch {
	case sets.sign() > 0 && rapid.Bool().Draw(t, "redeem"):
		o.Side, o.Shares = "sell", sets.plus(pick(t, "and", zero, micro, micro.negative())).decimal()
	case rapid.Bool().Draw(t, "by spend"):
		o.Spend = drawAmount(t, "spend").decimal()
	case odds(t, 5, "redeem any"):
		o.Side = "sell"
		fallthrough
	default:
		o.Shares = drawAmount(t, "sets").decimal()
	}
	p.bounded(t, o)
}
