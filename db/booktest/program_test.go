package booktest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// programsPerDatabase bounds what verify has to prove at the end of each program: everything.
const programsPerDatabase = 20

func TestRandomProgramsDoWhatTheModelSays(t *testing.T) {
	r := runner{test: t, logins: makeLogins(t), seen: map[string]int{}}
	defer r.discard()
	for start := time.Now(); ; {
		rapid.Check(t, r.program)
		if time.Since(start) >= *runFor {
			break
		}
	}
	t.Logf("%d programs, %d steps\n%s", r.programs, r.steps, r.tally())
}

// runner runs programs one after the other, each with accounts and markets of its own.
type runner struct {
	test   testing.TB
	logins logins

	scope  *scope
	doors  *doors
	used   int
	broken bool // verify has found something

	programs, steps int
	seen            map[string]int
}

// tally lists what has come of the steps, by the function that was called.
func (r *runner) tally() string {
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(r.seen)) {
		lines = append(lines, fmt.Sprintf("%7d %s", r.seen[what], what))
	}
	return strings.Join(lines, "\n")
}

func (r *runner) discard() {
	if r.scope != nil {
		r.scope.end()
	}
	r.scope, r.doors, r.used, r.broken = nil, nil, 0, false
}

// program is one random program. One that breaks the book leaves its database to nobody: what is
// broken there stays so.
func (r *runner) program(t *rapid.T) {
	if r.used >= programsPerDatabase {
		r.discard()
	}
	if r.doors == nil {
		r.scope = &scope{TB: r.test}
		r.doors = r.logins.open(r.scope)
	}
	defer func() {
		if r.broken {
			r.discard()
		}
	}()
	r.programs++
	r.used++
	p := &program{runner: r, doors: r.doors, book: newBook(), ctx: r.test.Context(), prefix: fmt.Sprintf("p%d", r.programs)}
	p.start(t)
	t.Repeat(p.actions())
	p.finish(t)
}

// program is one run: what it has done to the database, and to the book.
type program struct {
	*runner
	doors   *doors
	book    *book
	ctx     context.Context
	prefix  string // of its handles and slugs
	counter int
}

func (p *program) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"":                       p.check,
		"create account":         p.createAccount,
		"create market":          p.createMarket,
		"create another market":  p.createMarket,
		"grant credits":          p.grantCredits,
		"map login":              p.mapLogin,
		"sign in and out":        p.session,
		"ring the doorbell":      p.doorbell,
		"move a market":          p.move,
		"end a market":           p.end,
		"move a market onwards":  p.onwards,
		"move another onwards":   p.onwards,
		"spend and correct":      p.spendAndCorrect,
		"dispute a market":       p.disputeAny,
		"order anything":         p.orderAnything,
		"order nonsense":         p.orderNonsense,
		"buy":                    p.buy,
		"buy more":               p.buy,
		"buy with all there is":  p.buyWithEverything,
		"buy to mirror the book": p.buyToMirror,
		"sell":                   p.sell,
		"sell everything":        p.sellEverything,
		"trade complete sets":    p.tradeSets,
		"trade a batch":          p.tradeBatch,
		"trade on many markets":  p.tradeFree,
		"repeat a key":           p.repeatKey,
		"go round":               p.goRound,
		"go round by sets":       p.goRoundBySets,
		"ask for a quote":        p.askForQuote,
		"talk":                   p.talk,
	}
}

// start takes over the totals of the database, and makes accounts and a market to begin with.
func (p *program) start(t *rapid.T) {
	var house string
	err := p.doors.operator.Pool().QueryRow(p.ctx, `
		select (select balance::text from pgtape_core.account where kind = 'house'),
		       (select version from pgtape_core.house_tape),
		       (select count(*) from pgtape_core.trade),
		       (select count(*) from pgtape_core.ledger_entry),
		       (select coalesce(max(id), 0) from pgtape_core.trade)`).
		Scan(&house, &p.book.houseVersion, &p.book.trades, &p.book.entries, &p.book.lastTrade)
	if err != nil {
		fail(t, "error: %v", err)
	}
	p.book.house, _ = parse(db.Decimal(house))

	for range rapid.IntRange(1, 3).Draw(t, "accounts") {
		p.createAccountOf(t, p.doors.operator, p.name("a"), drawBalance(t))
	}
	p.mapLoginTo(t, p.doors.operator, p.logins.trader, p.book.accounts[0].handle)
	for range rapid.IntRange(1, 2).Draw(t, "markets") {
		p.createMarketOf(t, p.doors.operator, db.NewMarket{Slug: p.name("m"), Question: "?", Liquidity: drawLiquidity(t)}, false)
	}
}

// name is one that nothing has had yet.
func (p *program) name(kind string) string {
	p.counter++
	return fmt.Sprintf("%s-%s%d", p.prefix, kind, p.counter)
}

// answered compares what a call has come to with what it must come to.
func (p *program) answered(t *rapid.T, err error, want db.Code, what string, args ...any) {
	t.Helper()
	p.steps++
	t.Logf(what+": %q", append(args, codeOf(err))...)
	if got := codeOf(err); got != want {
		t.Logf("%v", err)
		t.Fatalf(what+": code %q, want %q", append(slices.Repeat([]any{"…"}, len(args)), got, want)...)
	}
	function, _, _ := strings.Cut(what, "(")
	p.seen[strings.TrimSpace(function+" "+string(want))]++
}

// fail ends a program. Details are logged: rapid takes two failures for the same, and makes a program
// smaller, only if they are told in the same words, and names differ from run to run.
func fail(t *rapid.T, what string, details ...any) {
	t.Helper()
	t.Logf(what, details...)
	t.Fatal(what)
}

// check compares the database with the book, and holds the maker to what it may lose.
func (p *program) check(t *rapid.T) {
	got, err := pairs(p.ctx, p.doors.operator.DB, stateOf, p.book.handles(), p.book.slugs())
	if err != nil {
		fail(t, "error: %v", err)
	}
	if d := differences(got, p.book.state()); d != "" {
		fail(t, "the database is not as the model says:\n%s", d)
	}
	for _, m := range p.book.markets {
		if m.payout != nil {
			continue
		}
		// Traders have paid at least what C has moved by, so that no outcome can cost more than b ln n.
		if cost := p.book.rule.at(m.q, m.b).cost; m.escrow.less(cost) {
			fail(t, "market %s: the escrow holds %s, less than C = %s", m.slug, m.escrow.text(6), cost.d)
		}
	}
}
