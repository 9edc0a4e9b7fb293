package booktest

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

const (
	mostAccounts = 6
	mostMarkets  = 9
)

func (p *program) createAccount(t *rapid.T) {
	handle := p.name("a")
	switch pick(t, "handle", "new", "taken", "bad") {
	case "taken":
		handle = pick(t, "account", p.book.accounts...).handle
		if rapid.Bool().Draw(t, "other case") {
			handle = strings.ToUpper(handle)
		}
	case "bad":
		handle = pick(t, "bad handle", "", "-x", "a b", strings.Repeat("a", 33), "größer", "house'")
	default:
		if len(p.book.accounts) >= mostAccounts {
			t.Skip("enough accounts")
		}
	}
	opening := drawBalance(t)
	if odds(t, 10, "bad balance") {
		opening = pick[db.Decimal](t, "opening", "-0.000001", "1000000000000.000001", "0.0000001", "NaN", "Infinity")
	}
	p.createAccountOf(t, p.anyDoor(t), handle, opening)
}

func (p *program) createAccountOf(t *rapid.T, who *caller, handle string, opening db.Decimal) {
	t.Helper()
	got, err := who.CreateAccount(p.ctx, handle, opening)
	code := p.book.createAccount(*who, handle, opening)
	p.answered(t, err, code, "create_account(%q, %q) as %s", handle, opening, who.login)
	if want := p.book.account(handle); err == nil && (got.Handle != want.handle || string(got.Balance) != want.balance.text(6)) {
		fail(t, "created %+v, want %s with %s", got, want.handle, want.balance.text(6))
	}
}

func (p *program) grantCredits(t *rapid.T) {
	handle, reason, who := p.anyHandle(t), drawReason(t), p.anyDoor(t)
	amount := drawAmount(t, "amount").decimal()
	if odds(t, 8, "odd amount") {
		amount = pick[db.Decimal](t, "grant", "0.000001", "1000000000000", "0", "-1", "1000000000000.000001", "0.0000001", "NaN", "")
	}
	got, err := who.GrantCredits(p.ctx, handle, amount, reason)
	code := p.book.grantCredits(*who, handle, amount, reason)
	p.answered(t, err, code, "grant_credits(%q, %q, %.20q) as %s", handle, amount, reason, who.login)
	if want := p.book.account(handle); err == nil && (got.Handle != want.handle || string(got.Balance) != want.balance.text(6)) {
		fail(t, "granted %+v, want %s with %s", got, want.handle, want.balance.text(6))
	}
}

func (p *program) mapLogin(t *rapid.T) {
	login := p.logins.trader
	if odds(t, 10, "no login") {
		login = "nobody_" + p.prefix
	}
	p.mapLoginTo(t, p.anyDoor(t), login, p.anyHandle(t))
}

func (p *program) mapLoginTo(t *rapid.T, who *caller, login, handle string) {
	t.Helper()
	a := p.book.account(handle)
	var code db.Code
	switch {
	case !who.operator:
		code = db.NotPermitted
	case login != p.logins.trader || a == nil:
		code = db.NotFound
	default:
		defer func() { p.doors.trader.account = a }()
	}
	p.answered(t, who.MapLogin(p.ctx, login, handle), code, "map_login(%q, %q) as %s", login, handle, who.login)
}

// session signs somebody in, looks, and signs out again: none of it touches the book.
func (p *program) session(t *rapid.T) {
	who, handle := p.anyDoor(t), p.anyHandle(t)
	a := p.book.account(handle)
	var code db.Code
	switch {
	case !who.server:
		code = db.NotPermitted
	case a == nil:
		code = db.NotFound
	}
	token, _, err := who.CreateSession(p.ctx, handle, "")
	p.answered(t, err, code, "create_session(%q) as %s", handle, who.login)
	if err != nil {
		return
	}
	signedIn, err := who.SessionAccount(p.ctx, token)
	if err != nil || signedIn.Handle != a.handle || string(signedIn.Balance) != a.balance.text(6) {
		fail(t, "signed in as %+v (%v), want %s with %s", signedIn, err, a.handle, a.balance.text(6))
	}
	if err := who.DeleteSession(p.ctx, token); err != nil {
		fail(t, "error: %v", err)
	}
	if _, err := who.SessionAccount(p.ctx, token); codeOf(err) != db.NotSignedIn {
		fail(t, "after signing out: %v, want %s", err, db.NotSignedIn)
	}
}

// doorbell makes the commits that follow notify.
func (p *program) doorbell(t *rapid.T) {
	who := p.anyDoor(t)
	var code db.Code
	if !who.server {
		code = db.NotPermitted
	}
	_, err := who.Pool().Exec(p.ctx, "select pgtape.keep_doorbell_ringing()")
	p.answered(t, err, code, "keep_doorbell_ringing() as %s", who.login)
}

func (p *program) createMarket(t *rapid.T) {
	if len(p.book.markets) >= mostMarkets {
		t.Skip("enough markets")
	}
	market := db.NewMarket{
		Slug: p.name("m"), Question: pick(t, "question", "Will it?", `"?"`), Description: pick(t, "description", "", "größer\n"),
		Outcomes: drawOutcomes(t), Liquidity: drawLiquidity(t), Draft: odds(t, 5, "draft"),
	}
	if odds(t, 3, "funded by somebody") {
		market.Account = p.anyHandle(t)
	}
	if odds(t, 20, "taken") {
		market.Slug = pick(t, "slug", p.book.slugs()...)
	}
	switch pick(t, "void_payout", "usual", "own") {
	case "own":
		market.VoidPayout = drawPayout(t, len(market.Outcomes))
	default:
		if odds(t, 20, "usual outcomes") {
			market.Outcomes = nil
		}
	}
	at := time.Now().Truncate(time.Microsecond)
	soon := odds(t, 12, "closes soon")
	switch {
	case soon:
		market.ClosesAt = new(at.Add(100 * time.Millisecond))
	case odds(t, 3, "closes late"):
		market.ClosesAt = new(at.Add(time.Hour))
	}
	bad := odds(t, 10, "bad declaration")
	if bad {
		spoil(t, &market)
	}
	p.createMarketOf(t, p.anyDoor(t), market, bad)
	if soon && !bad {
		p.waitUntil(t, *market.ClosesAt)
	}
}

// waitUntil waits until the database's clock shows a time that comes soon.
func (p *program) waitUntil(t *rapid.T, at time.Time) {
	t.Helper()
	for passed := false; !passed; {
		if err := p.doors.server.Pool().QueryRow(p.ctx, "select clock_timestamp() >= $1", at).Scan(&passed); err != nil {
			fail(t, "error: %v", err)
		}
	}
}

// spoil makes a declaration that no market can have.
func spoil(t *rapid.T, m *db.NewMarket) {
	switch pick(t, "fault", "slug", "question", "description", "category", "outcomes", "liquidity", "closes_at") {
	case "slug":
		m.Slug = pick(t, "bad slug", "house", "", "-x", "Rain", "a b", strings.Repeat("a", 65))
	case "question":
		m.Question = pick(t, "bad question", "", "  ", strings.Repeat("?", 501))
	case "description":
		m.Description = strings.Repeat("x", 20001)
	case "category":
		m.Category = strings.Repeat("x", 61)
	case "outcomes":
		m.Outcomes = pick(t, "bad outcomes",
			[]string{"yes"}, []string{}, []string{"yes", "YES"}, []string{"*", "no"}, []string{"yes ", "no"},
			[]string{"yes", ""}, []string{"a\tb", "no"}, []string{strings.Repeat("x", 61), "no"}, strings.Split(strings.Repeat("x,", 50)+"x", ","))
	case "liquidity":
		m.Liquidity = pick[db.Decimal](t, "bad liquidity", "0", "-1", "0.009999", "10000000.000001", "1.0000001", "NaN", "Infinity")
	case "closes_at":
		m.ClosesAt = new(time.Now().Add(-time.Second))
	}
}

func (p *program) createMarketOf(t *rapid.T, who *caller, market db.NewMarket, bad bool) {
	t.Helper()
	got, err := who.CreateMarket(p.ctx, market)
	if market.ClosesAt != nil && !bad && codeOf(err) == db.InvalidRequest && !market.ClosesAt.After(time.Now()) {
		t.Skip("it was not soon enough")
	}
	code := p.book.createMarket(*who, market, bad)
	p.answered(t, err, code, "create_market(%s) as %s", text{market}, who.login)
	if err == nil {
		p.moved(t, market.Slug, got)
	}
}

// moved compares a market as a function has returned it.
func (p *program) moved(t *rapid.T, slug string, got db.Market) {
	t.Helper()
	m := p.book.market(slug)
	if is, want := lineOf(got), m.line(); is != want {
		fail(t, "market %s was returned as\n\t%s, want\n\t%s", slug, is, want)
	}
}
