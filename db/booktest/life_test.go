package booktest

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pgtape/pgtape/db"
)

// actingFor finds the account that somebody acts for; nil without a code: he named none and has none.
func (b *book) actingFor(who caller, handle string) (*account, db.Code) {
	if handle == "" {
		return who.account, ""
	}
	a := b.account(handle)
	switch {
	case !who.server && (a == nil || a != who.account):
		return nil, db.NotPermitted
	case a == nil:
		return nil, db.NotFound
	}
	return a, ""
}

func goodReason(reason string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(reason))
	return n >= 1 && n <= 2000
}

// payoutOf reads a payout vector; ok is false for what is none of so many outcomes.
func payoutOf(payout []db.Decimal, outcomes int) (vector []number, ok bool) {
	for _, text := range payout {
		n, isNumber := parse(text)
		if !isNumber || n.sign() < 0 || n.more(unity) || n.decimals() > 6 {
			return nil, false
		}
		vector = append(vector, n)
	}
	return vector, len(vector) == outcomes && total(vector).equals(unity)
}

// uniform shares 1 out equally, the first outcomes getting what 6 decimals leave over.
func uniform(outcomes int) []number {
	part := unity.over(whole(int64(outcomes))).floor(6)
	vector := slices.Repeat([]number{part}, outcomes)
	for i := 0; !total(vector).equals(unity); i++ {
		vector[i] = vector[i].plus(micro)
	}
	return vector
}

func (b *book) createAccount(who caller, handle string, opening db.Decimal) db.Code {
	amount, ok := parse(opening)
	if opening == "" {
		amount, ok = whole(1000), true
	}
	switch {
	case !who.server && !who.operator, !who.operator && opening != "":
		return db.NotPermitted
	case !goodHandle(handle) || !ok || !amountBetween(amount, zero):
		return db.InvalidRequest
	case b.account(handle) != nil:
		return db.AlreadyExists
	}
	b.addAccount(handle, amount)
	return ""
}

func goodHandle(handle string) bool {
	const first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	return len(handle) >= 1 && len(handle) <= 32 && onlyOf(handle, first+"_.-") && onlyOf(handle[:1], first)
}

func onlyOf(text, letters string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune(letters, r) }) < 0
}

func (b *book) grantCredits(who caller, handle string, amount db.Decimal, reason string) db.Code {
	n, ok := parse(amount)
	a := b.account(handle)
	switch {
	case !who.operator:
		return db.NotPermitted
	case !ok || !amountBetween(n, micro) || !goodReason(reason):
		return db.InvalidRequest
	case a == nil:
		return db.NotFound
	}
	b.grant(a, n, reason, who.name())
	return ""
}

// createMarket makes a market. bad says that its declaration is wrong in other than void_payout.
func (b *book) createMarket(who caller, d db.NewMarket, bad bool) db.Code {
	m := &market{
		slug: d.Slug, question: d.Question, description: strings.TrimSpace(d.Description), category: d.Category,
		outcomes: d.Outcomes, closesAt: d.ClosesAt,
	}
	if m.outcomes == nil {
		m.outcomes = []string{"yes", "no"}
	}
	m.b, _ = parse(d.Liquidity)
	if d.Liquidity == "" {
		m.b = whole(100)
	}
	named := d.Account
	if named == "house" {
		named = ""
	}
	acting, code := b.actingFor(who, named)
	if code != "" {
		return code
	}
	if m.funder = acting; d.Account == "house" {
		m.funder = nil
	}
	if m.funder == nil && !who.operator {
		return db.NotPermitted
	}
	if bad {
		return db.InvalidRequest
	}
	void, ok := payoutOf(d.VoidPayout, len(m.outcomes))
	if d.VoidPayout == nil {
		void, ok = uniform(len(m.outcomes)), true
	}
	m.void, m.subsidy = void, subsidy(m.b, len(m.outcomes))
	switch {
	case !ok:
		return db.InvalidRequest
	case m.funder != nil && m.funder.balance.less(m.subsidy):
		return db.InsufficientFunds
	case b.market(m.slug) != nil:
		return db.AlreadyExists
	}
	b.addMarket(m, d.Draft)
	return ""
}

// moves are the plain moves of an operator: from where, to where, and how the event is called.
var moves = map[string]struct {
	from     []string
	to, kind string
}{
	"halt":  {[]string{"open"}, "halted", "halted"},
	"open":  {[]string{"draft", "halted"}, "open", "opened"},
	"close": {[]string{"open", "halted"}, "closed", "closed"},
}

// operable finds the market of an operator's act.
func (b *book) operable(who caller, slug string, from ...string) (*market, db.Code) {
	if !who.operator {
		return nil, db.NotPermitted
	}
	return b.inStatus(slug, from...)
}

// runnable finds the market of an act that its maker may do too.
func (b *book) runnable(who caller, slug string, from ...string) (*market, db.Code) {
	if m := b.market(slug); m != nil && m.funder != nil && m.funder == who.account {
		return b.inStatus(slug, from...)
	}
	return b.operable(who, slug, from...)
}

func (b *book) inStatus(slug string, from ...string) (*market, db.Code) {
	m := b.market(slug)
	switch {
	case m == nil:
		return nil, db.NotFound
	case !slices.Contains(from, m.status):
		return nil, db.MarketNotOpen
	}
	return m, ""
}

func (b *book) move(who caller, slug, how, reason string) db.Code {
	step := moves[how]
	find := b.operable
	if how == "close" {
		find = b.runnable
	}
	m, code := find(who, slug, step.from...)
	if code == "" && !goodReason(reason) {
		code = db.InvalidRequest
	}
	if code == "" {
		m.status = step.to
		m.announce(step.kind, object{step.kind: object{"reason": strings.TrimSpace(reason), "actor": who.name()}})
	}
	return code
}

func (b *book) propose(who caller, slug string, payout []db.Decimal, reason string) db.Code {
	m, code := b.runnable(who, slug, "closed", "proposed", "disputed")
	if code != "" {
		return code
	}
	vector, ok := payoutOf(payout, len(m.outcomes))
	if !ok || !goodReason(reason) {
		return db.InvalidRequest
	}
	m.status, m.proposal = "proposed", vector
	m.announce("proposed", object{"proposed": object{
		"payout": m.byOutcome(vector, 6), "reason": strings.TrimSpace(reason), "actor": who.name(),
	}})
	return ""
}

func (b *book) dispute(who caller, slug, reason, handle string) db.Code {
	acting, code := b.actingFor(who, handle)
	if code != "" {
		return code
	}
	m, code := b.inStatus(slug, "proposed")
	switch {
	case code != "":
		return code
	case !(who.operator && handle == "") && !m.holds(acting): // a named account's role decides: all are traders
		return db.NotPermitted
	case !goodReason(reason):
		return db.InvalidRequest
	}
	actor := who.name()
	if acting != nil {
		actor = acting.handle
	}
	m.status = "disputed"
	m.announce("disputed", object{"disputed": object{"reason": strings.TrimSpace(reason), "actor": actor}})
	return ""
}
