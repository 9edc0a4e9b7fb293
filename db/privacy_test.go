package db_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// person makes an account of a name.
func person(t *testing.T, d *dbtest.DB, handle string) {
	t.Helper()
	if _, err := d.CreateAccount(t.Context(), handle, "1000"); err != nil {
		t.Fatal(err)
	}
}

// leave deletes an account and returns what it is called now.
func leave(t *testing.T, d *dbtest.DB, handle string) string {
	t.Helper()
	gone, err := d.DeleteAccount(t.Context(), handle, handle)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(gone, "gone-") || len(gone) != len("gone-")+8 {
		t.Fatalf("called %q, want gone- and 8 digits", gone)
	}
	return gone
}

// bodies are all events of a database, in order.
func bodies(t *testing.T, d *dbtest.DB) (list []string) {
	t.Helper()
	rows, err := d.Pool().Query(t.Context(), "select market || ' ' || seq || ' ' || at || ' ' || kind || ' ' || body from pgtape_core.tape order by market, seq")
	if err != nil {
		t.Fatal(err)
	}
	list, err = pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestADeletedAccountIsNamedNowhereAndTheBookStaysSound(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	const handle = "a.na-_1"
	for _, name := range []string{handle, "bo", "boss", "aXna-_1"} {
		person(t, d, name)
	}
	d.Exec(t, "select pgtape.set_role($1, 'operator')", handle)
	d.Exec(t, "select pgtape.set_role('boss', 'admin')")
	d.Exec(t, `select pgtape.create_market('rain', 'Is "a.na-_1" right, "account":"a.na-_1"?', liquidity => 10, account => $1)`, handle)
	d.Exec(t, `select pgtape.create_market('wrong', 'Will it?', '{a.na-_1,account,actor,short}')`)
	d.Exec(t, `select pgtape.create_market($1, 'A market of its name')`, "other")
	for _, m := range []string{"rain", "other"} {
		trade(t, d, handle, m, "yes", "20")
		trade(t, d, "bo", m, "no", "5")
		trade(t, d, "aXna-_1", m, "no", "5")
	}
	trade(t, d, "bo", "wrong", "account", "3")
	trade(t, d, handle, "wrong", handle, "1000")
	d.Exec(t, "select pgtape.halt_market('other', 'because a.na-_1 says \"a.na-_1\"', $1)", handle)
	d.Exec(t, "select pgtape.open_market('other', 'why', 'boss')")
	d.Exec(t, "select pgtape.comment('other', 'says \"a.na-_1\"', $1)", handle)
	d.Exec(t, "select pgtape.remove_comment(c.id, 'spam', $1) from pgtape.comment('other', 'buy shoes', 'bo') c", handle)
	d.Exec(t, "select pgtape.grant_credits($1, 5, 'for \"a.na-_1\"', $1)", handle)
	// It is paid out, spends that, and cannot give it back: an event has it among those who are short.
	d.Exec(t, `select pgtape.resolve_market('wrong', '{1,0,0,0}', 'so it was')`)
	d.Exec(t, `select pgtape.create_market('dear', 'Will it?', liquidity => 1600, account => $1)`, handle)
	d.Exec(t, `select pgtape.correct_resolution('wrong', '{0,1,0,0}', 'it was not')`)
	d.Verify(t)
	before := bodies(t, d)

	gone := leave(t, d, handle)
	d.Verify(t)
	after := bodies(t, d)
	named := 0
	for i, text := range before {
		// What people wrote is theirs, and says what it said; so do the names of outcomes.
		kept := strings.NewReplacer(
			`right, \"account\":\"a.na-_1\"?`, `right, \"account\":\"KEPT\"?`, `\"a.na-_1\"`, `\"KEPT\"`,
			`["a.na-_1"`, `["KEPT"`, `"outcome":"a.na-_1"`, `"outcome":"KEPT"`,
			`void_payout":{"a.na-_1"`, `void_payout":{"KEPT"`, `prices":{"a.na-_1"`, `prices":{"KEPT"`, `"payout":{"a.na-_1"`, `"payout":{"KEPT"`,
		).Replace(text)
		named += strings.Count(kept, `"a.na-_1"`)
		want := strings.ReplaceAll(strings.ReplaceAll(kept, `"a.na-_1"`, `"`+gone+`"`), "KEPT", handle)
		if after[i] != want {
			t.Errorf("event is\n%s, want\n%s", after[i], want)
		}
	}
	if named < 10 || !strings.Contains(strings.Join(after, "\n"), `"short":{"`+gone+`":"`) {
		t.Errorf("%d names in the events, and nobody short: the test tests nothing", named)
	}
	for _, table := range []string{"pgtape.accounts where handle", "pgtape.audit where actor", "pgtape.audit where subject", "pgtape.markets where created_by"} {
		var n int
		if err := d.Pool().QueryRow(t.Context(), "select count(*) from "+table+" = $1", handle).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d rows name it, %v", table, n, err)
		}
	}

	// What it has goes on: it is paid out. Others may have its name, and are not it.
	person(t, d, handle)
	d.Exec(t, "select pgtape.resolve_market('rain', '{1,0}', 'it did')")
	account, err := d.DB.Account(t.Context(), gone)
	if err != nil || account.Balance == "0.000000" || account.Role != db.Trader {
		t.Errorf("%+v, %v: want it paid out, and a trader", account, err)
	}
	if _, _, err := d.CreateSession(t.Context(), gone, ""); db.CodeOf(err) != db.NotFound {
		t.Errorf("signing in as who has left: %v", err)
	}
	if _, err := d.DeleteAccount(t.Context(), gone, gone); db.CodeOf(err) != db.NotFound {
		t.Errorf("deleting it again: %v", err)
	}
	d.Verify(t)
	second := leave(t, d, handle)
	if second == gone {
		t.Error("two that have left are called the same")
	}
	d.Verify(t)
}

func TestWhoMayNotLeave(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	person(t, d, "ana")
	d.Exec(t, "select pgtape.set_role('ana', 'admin')")
	if _, err := d.DeleteAccount(t.Context(), "ana", "ANA"); db.CodeOf(err) != db.InvalidRequest {
		t.Errorf("with another handle typed: %v", err)
	}
	if _, err := d.DeleteAccount(t.Context(), "ana", "ana"); db.CodeOf(err) != db.NotPermitted {
		t.Errorf("as the last admin: %v", err)
	}
	if _, err := d.DeleteAccount(t.Context(), "house", "house"); db.CodeOf(err) != db.NotFound {
		t.Errorf("the house: %v", err)
	}
	person(t, d, "bo")
	d.Exec(t, "select pgtape.set_role('bo', 'admin')")
	leave(t, d, "ana")
	d.Verify(t)
}

func TestHistoryIsChangedOnRecordOnly(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	person(t, d, "ana")
	market := d.Market(t)
	trade(t, d, "ana", market, "yes", "1")
	refused := func(when string) {
		t.Helper()
		for _, statement := range []string{
			"update pgtape_core.tape set body = body",
			"update pgtape_core.audit_entry set actor = actor",
			"update pgtape_core.trade set shares = shares",
			"update pgtape_core.rewriting set why = why",
			"delete from pgtape_core.rewriting",
		} {
			if _, err := d.Pool().Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s, %s: %v", statement, when, err)
			}
		}
	}
	refused("before")
	leave(t, d, "ana")
	refused("afterwards")

	// A history that is not the one on record is found, also if its hashes follow.
	d.Exec(t, `do $$
		declare v_hash bytea;
		begin
			alter table pgtape_core.tape disable trigger append_only;
			update pgtape_core.tape set body = replace(body, 'grant":"1000', 'grant":"1001') where market = 'house' and kind = 'account';
			update pgtape_core.tape t set hash = pgtape_core.event_hash(t.prev_hash, t.market, t.seq, t.at, t.kind, t.body)
			where t.market = 'house' returning hash into v_hash;
			update pgtape_core.house_tape set head = v_hash;
			alter table pgtape_core.tape enable trigger append_only;
		end $$`)
	violations, err := d.DB.Verify(t.Context())
	if err != nil || len(violations) != 1 || violations[0].Invariant != "a rewriting led to the history that is there" {
		t.Errorf("%v, %v", violations, err)
	}
}

// TestPeopleLeaveWhileTheyTrade has accounts leave while all trade everywhere.
func TestPeopleLeaveWhileTheyTrade(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	markets := []string{d.Market(t), d.Market(t), d.Market(t)}
	var traders []string
	for range 6 {
		traders = append(traders, d.Account(t, "1000"))
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wait sync.WaitGroup
	begun := make(chan struct{}, 1000)
	for i, account := range traders {
		wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, err := d.Trade(ctx, db.Order{
					Account: account, Market: markets[(i+n)%len(markets)], Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1",
				})
				if code := db.CodeOf(err); err != nil && ctx.Err() == nil && code != db.NotFound && code != db.InsufficientFunds {
					t.Errorf("trading: %v", err)
				}
				select {
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 30 {
		<-begun
	}
	for _, account := range traders[:3] {
		leave(t, d, account)
	}
	stop()
	wait.Wait()
	d.Verify(t)
	text := strings.Join(bodies(t, d), "\n")
	for i, account := range traders {
		if named := strings.Contains(text, `"`+account+`"`); named != (i >= 3) {
			t.Errorf("trader %d is named: %v", i, named)
		}
	}
}

func TestAnExportHasAllThatIsKeptAndNoSecret(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	person(t, d, "ana")
	market := d.Market(t)
	trade(t, d, "ana", market, "yes", "1")
	d.Exec(t, "select pgtape.comment($1, 'it will', 'ana')", market)
	token, _, err := d.CreateSession(t.Context(), "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.AsServer(t).ExportAccount(db.WithProof(t.Context(), token), "ana")
	if err != nil {
		t.Fatal(err)
	}
	var export struct {
		Account                   struct{ Handle, Balance string }
		Trades, Ledger, Positions []map[string]any
		Access                    struct{ Sessions []map[string]any }
		Words                     struct{ Comments []map[string]any }
	}
	if err := json.Unmarshal(text, &export); err != nil {
		t.Fatal(err)
	}
	if export.Account.Handle != "ana" || len(export.Trades) != 1 || len(export.Ledger) != 2 || len(export.Positions) != 1 || len(export.Access.Sessions) != 1 || len(export.Words.Comments) != 1 {
		t.Errorf("%s", text)
	}
	if strings.Contains(string(text), "hash") || strings.Contains(string(text), token) {
		t.Errorf("a secret in %s", text)
	}
}
