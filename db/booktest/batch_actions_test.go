package booktest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// tradeBatch sends several orders of one market at once: each must come to what it would have come
// to in its turn.
func (p *program) tradeBatch(t *rapid.T) {
	m := p.anyMarket(t, "open")
	var orders []db.Order
	for range rapid.IntRange(0, 5).Draw(t, "orders") {
		if len(orders) > 0 && odds(t, 8, "once more") {
			orders = append(orders, pick(t, "order", orders...))
			continue
		}
		o := p.orderFor(t, m)
		if q, _ := p.book.fits(o); q.undecided {
			t.Skip("40 decimals may take either side of a micro")
		}
		p.dress(t, &o)
		orders = append(orders, o)
	}
	slug, who := m.slug, pick(t, "door", p.doors.server, p.doors.operator)
	switch {
	case odds(t, 20, "no market"):
		slug = "nowhere"
	case odds(t, 8, "other door"):
		who = pick(t, "caller", p.doors.all()...)
	}
	t0 := time.Now().Truncate(time.Microsecond)
	placed, err := who.TradeBatch(p.ctx, slug, orders)
	t1 := time.Now()
	if slug != m.slug {
		p.answered(t, err, db.NotFound, "trade_batch(%q) as %s", slug, who.login)
		return
	}
	p.answered(t, err, "", "trade_batch(%q) as %s", slug, who.login)
	if len(placed) != len(orders) {
		fail(t, "%d orders came to %d answers", len(orders), len(placed))
	}
	for i, o := range orders {
		got, err := placed[i].Receipt, placed[i].Err
		v := p.judge(t, who, o, got, err, t0, t1)
		p.answered(t, err, v.code, "batched trade(%s) as %s in the name of %q", text{o}, who.login, o.Account)
		p.came(t, v, o, got, err)
	}
}

// orderFor draws what an order of a market is for: mostly what can be done.
func (p *program) orderFor(t *rapid.T, m *market) db.Order {
	a := pick(t, "account", p.book.accounts...)
	i := rapid.IntRange(-1, len(m.outcomes)-1).Draw(t, "outcome")
	o := db.Order{Market: m.slug, Account: a.handle, Outcome: "*", Side: "buy", Shares: drawAmount(t, "shares").decimal()}
	if i >= 0 {
		o.Outcome = m.outcomes[i]
	}
	switch pick(t, "for", "buying", "selling", "spending", "nonsense") {
	case "selling":
		o.Side = "sell"
		if held := m.sellable(a, i); held.sign() > 0 && !held.more(scaled(1, 12)) {
			o.Shares = held.decimal()
		}
	case "spending":
		o.Shares, o.Spend = "", o.Shares
	case "nonsense":
		o.Outcome = pick(t, "outcome", "nothing", "*", "NULL", " ")
	}
	return o
}
