package booktest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// tradeBatch sends several orders of one market at once: each must come to what it would have come
// to in its turn.
func (p *program) tradeBatch(t *rapid.T) {
	m := p.anyMarket(t, "open")
	orders := p.ordersFor(t, func() *market { return m })
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
		p.verdict(t, who, o, placed[i], t0, t1)
	}
}

// tradeFree sends orders of several markets at once. Nobody holds anything up here, so none is left;
// they are carried out market by market, the oldest first.
func (p *program) tradeFree(t *rapid.T) {
	orders := p.ordersFor(t, func() *market { return p.anyMarket(t, "open") })
	who := pick(t, "door", p.doors.server, p.doors.operator)
	t0 := time.Now().Truncate(time.Microsecond)
	placed, left, err := who.TradeFree(p.ctx, orders)
	t1 := time.Now()
	p.answered(t, err, "", "trade_batch of many markets as %s", who.login)
	if len(left) > 0 || len(placed) != len(orders) {
		fail(t, "%d orders came to %d answers, %v were left", len(orders), len(placed), left)
	}
	turn := func(i int) int {
		return slices.IndexFunc(p.book.markets, func(m *market) bool { return m.slug == orders[i].Market })
	}
	numbers := slices.Collect(maps.Keys(placed))
	slices.SortFunc(numbers, func(i, j int) int { return cmp.Or(turn(i)-turn(j), i-j) })
	for _, i := range numbers {
		p.verdict(t, who, orders[i], placed[i], t0, t1)
	}
}

// ordersFor draws the orders of a batch, for markets that are drawn too.
func (p *program) ordersFor(t *rapid.T, next func() *market) (orders []db.Order) {
	for range rapid.IntRange(0, 5).Draw(t, "orders") {
		if len(orders) > 0 && odds(t, 8, "once more") {
			orders = append(orders, pick(t, "order", orders...))
			continue
		}
		o := p.orderFor(t, next())
		if q, _ := p.book.fits(o); q.undecided {
			t.Skip("40 decimals may take either side of a micro")
		}
		p.dress(t, &o)
		orders = append(orders, o)
	}
	return orders
}

func (p *program) verdict(t *rapid.T, who *caller, o db.Order, placed db.Placed, t0, t1 time.Time) {
	v := p.judge(t, who, o, placed.Receipt, placed.Err, t0, t1)
	p.answered(t, placed.Err, v.code, "batched trade(%s) as %s in the name of %q", text{o}, who.login, o.Account)
	p.came(t, v, o, placed.Receipt, placed.Err)
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
