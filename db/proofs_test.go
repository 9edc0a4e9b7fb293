package db_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// asked runs a statement in a transaction of its own that is taken back, with a proof if there is one.
func asked(t *testing.T, conn *pgx.Conn, proof, statement string) db.Code {
	t.Helper()
	ctx := t.Context()
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Exec(ctx, "select set_config('pgtape.proof', $1, true)", proof); err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(ctx, statement)
	return db.CodeOf(db.Refusal(err))
}

// Who has the server's SQL login, and nothing that a person has shown, can trade for everybody and do
// nothing that takes more rights, nor let itself in as somebody.
func TestTheServersWordAloneDoesNothingThatTakesRights(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	const phc = "$argon2id$v=19$m=8,t=1,p=1$YQ$YQ"
	d.Exec(t, `
		select pgtape.create_account(h) from unnest('{ana,op,boss,bo}'::text[]) h;
		select pgtape.set_role('op', 'operator'), pgtape.set_role('boss', 'admin');
		select pgtape.create_market(s, 'Will it?') from unnest('{rain,calm,shut,said,old}'::text[]) s;
		select pgtape.trade('rain', 'yes', 'buy', 10, max_cost => 10, account => 'ana');
		select pgtape.comment('rain', 'hello', 'ana');
		select pgtape.halt_market('calm', 'why'), pgtape.close_market('shut', 'why'), pgtape.close_market('said', 'why');
		select pgtape.propose_resolution('said', '{1,0}', 'why'), pgtape.resolve_market('old', '{1,0}', 'why')`)
	for _, handle := range []string{"ana", "op", "boss"} {
		d.Exec(t, "select * from pgtape.set_password($1, $2, sha256($1::text::bytea))", handle, phc)
		d.Exec(t, "select pgtape.link_identity($1, 'issuer', 'subject of ' || $1)", handle)
	}
	tokens, keys := map[string]string{}, map[string]string{}
	var err error
	for _, handle := range []string{"ana", "op", "boss"} {
		if tokens[handle], _, err = d.CreateSession(t.Context(), handle, ""); err != nil {
			t.Fatal(err)
		}
		scopes := []string{"read", "trade", "operate"}
		if handle == "ana" {
			scopes = scopes[:2]
		}
		if keys[handle], _, err = d.CreateKey(t.Context(), handle, "k", scopes, 0); err != nil {
			t.Fatal(err)
		}
	}
	code, _, _, err := d.CreateInvite(t.Context(), db.NewInvite{Uses: 1, Life: time.Hour, Role: db.Admin}, "")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), d.ServerURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))

	const minted = zeros
	acts := []struct {
		statement, as string // as: whose session is the proof
		key           bool   // a key of the account that operates is one too
	}{
		{"select pgtape.halt_market('rain', 'why', 'op')", "op", true},
		{"select pgtape.open_market('calm', 'why', 'op')", "op", true},
		{"select pgtape.close_market('rain', 'why', 'op')", "op", true},
		{"select pgtape.propose_resolution('shut', '{1,0}', 'why', 'op')", "op", true},
		{"select pgtape.dispute_market('said', 'why', 'op')", "op", true},
		{"select pgtape.resolve_market('rain', '{1,0}', 'why', 'op')", "op", true},
		{"select pgtape.void_market('rain', 'why', 'op')", "op", true},
		{"select pgtape.correct_resolution('old', '{0,1}', 'why', 'op')", "op", true},
		{"select pgtape.grant_credits('bo', 1000000, 'why', 'op')", "op", true},
		{"select pgtape.remove_comment(1, 'spam', 'op')", "op", true},
		{"select pgtape.set_role('ana', 'admin', 'boss')", "boss", true},
		{"select pgtape.people(admin => 'boss')", "boss", true},
		{"select pgtape.invites('op')", "op", true},
		{"select pgtape.revoke_invite(1, 'boss')", "boss", true},
		{"select pgtape.create_invite(" + minted + ", role => 'admin', operator => 'boss')", "boss", true},
		{"select pgtape.create_sign_in_link('ana', " + minted + ", admin => 'boss')", "boss", true},
		{"select pgtape.revoke_access('ana', 'boss')", "boss", true},
		{"select pgtape.set_password('ana', '" + phc + "', admin => 'boss')", "boss", true},
		{"select pgtape.set_password('boss', '" + phc + "', " + minted + ")", "boss", false},
		{"select pgtape.create_key('boss', 'k', 'p', " + minted + ", '{operate}')", "boss", false},
		{"select pgtape.create_key('ana', 'k', 'p', " + minted + ", '{read}')", "ana", false},
		{"select pgtape.link_identity('bo', 'issuer', 'mine')", "", false},
		{"select pgtape.unlink_identity('boss')", "boss", false},
		{"select pgtape.export_account('boss')", "boss", false},
		{"select pgtape.delete_account('ana', 'ana')", "ana", false},
		{"select pgtape.create_account('new', 999999999)", "", false},
		{"select pgtape.create_account('new', 0.000001)", "", false},
		{"select pgtape.create_market('new', 'Will it?', liquidity => 10000000, account => 'house')", "", false},
		{"select pgtape.create_market('new', 'Will it?')", "", false},
		{"select pgtape.create_session('boss', " + minted + ")", "", false},
		{"select pgtape.create_session('ana', " + minted + ", phc => '$argon2id$v=19$m=8,t=1,p=1$YQ$AA')", "", false},
		{"select pgtape.create_session('boss', " + minted + ", issuer => 'issuer', subject => 'subject of ana')", "", false},
	}
	for _, act := range acts {
		for name, proof := range map[string]string{
			"no proof": "", "a made-up token": "nonsense", "a trader's token": tokens["ana"], "a trader's key": keys["ana"],
			"the hash of a token": fmt.Sprintf("%x", db.TokenHash(tokens["boss"])),
		} {
			if name == "a trader's token" && act.as == "ana" {
				continue
			}
			if got := asked(t, conn, proof, act.statement); got != db.NotPermitted {
				t.Errorf("%s, with %s: %q, want %q", act.statement, name, got, db.NotPermitted)
			}
		}
		if act.as == "" {
			continue
		}
		if got := asked(t, conn, tokens[act.as], act.statement); got != "" {
			t.Errorf("%s, with the session: %q, want it done", act.statement, got)
		}
		want := db.NotPermitted
		if act.key {
			want = ""
		}
		if got := asked(t, conn, keys[act.as], act.statement); got != want {
			t.Errorf("%s, with a key of the account: %q, want %q", act.statement, got, want)
		}
	}

	// What a server does without: trades, sign-ups, sessions of whoever has shown a way in.
	for _, statement := range []string{
		"select pgtape.trade('rain', 'yes', 'buy', 1, max_cost => 1, account => 'boss')",
		"select pgtape.create_account('new')",
		"select pgtape.sign_up('new', token_hash => " + minted + ")",
		"select pgtape.sign_up('new', code_hash => sha256('" + code + "'), token_hash => " + minted + ")",
		"select pgtape.create_session('bo', " + minted + ", by_handle => true)",
		"select pgtape.create_session('boss', " + minted + ", phc => '" + phc + "')",
		"select pgtape.create_session('op', " + minted + ", issuer => 'issuer', subject => 'subject of op')",
	} {
		if got := asked(t, conn, "", statement); got != "" {
			t.Errorf("%s: %q, want it done", statement, got)
		}
	}

	// A proof ends with the session, and does not outlive its transaction.
	d.Exec(t, "update pgtape_core.session set expires_at = now() - interval '1 s' where account_id = (select id from pgtape_core.account where handle = 'op')")
	if got := asked(t, conn, tokens["op"], acts[0].statement); got != db.NotPermitted {
		t.Errorf("with a session that has ended: %q", got)
	}
	server := d.AsServer(t)
	for range 3 {
		if _, err := server.People(db.WithProof(t.Context(), tokens["boss"]), "", "", 10, "boss"); err != nil {
			t.Fatal(err)
		}
		if _, err := server.People(t.Context(), "", "", 10, "boss"); db.CodeOf(err) != db.NotPermitted {
			t.Errorf("a proof outlived its transaction: %v", err)
		}
	}
	var hidden string
	if err := conn.QueryRow(t.Context(), "select pgtape.credential_of('boss')").Scan(&hidden); err != nil || hidden != "$argon2id$v=19$m=8,t=1,p=1$YQ$AA" {
		t.Errorf("the server sees %q of a password, %v, want no hash", hidden, err)
	}
	d.Verify(t)
}
