package booktest

import (
	"encoding/json"
	"errors"
	"time"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// attempt places an order and compares all that comes of it: the code, the receipt, and of a stale
// quote what is broken and the fresh one.
func (p *program) attempt(t *rapid.T, who *caller, o db.Order) (db.Receipt, error) {
	t.Helper()
	if q, _ := p.book.fits(o); q.undecided {
		t.Skip("40 decimals may take either side of a micro")
	}
	if odds(t, 4, "quote first") {
		p.quote(t, who, o)
	}
	t0 := time.Now().Truncate(time.Microsecond)
	got, err := who.Trade(p.ctx, o)
	t1 := time.Now()

	v := p.judge(t, who, o, got, err, t0, t1)
	p.answered(t, err, v.code, "trade(%s) as %s in the name of %q", text{o}, who.login, o.Account)
	p.came(t, v, o, got, err)
	return got, err
}

// judge tells what must have come of an order. When exactly it was judged, only a receipt tells.
func (p *program) judge(t *rapid.T, who *caller, o db.Order, got db.Receipt, err error, t0, t1 time.Time) verdict {
	t.Helper()
	at := t0
	if err == nil && !got.Replayed {
		at = got.At
	}
	v := p.book.decide(*who, o, at)
	if err != nil && codeOf(err) != v.code {
		v = p.book.decide(*who, o, t1)
	}
	if v.quote.undecided {
		fail(t, "40 decimals may take either side of a micro in %s: draw another", text{o})
	}
	if v.code == "" && v.first == nil && (at.Before(t0) || at.After(t1)) {
		fail(t, "trade at %s, want one between %s and %s", at, t0, t1)
	}
	return v
}

// came compares what has come of an order with the verdict, and writes a trade into the book.
func (p *program) came(t *rapid.T, v verdict, o db.Order, got db.Receipt, err error) {
	t.Helper()
	switch {
	case v.code == db.StaleQuote:
		p.stale(t, err, v, o)
	case v.code != "":
	case v.first != nil:
		want := v.first.receipt
		want.Replayed = true
		if !sameReceipt(got, want) {
			fail(t, "trade(%s) again: receipt\n%+v, want\n%+v", text{o}, got, want)
		}
	default:
		p.remember(v)
		if got.TradeID <= p.book.lastTrade {
			fail(t, "trade %d after %d", got.TradeID, p.book.lastTrade)
		}
		p.book.lastTrade = got.TradeID
		if want := p.book.trade(v, o, got.TradeID, got.At); !sameReceipt(got, want) {
			fail(t, "trade(%s): receipt\n%+v, want\n%+v", text{o}, got, want)
		}
	}
}

// remember counts the trades at the edges.
func (p *program) remember(v verdict) {
	q, m := v.quote, v.market
	if q.outcome < 0 {
		p.seen["trade: "+q.side+" complete sets"]++
		return
	}
	exact := p.book.rule.at(q.qAfter, m.b).cost.minus(p.book.rule.at(m.q, m.b).cost).abs()
	distance := exact.minus(exact.round(6)).abs().over(m.b)
	for what, is := range map[string]bool{
		"exactly a micro, moved as a whole":      distance.less(scaled(1, -36)) && q.amount.equals(exact.round(6)),
		"beyond 40 digits, against the trader":   distance.less(scaled(1, -36)) && !q.amount.equals(exact.round(6)),
		"for one micro":                          q.amount.equals(micro),
		"for nothing":                            q.amount.sign() == 0,
		"at a price that shows as 1":             q.side == "buy" && q.amount.equals(q.shares),
		"at a price that shows as 0":             q.before.sign() == 0,
		"all that the account has":               q.side == "buy" && q.amount.equals(v.account.balance),
		"of a market of more than four outcomes": len(m.outcomes) > 4,
		"of more than 10^9 shares":               q.shares.more(scaled(1, 9)),
	} {
		if is {
			p.seen["trade: "+q.side+" "+what]++
		}
	}
}

func sameReceipt(got, want db.Receipt) bool {
	same := got.At.Equal(want.At)
	got.At = want.At
	return same && got == want
}

// stale compares the bound that a refusal names, and its quote.
func (p *program) stale(t *rapid.T, err error, v verdict, o db.Order) {
	t.Helper()
	var refused *db.Error
	if !errors.As(err, &refused) {
		fail(t, "error: %v", err)
	}
	fresh, ok := refused.QuoteOf()
	if !ok || fresh != v.quote.wire() || boundOf(refused) != v.bound {
		fail(t, "trade(%s) is stale: %s, want the bound %s and %+v", text{o}, refused.Detail, v.bound, v.quote.wire())
	}
}

// boundOf is the bound that a refusal names.
func boundOf(refused *db.Error) string {
	var detail struct{ Bound string }
	if err := json.Unmarshal(refused.Detail, &detail); err != nil {
		return err.Error()
	}
	return detail.Bound
}

// quote asks first what an order would do: the same that it does, whoever asks.
func (p *program) quote(t *rapid.T, who *caller, o db.Order) {
	t.Helper()
	t0 := time.Now().Truncate(time.Microsecond)
	got, err := who.Quote(p.ctx, o)
	t1 := time.Now()
	want, code := p.book.decideQuote(o, t0)
	if code != codeOf(err) {
		want, code = p.book.decideQuote(o, t1)
	}
	p.answered(t, err, code, "quote(%s) as %s", text{o}, who.login)
	if err == nil && got != want.wire() {
		fail(t, "quote(%s):\n%+v, want\n%+v", text{o}, got, want.wire())
	}
}

// decideQuote tells what must come of a question: no bound, no account, nothing but the price.
func (b *book) decideQuote(o db.Order, at time.Time) (quote, db.Code) {
	asked := db.Order{Market: o.Market, Outcome: o.Outcome, Side: o.Side, Shares: o.Shares, Spend: o.Spend}
	bounded := asked
	bounded.ExpectedPrice, bounded.MaxSlippageBps = "1", new(int32(0))
	m := b.market(o.Market)
	switch {
	case !sound(bounded):
		return quote{}, db.InvalidOrder
	case m == nil:
		return quote{}, db.NotFound
	case !m.tradesAt(at):
		return quote{}, db.MarketNotOpen
	}
	return b.price(m, asked)
}

// fits tells what an order without bounds would do, as far as the model can: for choosing bounds.
func (b *book) fits(o db.Order) (quote, bool) {
	q, code := b.decideQuote(o, time.Time{})
	return q, code == ""
}
