package booktest

import (
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// comparePositions compares what an account is shown of what it holds: what it has cost, what it
// would bring now or has brought.
func (p *program) comparePositions(t *rapid.T, a *account) {
	t.Helper()
	got, err := p.doors.server.Positions(p.ctx, a.handle)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range p.book.markets {
		parts := m.parts(a, p.book.value(m, a))
		for i, shares := range m.held(a) {
			at := slices.IndexFunc(got, func(g db.Position) bool { return g.Market == m.slug && g.Outcome == m.outcomes[i] })
			if (at >= 0) != (shares.sign() > 0) {
				fail(t, "%s holds %s of %s in %s, shown is %+v", a.handle, shares.text(6), m.outcomes[i], m.slug, got)
			}
			if at < 0 {
				continue
			}
			shown := strings.Join([]string{got[at].Status, string(got[at].Shares), string(got[at].Price), string(got[at].Value)}, " ")
			if want := strings.Join([]string{m.status, shares.text(6), m.prices[i].text(12), parts[i].text(6)}, " "); shown != want {
				fail(t, "position of %s in %s: %s, want %s", a.handle, m.slug, shown, want)
			}
			// A set's cost is shared out equally, which may not come out even.
			cost, ok := parse(got[at].Cost)
			if want := m.cost(a, i); !ok || cost.minus(want).abs().more(micro) {
				fail(t, "position of %s in %s: cost %s, want %s", a.handle, m.slug, got[at].Cost, want.d)
			}
			got = slices.Delete(got, at, at+1)
		}
	}
	if len(got) > 0 {
		fail(t, "%s is shown %+v too", a.handle, got)
	}
}

// cost is what an account has paid for an outcome less what sales have brought.
func (m *market) cost(a *account, outcome int) number {
	sum := zero
	for _, r := range m.trades {
		amount, _ := parse(r.Amount)
		switch {
		case r.Account != a.handle || r.Outcome != "*" && r.Outcome != m.outcomes[outcome]:
			continue
		case r.Outcome == "*":
			amount = amount.over(whole(int64(len(m.outcomes))))
		}
		if r.Side == "sell" {
			amount = amount.negative()
		}
		sum = sum.plus(amount)
	}
	return sum
}

// compareOwn compares what a trader sees of himself with his SQL login.
func (p *program) compareOwn(t *rapid.T) {
	t.Helper()
	got, err := pairs(p.ctx, p.doors.trader.DB, `
		select 'account', concat_ws(' ', handle, balance) from pgtape.my_account
		union all
		select 'ledger', coalesce(sum(amount), 0)::numeric(30, 6)::text from pgtape.my_ledger
		union all
		select 'positions', count(*)::text from pgtape.my_positions`)
	if err != nil {
		t.Fatal(err)
	}
	a, known := p.doors.trader.account, 0
	for _, m := range p.book.markets {
		for _, held := range m.known[a] {
			if held {
				known++
			}
		}
	}
	want := map[string]string{
		"account": a.handle + " " + a.balance.text(6), "ledger": a.balance.text(6), "positions": whole(int64(known)).text(0),
	}
	if d := differences(got, want); d != "" {
		fail(t, "what a trader sees of himself is not as the model says:\n%s", d)
	}
}
