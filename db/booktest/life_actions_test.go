package booktest

import (
	"context"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// move halts, opens or closes a market, whether it may be or not.
func (p *program) move(t *rapid.T) {
	how := pick(t, "move", "halt", "open", "close")
	slug, _ := p.anySlug(t, moves[how].from...)
	p.moveMarket(t, p.anyDoor(t), how, slug, drawReason(t))
}

func (p *program) moveMarket(t *rapid.T, who *caller, how, slug, reason string) {
	t.Helper()
	call := map[string]func(context.Context, string, string) (db.Market, error){
		"halt": who.HaltMarket, "open": who.OpenMarket, "close": who.CloseMarket,
	}[how]
	got, err := call(p.ctx, slug, reason)
	code := p.book.move(*who, slug, how, reason)
	p.answered(t, err, code, how+"_market(%q, %.20q) as %s", slug, reason, who.login)
	if err == nil {
		p.moved(t, slug, got)
	}
}

// end resolves, voids or corrects a market, whether it may be or not.
func (p *program) end(t *rapid.T) {
	switch pick(t, "end", "correct", "correct", "void", "resolve") {
	case "correct":
		slug, n := p.anySlug(t, "resolved", "void")
		p.correct(t, p.anyDoor(t), slug, drawPayout(t, n), drawReason(t))
	case "void":
		slug, _ := p.anySlug(t, "draft", "open", "halted", "closed", "proposed", "disputed")
		p.void(t, p.anyDoor(t), slug, drawReason(t))
	case "resolve":
		slug, n := p.anySlug(t, "open", "halted", "closed", "proposed", "disputed")
		p.resolve(t, p.anyDoor(t), slug, drawPayout(t, n), drawReason(t))
	}
}

// onwards takes a market the next step of its life.
func (p *program) onwards(t *rapid.T) {
	m := p.anyMarket(t, "draft", "halted", "closed", "proposed", "disputed", "resolved", "void")
	n := len(m.outcomes)
	switch m.status {
	case "draft", "halted":
		p.moveMarket(t, p.anyDoor(t), "open", m.slug, drawReason(t))
	case "open":
		p.moveMarket(t, p.anyDoor(t), pick(t, "move", "halt", "close"), m.slug, drawReason(t))
	case "closed", "disputed":
		p.propose(t, p.anyDoor(t), m.slug, drawPayout(t, n), drawReason(t))
	case "proposed":
		if odds(t, 3, "resolve") {
			p.resolve(t, p.anyDoor(t), m.slug, drawPayout(t, n), drawReason(t))
			return
		}
		p.dispute(t, m.slug)
	default:
		p.correct(t, p.anyDoor(t), m.slug, drawPayout(t, n), drawReason(t))
	}
}

// spendAndCorrect corrects a payout when somebody has just spent all that he has.
func (p *program) spendAndCorrect(t *rapid.T) {
	m, open := p.anyMarket(t, "resolved", "void"), p.anyMarket(t, "open")
	for _, a := range p.book.accounts {
		if m.received[a].d != nil && a.balance.sign() > 0 && !a.balance.more(scaled(1, 12)) && !odds(t, 4, "keeps it") {
			spend := a.balance.decimal()
			o := db.Order{Market: open.slug, Account: a.handle, Outcome: pick(t, "outcome", open.outcomes...), Side: "buy", Spend: spend, MaxCost: spend}
			p.attempt(t, p.doors.server, o)
		}
	}
	p.correct(t, p.doors.operator, m.slug, drawPayout(t, len(m.outcomes)), drawReason(t))
}

func (p *program) propose(t *rapid.T, who *caller, slug string, payout []db.Decimal, reason string) {
	t.Helper()
	got, err := who.ProposeResolution(p.ctx, slug, payout, reason)
	code := p.book.propose(*who, slug, payout, reason)
	p.answered(t, err, code, "propose_resolution(%q, %v, %.20q) as %s", slug, payout, reason, who.login)
	if err == nil {
		p.moved(t, slug, got)
	}
}

// disputeAny disputes a market that has a proposal, if there is one.
func (p *program) disputeAny(t *rapid.T) {
	slug, _ := p.anySlug(t, "proposed")
	p.dispute(t, slug)
}

// dispute objects as anybody, in anybody's name.
func (p *program) dispute(t *rapid.T, slug string) {
	who := pick(t, "caller", p.doors.all()...)
	reason, handle := drawReason(t), ""
	if rapid.Bool().Draw(t, "named") {
		handle = p.anyHandle(t)
	}
	got, err := who.DisputeMarket(p.ctx, slug, reason, handle)
	code := p.book.dispute(*who, slug, reason, handle)
	p.answered(t, err, code, "dispute_market(%q, %.20q, %q) as %s", slug, reason, handle, who.login)
	if err == nil {
		p.moved(t, slug, got)
	}
}

func (p *program) resolve(t *rapid.T, who *caller, slug string, payout []db.Decimal, reason string) {
	t.Helper()
	got, err := who.ResolveMarket(p.ctx, slug, payout, reason)
	code := p.book.resolve(*who, slug, payout, reason)
	p.answered(t, err, code, "resolve_market(%q, %v, %.20q) as %s", slug, payout, reason, who.login)
	if err == nil {
		p.moved(t, slug, got)
	}
}

func (p *program) void(t *rapid.T, who *caller, slug, reason string) {
	t.Helper()
	got, err := who.VoidMarket(p.ctx, slug, reason)
	code := p.book.void(*who, slug, reason)
	p.answered(t, err, code, "void_market(%q, %.20q) as %s", slug, reason, who.login)
	if err == nil {
		p.moved(t, slug, got)
	}
}

func (p *program) correct(t *rapid.T, who *caller, slug string, payout []db.Decimal, reason string) {
	t.Helper()
	got, err := who.CorrectResolution(p.ctx, slug, payout, reason)
	code := p.book.correct(*who, slug, payout, reason)
	p.answered(t, err, code, "correct_resolution(%q, %v, %.20q) as %s", slug, payout, reason, who.login)
	if err == nil {
		m := p.book.market(slug)
		if short := m.events[len(m.events)-1].body["corrected"].(object)["short"].(object); len(short) > 0 {
			p.seen["correct_resolution: somebody has spent it"]++
		}
		p.moved(t, slug, got)
	}
}
