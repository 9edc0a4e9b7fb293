package db_test

import (
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// Who may make markets is the database's to say, whichever way somebody comes.
func TestMakingMarketsIsLimited(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, op := d.Account(t, "1000"), d.Account(t, "1000")
	if _, err := d.SetRole(t.Context(), op, db.Operator, ""); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "select pgtape.set_setting('markets_per_day', '3'), pgtape.set_setting('market_min_liquidity', '2.5')")
	conn, name := login(t, d, "pgtape_trader")
	if err := d.MapLogin(t.Context(), name, ana); err != nil {
		t.Fatal(err)
	}
	made := 0
	try := func(what, account string, liquidity db.Decimal, status string, want db.Code) {
		t.Helper()
		made++
		m, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprintf("m%d", made), Question: "Will it?", Liquidity: liquidity, Account: account})
		if db.CodeOf(err) != want || err == nil && m.Status != status {
			t.Errorf("%s: %s, %v, want %s%s", what, m.Status, err, status, want)
		}
	}
	try("too little liquidity", ana, "2.4", "", db.InvalidRequest)
	try("an operator's", op, "0.01", "open", "")
	try("the house's", "house", "0.01", "open", "")
	try("enough", ana, "2.5", "open", "")
	try("another", ana, "3", "open", "")
	if _, err := conn.Exec(t.Context(), "select pgtape.create_market('by_login', 'Will it?', liquidity => 3)"); err != nil {
		t.Error(err)
	}
	try("the fourth of a day", ana, "3", "", db.TooManyRequests)
	if _, err := conn.Exec(t.Context(), "select pgtape.create_market('by_login_too', 'Will it?', liquidity => 3)"); sqlState(err) != "TP012" {
		t.Errorf("the fourth of a day, in SQL: %v, want TP012", err)
	}
	if texts := countCalls(t, d, "require_text", `do $do$
		begin
			perform pgtape.create_market('long', repeat('я', 500), description => repeat('я', 20000), account => '`+ana+`');
		exception when sqlstate 'TP012' then null;
		end; $do$`); texts != 0 {
		t.Errorf("%d texts of who may make no more today are worked on", texts)
	}
	d.Exec(t, "update pgtape_core.market set created_at = created_at - interval '1 day'")
	d.Exec(t, "select pgtape.set_setting('market_creation', 'approved')")
	try("to be approved", ana, "3", "draft", "")
	try("an operator's needs no approval", op, "3", "open", "")
	d.Exec(t, "select pgtape.set_setting('market_creation', 'operators')")
	try("a trader's where operators make them", ana, "3", "", db.NotPermitted)
	try("an operator's", op, "3", "open", "")

	for _, wrong := range []string{"'market_creation', 'nobody'", "'market_creation', null", "'markets_per_day', '-1'", "'market_min_liquidity', '1e9'", "'opening_balance', '1'", "null, '1'"} {
		if _, err := d.Pool().Exec(t.Context(), "select pgtape.set_setting("+wrong+")"); sqlState(err) != "TP011" {
			t.Errorf("set_setting(%s): %v, want TP011", wrong, err)
		}
	}
	if _, err := d.AsServer(t).Pool().Exec(t.Context(), "select pgtape.set_setting('markets_per_day', '1000')"); sqlState(err) != "42501" {
		t.Errorf("the server changes a rule: %v", err)
	}
	d.Verify(t)
}

// Nobody says, or proposes, more than others can bear, whichever way it comes.
func TestTalkAndProposalsHaveARate(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana := d.Account(t, "1000")
	rain, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: ana})
	if err != nil {
		t.Fatal(err)
	}
	conn, name := login(t, d, "pgtape_trader")
	if err := d.MapLogin(t.Context(), name, ana); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "select pgtape.set_setting('comments_per_minute', '3')")
	for i := range 4 {
		_, err := conn.Exec(t.Context(), "select pgtape.comment($1, 'hello')", rain.Slug)
		if (err == nil) != (i < 3) || err != nil && sqlState(err) != "TP012" {
			t.Errorf("comment %d: %v", i+1, err)
		}
	}
	if texts := countCalls(t, d, "require_text", `do $do$
		begin
			perform pgtape.comment('rain', repeat('я', 2000), account => '`+ana+`');
		exception when sqlstate 'TP012' then null;
		end; $do$`); texts != 0 {
		t.Errorf("%d texts of one comment too many are worked on", texts)
	}
	if _, err := d.Pool().Exec(t.Context(), "select pgtape.close_market('rain', 'over')"); err != nil {
		t.Fatal(err)
	}
	for i := range 11 {
		_, err := conn.Exec(t.Context(), "select pgtape.propose_resolution('rain', '{1,0}', 'why')")
		if (err == nil) != (i < 10) || err != nil && sqlState(err) != "TP012" {
			t.Errorf("proposal %d: %v", i+1, err)
		}
	}
	d.Exec(t, "select pgtape.propose_resolution('rain', '{0,1}', 'an operator may')")
	d.Verify(t)
}

// A market is one, however its name is typed: what is counted, and what comes back, go by its slug.
func TestAMarketTypedOtherwiseIsTheSame(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana := d.Account(t, "1000")
	if _, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: ana}); err != nil {
		t.Fatal(err)
	}
	server := d.AsServer(t)
	for i, typed := range []string{"RAIN", " rain", "Rain\u00a0"} {
		c, err := server.Comment(t.Context(), db.NewComment{Market: typed, Body: "hello", Account: ana, IdempotencyKey: typed})
		if err != nil || c.Market != "rain" {
			t.Errorf("a comment on %q: %+v, %v", typed, c, err)
		}
		if again, err := server.Comment(t.Context(), db.NewComment{Market: typed, Body: "hello", Account: ana, IdempotencyKey: typed}); err != nil || again != c {
			t.Errorf("again: %+v, %v, want %+v", again, err, c)
		}
		if moves, err := server.Moves(t.Context(), typed, ana); err != nil || moves.Version != int64(i)+2 {
			t.Errorf("moves in %q: %+v, %v", typed, moves, err)
		}
	}
	d.Exec(t, "select pgtape.close_market('RAIN', 'over')")
	for i := range 12 {
		typed := []string{"RAIN", " rAin ", "rain"}[i%3]
		_, err := server.MoveMarket(t.Context(), db.Move{Market: typed, Name: "propose", Payout: []db.Decimal{"1", "0"}, Reason: "why", Account: ana})
		if want := map[bool]db.Code{true: db.TooManyRequests}[i >= 10]; db.CodeOf(err) != want {
			t.Errorf("proposal %d, for %q: %v, want %q", i+1, typed, err, want)
		}
	}
	for _, typed := range []string{"RAIN", "rain "} {
		_, err := server.MoveMarket(t.Context(), db.Move{Market: typed, Name: "dispute", Reason: "why", Account: d.Account(t, "1")})
		if db.CodeOf(err) != db.TooManyRequests {
			t.Errorf("a dispute of %q: %v", typed, err)
		}
	}
	d.Verify(t)
}
