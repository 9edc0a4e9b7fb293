package booktest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgtape/pgtape/db"
)

// quote is an order priced, and what the book would be after it. outcome -1: complete sets.
type quote struct {
	outcome             int
	shares, amount      number
	avg, before, after  number
	qAfter, pricesAfter []number
	market, outcomeName string
	side                string
	version             int64
	undecided           bool
}

// placed is what was done under an idempotency key.
type placed struct {
	request string
	receipt db.Receipt
}

// verdict is what must come of an order.
type verdict struct {
	code    db.Code // empty: the trade is made
	bound   string  // of a stale quote: what it does not keep
	account *account
	market  *market
	quote   quote
	first   *placed // repeated: nothing is done
}

// decide tells what must come of an order at some point in time.
func (b *book) decide(who caller, o db.Order, at time.Time) verdict {
	if !sound(o) {
		return verdict{code: db.InvalidOrder}
	}
	acting, code := b.actingFor(who, o.Account)
	if code == "" && acting == nil {
		code = db.NotFound
	}
	if code != "" {
		return verdict{code: code}
	}
	m := b.market(o.Market)
	if m == nil {
		return verdict{code: db.NotFound}
	}
	v := verdict{account: acting, market: m}
	if first, ok := acting.keys[o.IdempotencyKey]; ok && o.IdempotencyKey != "" {
		if v.first = &first; first.request != request(o) {
			v.code = db.IdempotencyMismatch
		}
		return v
	}
	switch {
	case !m.tradesAt(at):
		v.code = db.MarketNotOpen
	case o.Deadline != nil && o.Deadline.Before(at):
		v.code = db.DeadlinePassed
	default:
		v.quote, v.code = b.price(m, o)
	}
	if v.code == "" {
		v.bound = v.quote.broken(o)
		v.code = v.settles()
	}
	return v
}

// settles tells whether the bounds hold and the account has what it takes.
func (v verdict) settles() db.Code {
	switch {
	case v.bound != "":
		return db.StaleQuote
	case v.quote.side == "buy" && v.account.balance.less(v.quote.amount):
		return db.InsufficientFunds
	case v.quote.side == "sell" && v.market.sellable(v.account, v.quote.outcome).less(v.quote.shares):
		return db.InsufficientShares
	}
	return ""
}

// sellable is how many shares of an outcome an account holds; of outcome -1: complete sets.
func (m *market) sellable(a *account, outcome int) number {
	if outcome >= 0 {
		return m.held(a)[outcome]
	}
	return slices.MinFunc(m.held(a), compare)
}

func (m *market) tradesAt(at time.Time) bool {
	return m.status == "open" && (m.closesAt == nil || m.closesAt.After(at))
}

// sound tells whether an order is one, whatever the market's state.
func sound(o db.Order) bool {
	buys := o.Side == "buy"
	if o.Outcome == "" || !buys && o.Side != "sell" || (o.Shares == "") == (o.Spend == "") ||
		buys && o.MinProceeds != "" || !buys && (o.Spend != "" || o.MaxCost != "") {
		return false
	}
	for _, amount := range []db.Decimal{o.Shares, o.Spend, o.MaxCost, o.MinProceeds} {
		if n, ok := parse(amount); amount != "" && (!ok || !amountBetween(n, zero)) {
			return false
		}
	}
	for _, amount := range []db.Decimal{o.Shares, o.Spend, o.MaxCost} {
		if n, _ := parse(amount); amount != "" && n.sign() == 0 {
			return false
		}
	}
	if price, ok := parse(o.ExpectedPrice); o.ExpectedPrice != "" &&
		(!ok || price.sign() < 0 || price.more(unity) || price.decimals() > 12) {
		return false
	}
	slippage := o.MaxSlippageBps
	return (slippage == nil || *slippage >= 0 && *slippage <= 10000 && o.ExpectedPrice != "") &&
		(o.ExpectedVersion == nil || *o.ExpectedVersion >= 1) &&
		len(o.IdempotencyKey) <= 255 &&
		(slippage != nil || o.MaxCost != "" || o.MinProceeds != "")
}

// amountBetween tells whether a number is one of credits or shares: up to 10^12, 6 decimals.
func amountBetween(n, minimum number) bool {
	return !n.less(minimum) && !n.more(scaled(1, 12)) && n.decimals() <= 6
}

// price works out what an order would do to a market.
func (b *book) price(m *market, o db.Order) (quote, db.Code) {
	q := quote{
		outcome: slices.Index(m.outcomes, o.Outcome), market: m.slug, outcomeName: o.Outcome, side: o.Side, version: m.version(),
	}
	shares, _ := parse(o.Shares)
	spend, spends := parse(o.Spend)
	sets := o.Outcome == "*"
	switch {
	case sets && spends:
		shares = spend
	case sets:
	case q.outcome < 0:
		return q, db.NotFound
	case spends:
		var sure bool
		shares, sure = b.rule.shares(m.q, m.b, q.outcome, spend)
		q.undecided = !sure
	}

	delta := shares
	if o.Side == "sell" {
		delta = shares.negative()
	}
	q.shares, q.qAfter = shares, slices.Clone(m.q)
	for i := range q.qAfter {
		if sets || i == q.outcome {
			q.qAfter[i] = q.qAfter[i].plus(delta)
		}
		if q.qAfter[i].more(scaled(1, 12)) {
			return q, db.InvalidOrder
		}
		if q.qAfter[i].sign() < 0 {
			return q, db.InsufficientShares
		}
	}
	if sets {
		q.amount, q.avg, q.before, q.after, q.pricesAfter = shares, unity, unity, unity, m.prices
		return q, ""
	}
	amount, sure := b.rule.charge(m.q, m.b, q.outcome, delta)
	q.amount, q.undecided = amount, q.undecided || !sure
	q.avg = amount.over(shares).round(12)
	q.pricesAfter = b.rule.at(q.qAfter, m.b).prices
	q.before, q.after = m.prices[q.outcome], q.pricesAfter[q.outcome]
	return q, ""
}

// broken is the bound of an order that a quote does not keep; empty: it keeps them all.
func (q quote) broken(o db.Order) string {
	if o.ExpectedVersion != nil && *o.ExpectedVersion > q.version {
		return "expected_version"
	}
	if o.MaxSlippageBps != nil {
		expected, _ := parse(o.ExpectedPrice)
		slack := expected.times(scaled(int64(*o.MaxSlippageBps), -4))
		if q.side == "buy" && q.avg.more(expected.plus(slack)) || q.side == "sell" && q.avg.less(expected.minus(slack)) {
			return "max_slippage_bps"
		}
	}
	if maximum, ok := parse(o.MaxCost); ok && q.amount.more(maximum) {
		return "max_cost"
	}
	if minimum, ok := parse(o.MinProceeds); ok && q.amount.less(minimum) {
		return "min_proceeds"
	}
	return ""
}

// trade does what an order was found to do, and returns its receipt; id and time are the database's.
func (b *book) trade(v verdict, o db.Order, id int64, at time.Time) db.Receipt {
	m, a, q := v.market, v.account, v.quote
	paid, delta := q.amount, q.shares
	if q.side == "sell" {
		paid, delta = paid.negative(), delta.negative()
	}
	if m.positions[a] == nil {
		m.positions[a] = m.held(a)
		m.known[a] = make([]bool, len(m.outcomes))
	}
	for i := range m.outcomes {
		if q.outcome == i || q.outcome < 0 {
			m.positions[a][i] = m.positions[a][i].plus(delta)
			m.known[a][i] = true
		}
	}
	m.q, m.prices = q.qAfter, q.pricesAfter
	if q.outcome >= 0 {
		m.volume = m.volume.plus(q.amount)
		m.priced++
	}
	b.trades++
	b.post(a, "trade", m, paid.negative())
	b.postEscrow(m, "trade", paid)

	m.announce("trade", object{"trade": object{
		"id": float64(id), "account": a.handle, "outcome": q.outcomeName, "side": q.side,
		"shares": q.shares.text(6), "amount": q.amount.text(6), "avg_price": q.amount.over(q.shares).text(6),
	}})
	receipt := db.Receipt{
		Quote: q.wire(), TradeID: id, Account: a.handle, Balance: db.Decimal(a.balance.text(6)),
		Position: db.Decimal(m.sellable(a, q.outcome).text(6)), At: at,
	}
	receipt.Version = m.version()
	m.trades = append(m.trades, receipt)
	if o.IdempotencyKey != "" {
		a.keys[o.IdempotencyKey] = placed{request: request(o), receipt: receipt}
		o.Account = a.handle
		a.orders = append(a.orders, o)
	}
	return receipt
}

// wire is the quote as callers see it.
func (q quote) wire() db.Quote {
	return db.Quote{
		Market: q.market, Version: q.version, Outcome: q.outcomeName, Side: q.side,
		Shares: db.Decimal(q.shares.text(6)), Amount: db.Decimal(q.amount.text(6)), AvgPrice: db.Decimal(q.avg.text(12)),
		PriceBefore: db.Decimal(q.before.text(12)), PriceAfter: db.Decimal(q.after.text(12)),
	}
}

// request is all that an order asks for; two orders of one request are the same order.
func request(o db.Order) string {
	fields := []string{o.Market, o.Outcome, o.Side}
	for _, amount := range []db.Decimal{o.Shares, o.Spend, o.ExpectedPrice, o.MaxCost, o.MinProceeds} {
		if n, ok := parse(amount); ok {
			amount = n.decimal()
		}
		fields = append(fields, string(amount))
	}
	if o.ExpectedVersion != nil {
		fields = append(fields, fmt.Sprint("version ", *o.ExpectedVersion))
	}
	if o.MaxSlippageBps != nil {
		fields = append(fields, fmt.Sprint("slippage ", *o.MaxSlippageBps))
	}
	return strings.Join(append(fields, fmt.Sprint(jsonTime(o.Deadline))), "\n")
}
