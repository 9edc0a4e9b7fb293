package booktest

import (
	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// goRound buys and sells the same at once, alone in the market: nobody gains by that.
func (p *program) goRound(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	buy := db.Order{Market: m.slug, Outcome: pick(t, "outcome", m.outcomes...), Side: "buy", Account: a.handle, MaxCost: "1000000000000"}
	if rapid.Bool().Draw(t, "by spend") {
		buy.Spend = drawAmount(t, "spend").decimal()
	} else {
		buy.Shares = drawAmount(t, "shares").decimal()
	}
	before := a.balance
	bought, err := p.attempt(t, p.doors.server, buy)
	if err != nil {
		return
	}
	sell := db.Order{Market: m.slug, Outcome: buy.Outcome, Side: "sell", Account: a.handle, Shares: bought.Shares, MinProceeds: "0"}
	if _, err := p.attempt(t, p.doors.server, sell); err == nil && a.balance.more(before) {
		fail(t, "%s went round by %s and gained %s", a.handle, text{buy}, a.balance.minus(before).text(6))
	}
}

// goRoundBySets buys complete sets and sells outcome by outcome, or the other way round.
func (p *program) goRoundBySets(t *rapid.T) {
	m, a := p.anyMarket(t, "open"), pick(t, "account", p.book.accounts...)
	shares := drawAmount(t, "shares").decimal()
	before := a.balance
	order := func(side, outcome string) bool {
		o := db.Order{Market: m.slug, Outcome: outcome, Side: side, Account: a.handle, Shares: shares, MinProceeds: "0"}
		if side == "buy" {
			o.MaxCost, o.MinProceeds = "1000000000000", ""
		}
		_, err := p.attempt(t, p.doors.server, o)
		return err == nil
	}
	first, second := "buy", "sell"
	if sets := rapid.Bool().Draw(t, "sets first"); sets && !order("buy", "*") {
		return
	} else if sets {
		first, second = "sell", ""
	}
	for _, outcome := range m.outcomes {
		if !order(first, outcome) {
			return
		}
	}
	if second != "" && !order(second, "*") {
		return
	}
	if a.balance.more(before) {
		fail(t, "%s went round by %s sets and gained %s", a.handle, shares, a.balance.minus(before).text(6))
	}
}
