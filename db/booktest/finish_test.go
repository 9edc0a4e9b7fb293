package booktest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// finish proves the whole database, and compares what only the end of a program needs to show:
// views, ledger, tapes, histories.
func (p *program) finish(t *rapid.T) {
	p.check(t)
	violations, err := p.doors.server.Verify(p.ctx)
	if err != nil {
		fail(t, "error: %v", err)
	}
	for _, v := range violations {
		p.broken = true
		t.Logf("broken: %s: %s: %s", v.Invariant, v.Subject, v.Problem)
	}
	if p.broken {
		t.Fatal("verify has found something")
	}
	p.audit(t)
	p.compare(t, "the ledger", ledgerOf, p.book.ledger())
	p.compare(t, "the leaderboard", leaderboardOf, p.book.leaderboard())
	p.compareOwn(t)
	for _, a := range p.book.accounts {
		p.comparePositions(t, a)
	}
	for _, m := range p.book.markets {
		got, err := p.doors.server.Market(p.ctx, m.slug)
		if err != nil {
			fail(t, "error: %v", err)
		}
		p.moved(t, m.slug, got)
		p.compareTape(t, m.slug, m.events)
		p.compareHistory(t, m)
		p.compareTrades(t, m)
	}
	p.compareTape(t, "house", p.book.houseEvents)
}

// compare runs a query about the accounts and markets of the program.
func (p *program) compare(t *rapid.T, what, query string, want map[string]string) {
	t.Helper()
	got, err := pairs(p.ctx, p.doors.server.DB, query, p.book.handles(), p.book.slugs())
	if err != nil {
		fail(t, "error: %v", err)
	}
	if d := differences(got, want); d != "" {
		fail(t, "%s is not as the model says:\n%s", what, d)
	}
}

const ledgerOf = `
	select concat_ws(' ', account, kind, market), sum(amount)::text
	from pgtape.ledger
	where lower(account) = any ($1) and account <> 'house' and (market is null or market = any ($2))
	group by account, kind, market`

func (b *book) ledger() map[string]string {
	lines := map[string]string{}
	for _, a := range b.accounts {
		for key, amount := range a.ledger {
			lines[a.handle+" "+key] = amount.text(6)
		}
	}
	for _, m := range b.markets {
		for key, amount := range m.ledger {
			lines["market:"+m.slug+" "+key] = amount.text(6)
		}
	}
	return lines
}

const leaderboardOf = `
	select account, concat_ws(' ', balance, positions_value, profit)
	from pgtape.leaderboard
	where lower(account) = any ($1) and cardinality($2::text[]) >= 0`

func (b *book) leaderboard() map[string]string {
	lines := map[string]string{}
	for _, a := range b.accounts {
		value := zero
		for _, m := range b.markets {
			if m.payout == nil {
				value = value.plus(b.value(m, a))
			}
		}
		profit := a.balance.plus(value).minus(a.granted)
		lines[a.handle] = strings.Join([]string{a.balance.text(6), value.text(6), profit.text(6)}, " ")
	}
	return lines
}

// compareTape compares the newest events of a tape with those that the program has made.
func (p *program) compareTape(t *rapid.T, tape string, want []event) {
	t.Helper()
	events, err := p.doors.trader.TapeLatest(p.ctx, tape, len(want))
	if err != nil || len(events) != len(want) {
		fail(t, "tape of %s: %d events (%v), want %d", tape, len(events), err, len(want))
	}
	for i, e := range events {
		var body object
		if err := json.Unmarshal([]byte(e.Body), &body); err != nil {
			fail(t, "error: %v", err)
		}
		if e.Kind != want[i].kind || !reflect.DeepEqual(body, want[i].body) {
			fail(t, "tape of %s, seq %d: %s %v, want %s %v", tape, e.Seq, e.Kind, body, want[i].kind, want[i].body)
		}
	}
}

// compareHistory compares each point of a chart with what the prices were.
func (p *program) compareHistory(t *rapid.T, m *market) {
	t.Helper()
	points, err := p.doors.trader.History(p.ctx, m.slug, nil, nil, 5000)
	if err != nil {
		fail(t, "error: %v", err)
	}
	seq := int64(0)
	for _, point := range points {
		if point.Seq <= seq || point.Seq > m.version() {
			fail(t, "history of %s: seq %d after %d of %d", m.slug, point.Seq, seq, m.version())
		}
		seq = point.Seq
		for i, price := range m.pricesAtEvent[seq-1] {
			if got, _ := parse(point.Prices[i]); !got.equals(price) {
				fail(t, "history of %s, seq %d: %v, want %s", m.slug, seq, point.Prices, literal(m.pricesAtEvent[seq-1], 12))
			}
		}
	}
	if seq != m.version() {
		fail(t, "history of %s ends at seq %d, want %d", m.slug, seq, m.version())
	}
}

// compareTrades compares the trades that everybody sees with the receipts.
func (p *program) compareTrades(t *rapid.T, m *market) {
	t.Helper()
	line := func(r db.Receipt) string {
		return strings.Join([]string{
			fmt.Sprint(r.Version), r.Account, r.Outcome, r.Side, string(r.Shares), string(r.Amount),
			string(r.AvgPrice), string(r.PriceBefore), string(r.PriceAfter),
		}, " ")
	}
	want := map[string]string{}
	for _, r := range m.trades {
		want[fmt.Sprint(r.TradeID)] = line(r)
	}
	got, err := pairs(p.ctx, p.doors.trader.DB, `
		select trade_id::text, concat_ws(' ', version, account, outcome, side, shares, amount, avg_price, price_before, price_after)
		from pgtape.trades where market = $1`, m.slug)
	if err != nil {
		fail(t, "error: %v", err)
	}
	if d := differences(got, want); d != "" {
		fail(t, "the trades of %s are not as the model says:\n%s", m.slug, d)
	}
}
