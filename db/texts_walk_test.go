package db_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/dbtest/texts"
)

// weighed is what the functions of sql/functions/00016_texts.sql say of a text.
type weighed struct {
	Given          string
	Kept, Again    *string // nil: refused
	State, Message *string
	Key, KeyOfKey  string
}

// weigh asks of many texts at once.
func weigh(t *testing.T, conn *pgx.Conn, given []string, longest int, lines bool) []weighed {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		select g.value, k.kept[1], case when k.kept[1] is not null then (pg_temp.kept(k.kept[1], $2, $3))[1] end, k.kept[2], k.kept[3],
		       coalesce(pgtape_core.look_alike_key(k.kept[1]), ''), coalesce(pgtape_core.look_alike_key(pgtape_core.look_alike_key(k.kept[1])), '')
		from unnest($1::text[]) with ordinality as g (value, i)
		cross join lateral (select pg_temp.kept(g.value, $2, $3)) as k (kept)
		order by g.i`, given, longest, lines)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[weighed])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// walking is a connection that keeps a text or tells why not.
func walking(t *testing.T, d *dbtest.DB) *pgx.Conn {
	t.Helper()
	pooled, err := d.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn := pooled.Hijack()
	t.Cleanup(func() { conn.Close(t.Context()) })
	_, err = conn.Exec(t.Context(), `
		create function pg_temp.kept(value text, longest integer, lines boolean) returns text[] language plpgsql as $$
		begin
			return array[pgtape_core.require_text('it', value, 1, longest, lines), null, null];
		exception when others then
			return array[null, sqlstate, sqlerrm];
		end; $$`)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// storable tells what can come to Postgres at all; what cannot is tried in TestRandomNamesInEveryField.
func storable(text string) bool { return !strings.Contains(text, "\x00") }

// A text that is taken is kept in its normal form, is taken again as it is kept, and has one key with
// all that looks like it.
func TestRandomTextsAreKeptInOneForm(t *testing.T) {
	t.Parallel()
	w, conn := texts.New(t, 3), walking(t, dbtest.New(t))
	const each = 60 // texts of a round
	taken, refused := 0, 0
	for range w.Rounds() {
		longest, lines := []int{1, 60, 60, 60, 500}[w.IntN(5)], w.IntN(3) == 0
		var given []string
		for len(given) < each {
			text := w.Line(longest)
			if lines {
				text = w.Lines(longest)
			}
			if storable(text) {
				given = append(given, text)
			}
		}
		var alike []string
		var of []weighed
		for _, k := range weigh(t, conn, given, longest, lines) {
			if k.Kept == nil {
				refused++
				if *k.State != "TP011" || texts.Harms(*k.Message) {
					t.Errorf("%+q is refused by %s %q", k.Given, *k.State, *k.Message)
				}
				continue
			}
			taken++
			if want := texts.Kept(k.Given, lines); *k.Kept != want {
				t.Errorf("%+q is kept as %+q, want %+q", k.Given, *k.Kept, want)
			}
			if k.Again == nil || *k.Again != *k.Kept || len([]rune(*k.Kept)) > longest {
				t.Errorf("%+q is kept as %+q, of %d characters, which is not taken so (at most %d)", k.Given, *k.Kept, len([]rune(*k.Kept)), longest)
			}
			if k.Key == "" || k.KeyOfKey != k.Key {
				t.Errorf("%+q has the key %+q, which has %+q", *k.Kept, k.Key, k.KeyOfKey)
			}
			for _, other := range texts.Alike(w, *k.Kept) {
				if storable(other) && !lines {
					alike, of = append(alike, other), append(of, k)
				}
			}
		}
		for i, other := range weigh(t, conn, alike, 20*longest, false) { // other forms are longer
			if other.Kept != nil && other.Key != of[i].Key {
				t.Errorf("%+q has the key %+q, %+q, which looks like it, %+q", *of[i].Kept, of[i].Key, other.Given, other.Key)
			}
		}
	}
	t.Logf("%d texts taken, %d refused", taken, refused)
	if !texts.Long() && taken < each/2 {
		t.Errorf("%d texts of %d were taken: the walk shows little", taken, taken+refused)
	}
}

// field is where a person gives a text: give gives it, and returns what came back.
type field struct {
	name  string
	most  int
	lines bool
	draw  func() string // nil: a text like any other
	give  func(text string) (kept string, err error)
}

// Through every field, by SQL: what is taken comes back as it is kept wherever it is read, what is refused
// has a code, and leaves nothing.
func TestRandomNamesInEveryField(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	w := texts.New(t, 2)
	d.Exec(t, "select pgtape.set_setting('markets_per_day', '999999'), pgtape.set_setting('comments_per_minute', '999999')")
	n := &namesBook{T: t, DB: d, w: w, ana: d.Account(t, "1000"), market: d.Market(t)}
	fields := n.fields()
	took := map[string]int{}
	for range w.Rounds() {
		for _, f := range fields {
			text := w.Line(f.most)
			switch {
			case f.draw != nil:
				text = f.draw()
			case f.lines:
				text = w.Lines(f.most)
			}
			before := n.written()
			kept, err := f.give(text)
			switch code := db.CodeOf(err); {
			case err == nil:
				took[f.name]++
				if want := texts.Kept(text, f.lines); kept != want {
					t.Errorf("%s %+q comes back as %+q, want %+q", f.name, text, kept, want)
				}
			case code != db.InvalidRequest && code != db.AlreadyExists && code != db.InvalidOrder, texts.Harms(err.Error()):
				t.Errorf("%s %+q: %s %v", f.name, text, code, err)
			case n.written() != before:
				t.Errorf("%s %+q is refused, and something is written", f.name, text)
			}
		}
	}
	t.Logf("taken: %v", took)
	n.search()
	n.printed()
	n.Verify(t)
	n.replays()
	n.comesBack()
}

// namesBook is a database that gets names of all kinds.
type namesBook struct {
	*testing.T
	*dbtest.DB
	w           *texts.Walk
	ana, market string
	slugs       []string
}

// written counts the rows that a field may write.
func (n *namesBook) written() (rows string) {
	n.Helper()
	err := n.Pool().QueryRow(n.Context(), `
		select row((select count(*) from pgtape_core.account), (select count(*) from pgtape_core.market), (select count(*) from pgtape_core.tape),
			(select count(*) from pgtape_core.comment), (select count(*) from pgtape_core.api_key), (select count(*) from pgtape_core.category),
			(select count(*) from pgtape_core.trade), (select count(*) from pgtape_core.ledger_entry), (select count(*) from pgtape_core.audit_entry),
			(select count(*) from pgtape_core.notification))::text`).Scan(&rows)
	if err != nil {
		n.Fatal(err)
	}
	return rows
}

// make makes a market in which only one text is not plain.
func (n *namesBook) make(change func(*db.NewMarket)) (db.Market, error) {
	m := db.NewMarket{Slug: n.w.Slug(), Question: n.w.Fresh(100), Outcomes: []string{n.w.Fresh(30), n.w.Fresh(30)}, Liquidity: "1"}
	change(&m)
	market, err := n.CreateMarket(n.Context(), m)
	if err == nil {
		n.slugs = append(n.slugs, market.Slug)
		if again, err := n.DB.DB.Market(n.Context(), market.Slug); err != nil || again.Question != market.Question || !slices.Equal(again.Outcomes, market.Outcomes) || again.Category != market.Category || again.Description != market.Description {
			n.Errorf("%+v is read as %+v, %v", market, again, err)
		}
	}
	return market, err
}

func (n *namesBook) fields() []field {
	return []field{
		{"question", 500, false, nil, func(text string) (string, error) {
			m, err := n.make(func(m *db.NewMarket) { m.Question = text })
			return m.Question, err
		}},
		{"description", 20000, true, nil, func(text string) (string, error) {
			m, err := n.make(func(m *db.NewMarket) { m.Description = text + " end" })
			return strings.TrimRight(strings.TrimSuffix(m.Description, "end"), " \n\t"), err
		}},
		{"outcome", 60, false, nil, n.outcome},
		{"category", 60, false, nil, n.category},
		{"key", 60, false, nil, n.key},
		{"comment", 2000, true, nil, func(text string) (string, error) {
			c, err := n.Comment(n.Context(), db.NewComment{Market: n.market, Body: text, Account: n.ana})
			return c.Body, err
		}},
		{"reason", 2000, true, nil, n.reason},
		{"handle", 32, false, nil, n.handle},
		{"good handle", 32, false, n.w.Handle, n.handle},
		{"good slug", 64, false, n.w.Slug, n.slug},
		{"slug", 64, false, nil, n.slug},
		{"idempotency key", 255, false, nil, n.idempotencyKey},
	}
}

// outcome gives one that looks like another of the market, too.
func (n *namesBook) outcome(text string) (string, error) {
	alike := texts.Alike(n.w, text)
	if other := alike[n.w.IntN(len(alike))]; strings.TrimSpace(other) != "" {
		if m, err := n.make(func(m *db.NewMarket) { m.Outcomes = []string{"other", text, other} }); err == nil {
			n.Errorf("a market of %+q beside %+q", m.Outcomes[1], m.Outcomes[2])
		}
	}
	m, err := n.make(func(m *db.NewMarket) { m.Outcomes = []string{n.w.Fresh(30), text} })
	if err != nil {
		return "", err
	}
	// As it is kept, and as it was typed, it is the same outcome.
	for _, name := range []string{m.Outcomes[1], text} {
		order := db.Order{Market: m.Slug, Outcome: name, Side: "buy", Shares: "1", MaxCost: "2", Account: n.ana}
		if receipt, err := n.Trade(n.Context(), order); err != nil || receipt.Outcome != m.Outcomes[1] {
			n.Errorf("an order for %+q, kept as %+q: %+q, %v", name, m.Outcomes[1], receipt.Outcome, err)
		}
	}
	return m.Outcomes[1], nil
}

// category gives one, and asks for its markets; what looks like one that is there has its spelling.
func (n *namesBook) category(text string) (string, error) {
	m, err := n.make(func(m *db.NewMarket) { m.Category = text })
	if err != nil || m.Category == "" {
		return m.Category, err
	}
	for _, name := range []string{m.Category, text} {
		found, _, err := n.Markets(n.Context(), db.MarketFilter{Category: name, Limit: 200, Sort: "new"})
		if err != nil || !slices.ContainsFunc(found, func(f db.Market) bool { return f.Slug == m.Slug }) {
			n.Errorf("the category %+q (%+q) has %d markets, not its own, %v", name, m.Category, len(found), err)
		}
	}
	if kept := texts.Kept(text, false); m.Category != kept {
		var same bool
		err := n.Pool().QueryRow(n.Context(), "select pgtape_core.look_alike_key($1) = pgtape_core.look_alike_key($2)", m.Category, kept).Scan(&same)
		if err != nil || !same {
			n.Errorf("the category %+q becomes %+q, %v", text, m.Category, err)
		}
		return kept, nil
	}
	return m.Category, nil
}

func (n *namesBook) key(text string) (string, error) {
	_, id, err := n.CreateKey(n.Context(), n.ana, text, []string{"read"}, 0)
	if err != nil {
		return "", err
	}
	keys, err := n.Keys(n.Context(), n.ana)
	if err != nil || len(keys) != 1 {
		return "", fmt.Errorf("%d keys, %w", len(keys), err)
	}
	_, err = n.RevokeKey(n.Context(), n.ana, id) // an account has 50 at most
	return keys[0].Name, err
}

// reason gives one to a grant and, if it is taken, to a halt: the tape and the audit log have it.
func (n *namesBook) reason(text string) (string, error) {
	if _, err := n.GrantCredits(n.Context(), n.ana, "1", text); err != nil {
		return "", err
	}
	market := n.DB.Market(n)
	if _, err := n.HaltMarket(n.Context(), market, text); err != nil {
		n.Errorf("a grant takes the reason %+q, a halt does not: %v", text, err)
	}
	events, err := n.Timeline(n.Context(), market)
	if err != nil {
		return "", err
	}
	var halted struct{ Halted struct{ Reason string } }
	if err := json.Unmarshal([]byte(events[len(events)-1].Body), &halted); err != nil {
		n.Errorf("%s: %v", events[len(events)-1].Body, err)
	}
	var audited string
	err = n.Pool().QueryRow(n.Context(), "select detail ->> 'reason' from pgtape.audit order by id desc limit 1").Scan(&audited)
	if audited != halted.Halted.Reason {
		n.Errorf("the reason %+q is %+q on the tape, and %+q in the audit log", text, halted.Halted.Reason, audited)
	}
	return audited, err
}

func (n *namesBook) handle(text string) (string, error) {
	account, err := n.CreateAccount(n.Context(), text, "")
	if err != nil {
		return "", err
	}
	for _, name := range []string{account.Handle, text, strings.ToUpper(account.Handle) + "\u00a0", strings.ToLower(account.Handle)} {
		if found, err := n.DB.DB.Account(n.Context(), name); err != nil || found.ID != account.ID {
			n.Errorf("%+q is not found as %+q: %+v, %v", account.Handle, name, found, err)
		}
		if _, err := n.CreateAccount(n.Context(), name, ""); db.CodeOf(err) != db.AlreadyExists {
			n.Errorf("%+q beside %+q: %v", name, account.Handle, err)
		}
	}
	return texts.Kept(text, false), nil
}

func (n *namesBook) slug(text string) (string, error) {
	m, err := n.make(func(m *db.NewMarket) { m.Slug = text })
	if err == nil && m.Slug != strings.ToLower(texts.Kept(text, false)) {
		n.Errorf("the slug %+q is %+q", text, m.Slug)
	}
	return texts.Kept(text, false), err
}

// idempotencyKey gives one to two orders, which are one: a key is compared as it is, whatever it looks like.
func (n *namesBook) idempotencyKey(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	order := db.Order{Market: n.market, Outcome: "yes", Side: "buy", Shares: "0.01", MaxCost: "1", Account: n.ana, IdempotencyKey: text}
	first, err := n.Trade(n.Context(), order)
	if err != nil {
		return "", err
	}
	if again, err := n.Trade(n.Context(), order); err != nil || !again.Replayed || again.TradeID != first.TradeID {
		n.Errorf("the key %+q again: %+v, %v", text, again, err)
	}
	return texts.Kept(text, false), nil
}
