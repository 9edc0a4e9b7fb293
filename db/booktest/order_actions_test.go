package booktest

import (
	"errors"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// bounded gives an order bounds, sends it through a door, and if its quote has gone stale perhaps
// sends the fresh one.
func (p *program) bounded(t *rapid.T, o db.Order) {
	t.Helper()
	p.dress(t, &o)
	who := p.drawDoor(t, &o)
	_, err := p.attempt(t, who, o)
	if codeOf(err) == db.StaleQuote && odds(t, 2, "send the fresh quote") {
		p.sendFresh(t, who, o, err)
	}
}

// sendFresh sends the quote of a refusal back as it is: it is not stale.
func (p *program) sendFresh(t *rapid.T, who *caller, o db.Order, err error) {
	t.Helper()
	var refused *db.Error
	if !errors.As(err, &refused) {
		fail(t, "error: %v", err)
	}
	fresh, _ := refused.QuoteOf()
	again := db.Order{
		Market: fresh.Market, Outcome: fresh.Outcome, Side: fresh.Side, Shares: fresh.Shares, Account: o.Account,
		ExpectedPrice: fresh.AvgPrice, ExpectedVersion: &fresh.Version, MaxSlippageBps: new(int32(0)),
	}
	if o.Spend != "" {
		again.Shares, again.Spend = "", o.Spend
	}
	if _, err := p.attempt(t, who, again); codeOf(err) == db.StaleQuote {
		fail(t, "the fresh quote %+v is stale too: %v", fresh, err)
	}
}

// orderAnything draws each part of an order by itself.
func (p *program) orderAnything(t *rapid.T) {
	m := p.anyMarket(t, "open")
	o := db.Order{
		Market: m.slug, Outcome: pick(t, "outcome", append(m.outcomes[:len(m.outcomes):len(m.outcomes)], "*", "nothing")...),
		Side: pick(t, "side", "buy", "sell"), Account: p.anyHandle(t),
	}
	if odds(t, 10, "no market") {
		o.Market = pick(t, "slug", "nowhere", "house", "no-"+m.slug)
	}
	amount := pick(t, "amount", micro, unity, scaled(1, 12), drawAmount(t, "any amount"))
	if o.Shares = amount.decimal(); o.Side == "buy" && rapid.Bool().Draw(t, "by spend") {
		o.Shares, o.Spend = "", o.Shares
	}
	p.bounded(t, o)
}

// orderNonsense sends what is no order.
func (p *program) orderNonsense(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	buy := db.Order{Market: m.slug, Outcome: m.outcomes[0], Side: "buy", Account: a.handle, Shares: "1", MaxCost: "1"}
	sell := db.Order{Market: m.slug, Outcome: m.outcomes[0], Side: "sell", Account: a.handle, Shares: "1", MinProceeds: "0"}
	spoilt := []func() db.Order{
		func() db.Order { buy.Spend = "1"; return buy },
		func() db.Order { buy.Shares = ""; return buy },
		func() db.Order { buy.MaxCost = ""; return buy },
		func() db.Order { sell.MinProceeds = ""; return sell },
		func() db.Order { buy.MinProceeds = "0"; return buy },
		func() db.Order { sell.MaxCost = "1"; return sell },
		func() db.Order { sell.Shares, sell.Spend = "", "1"; return sell },
		func() db.Order { buy.Side = pick(t, "side", "", "hold", "BUY"); return buy },
		func() db.Order { buy.Outcome = ""; return buy },
		func() db.Order { buy.MaxSlippageBps = new(int32(1)); return buy },
		func() db.Order { buy.MaxSlippageBps = new(int32(-1)); buy.ExpectedPrice = "1"; return buy },
		func() db.Order { buy.MaxSlippageBps = new(int32(10001)); buy.ExpectedPrice = "1"; return buy },
		func() db.Order { buy.ExpectedVersion = new(int64(pick(t, "version", 0, -1))); return buy },
		func() db.Order { buy.IdempotencyKey = strings.Repeat("k", 256); return buy },
		func() db.Order {
			buy.ExpectedPrice = pick[db.Decimal](t, "price", "-0.1", "1.000000000001", "0.1234567890123", "NaN")
			return buy
		},
		func() db.Order { buy.Shares = drawNonsense(t); return buy },
		func() db.Order { buy.Shares, buy.Spend = "", drawNonsense(t); return buy },
		func() db.Order { buy.MaxCost = drawNonsense(t); return buy },
		func() db.Order { sell.Shares = drawNonsense(t); return sell },
		func() db.Order {
			sell.MinProceeds = pick[db.Decimal](t, "min_proceeds", "-0.000001", "0.0000001", "NaN", "1000000000000.000001")
			return sell
		},
	}
	_, err := p.attempt(t, p.doors.server, pick(t, "nonsense", spoilt...)())
	if codeOf(err) != db.InvalidOrder {
		fail(t, "nonsense came to %v", err)
	}
}

func drawNonsense(t *rapid.T) db.Decimal {
	return pick[db.Decimal](t, "nonsense number", "0", "-1", "0.0000001", "1.0000001", "1000000000000.000001", "NaN", "Infinity", "-Infinity", "1e400", "ten")
}

// repeatKey sends an order under a key that was used: the same again, written otherwise, or another.
func (p *program) repeatKey(t *rapid.T) {
	var used []db.Order
	for _, a := range p.book.accounts {
		used = append(used, a.orders...)
	}
	if len(used) == 0 {
		t.Skip("no key was used")
	}
	o := pick(t, "order", used...)
	switch pick(t, "request", "same", "otherwise written", "another", "other account") {
	case "otherwise written":
		o.Account = strings.ToUpper(o.Account)
		for _, amount := range []*db.Decimal{&o.Shares, &o.Spend, &o.MaxCost, &o.MinProceeds} {
			if n, ok := parse(*amount); ok {
				*amount = db.Decimal(n.text(6))
			}
		}
	case "another":
		p.change(t, &o)
	case "other account":
		o.Account = pick(t, "account", p.book.accounts...).handle
	}
	p.attempt(t, pick(t, "door", p.doors.server, p.doors.operator), o)
}

// change makes an order another in one thing only.
func (p *program) change(t *rapid.T, o *db.Order) {
	up := func(amount *db.Decimal) {
		if n, ok := parse(*amount); ok {
			*amount = n.plus(micro).decimal()
		}
	}
	switch pick(t, "change", "bound", "amount", "price", "slippage", "version", "deadline", "outcome", "side", "market") {
	case "bound":
		up(&o.MaxCost)
		up(&o.MinProceeds)
	case "amount":
		up(&o.Shares)
		up(&o.Spend)
	case "price":
		o.ExpectedPrice = pick[db.Decimal](t, "price", "0.5", "0.500000000001")
	case "slippage":
		if o.MaxSlippageBps != nil {
			o.MaxSlippageBps = new((*o.MaxSlippageBps + 1) % 10001)
		}
	case "version":
		o.ExpectedVersion = new(int64(rapid.IntRange(1, 3).Draw(t, "version")))
	case "deadline":
		o.Deadline = new(time.Now().Truncate(time.Microsecond).Add(time.Hour))
	case "outcome":
		o.Outcome = pick(t, "outcome", "*", "yes", "no")
	case "side":
		o.Side = pick(t, "side", "buy", "sell")
	case "market":
		o.Market = pick(t, "market", p.book.markets...).slug
	}
}

func (p *program) askForQuote(t *rapid.T) {
	m := p.anyMarket(t, "open")
	o := db.Order{Market: m.slug, Outcome: pick(t, "outcome", m.outcomes...), Side: pick(t, "side", "buy", "sell"), Shares: drawAmount(t, "shares").decimal()}
	if odds(t, 3, "odd") {
		o.Outcome = pick(t, "outcome", "*", "nothing", "")
	}
	if rapid.Bool().Draw(t, "spend") {
		o.Spend = drawAmount(t, "spend").decimal()
		if rapid.Bool().Draw(t, "spend only") {
			o.Shares = ""
		}
	}
	p.quote(t, pick(t, "caller", p.doors.all()...), o)
}
