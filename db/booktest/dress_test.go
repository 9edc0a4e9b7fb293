package booktest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// dress draws all of an order that is not what it is for.
func (p *program) dress(t *rapid.T, o *db.Order) {
	q, priced := p.book.fits(*o)
	drawBounds(t, o, q, priced)
	if m := p.book.market(o.Market); m != nil && odds(t, 4, "with a version") {
		o.ExpectedVersion = new(max(1, m.version()+int64(pick(t, "version", 0, -1, 1, -5))))
	}
	if odds(t, 3, "with a deadline") {
		// Not one that only just holds: a program must come to the same when it is run again.
		ahead := pick(t, "deadline", time.Hour, 0, -time.Second)
		o.Deadline = new(time.Now().Truncate(time.Microsecond).Add(ahead))
	}
	if rapid.Bool().Draw(t, "with a key") {
		o.IdempotencyKey = p.name("key")
	}
}

// drawBounds draws bounds: wide, exact, a hair too narrow, or any.
func drawBounds(t *rapid.T, o *db.Order, q quote, priced bool) {
	buys := o.Side == "buy"
	kind := pick(t, "bounds", "wide", "wide", "exact amount", "exact price", "amount too narrow", "price too narrow", "any slippage")
	if !priced || q.amount.sign() == 0 || q.amount.more(scaled(1, 12)) {
		kind = "wide"
	}
	hair, amountHair := pico, micro
	if buys {
		hair, amountHair = hair.negative(), amountHair.negative()
	}
	bound := func(amount number) {
		if !buys {
			o.MinProceeds = amount.decimal()
		} else if amount.sign() > 0 {
			o.MaxCost = amount.decimal()
		} else {
			o.MaxCost = micro.decimal()
		}
	}
	slippage := func(price number, bps int32) {
		o.ExpectedPrice, o.MaxSlippageBps = most(zero, least(price, unity)).decimal(), &bps
	}
	switch kind {
	case "wide":
		bound(zero)
		if buys {
			o.MaxCost = "1000000000000"
		}
		if odds(t, 3, "as a price") {
			o.MaxCost, o.MinProceeds = "", ""
			slippage(unity, 10000)
		}
	case "exact amount":
		bound(q.amount)
	case "amount too narrow":
		bound(q.amount.plus(amountHair))
	case "exact price":
		slippage(q.avg, 0)
	case "price too narrow":
		slippage(q.avg.plus(hair), 0)
	case "any slippage":
		slippage(q.avg.times(scaled(rapid.Int64Range(0, 2000).Draw(t, "of the price"), -3)).floor(12), int32(rapid.IntRange(0, 10000).Draw(t, "bps")))
	}
}

// drawDoor draws who sends an order: the server, others who may, and sometimes who may not.
func (p *program) drawDoor(t *rapid.T, o *db.Order) *caller {
	if own := p.doors.trader.account; own != nil && own.handle == o.Account && rapid.Bool().Draw(t, "himself") {
		if rapid.Bool().Draw(t, "unnamed") {
			o.Account = ""
		}
		return p.doors.trader
	}
	if !odds(t, 12, "odd door") {
		return pick(t, "door", p.doors.server, p.doors.operator)
	}
	o.Account = pick(t, "named", "", o.Account, p.anyHandle(t))
	return pick(t, "caller", p.doors.all()...)
}
