package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/dbtest"
)

// login makes an SQL login in a role and connects as it.
func login(t *testing.T, d *dbtest.DB, role string) (*pgx.Conn, string) {
	t.Helper()
	name := role + "_" + d.Account(t, "1")
	d.Exec(t, "create role "+name+" login in role "+role)
	conn := connectAs(t, d, name)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
		admin, err := pgx.Connect(ctx, d.URL())
		if err != nil {
			t.Error(err)
			return
		}
		defer admin.Close(ctx)
		if _, err := admin.Exec(ctx, "drop owned by "+name+"; drop role "+name); err != nil {
			t.Error(err)
		}
	})
	return conn, name
}

// connectAs connects as a login that is there.
func connectAs(t *testing.T, d *dbtest.DB, name string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.User = name
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// denied are the SQLSTATEs of being refused: by Postgres, and by a function.
var denied = map[string]bool{"42501": true, "TP009": true}

func TestRolesMayDoTheirOwnAndNothingElse(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account('ana'), pgtape.create_account('bo')")
	d.Exec(t, "select pgtape.create_market('rain', 'Will it?')")
	trade(t, d, "ana", "rain", "yes", "1") // the views have rows to compute
	const order = "select pgtape.trade('rain', 'yes', 'buy', shares => 1, max_cost => 1"

	// What nobody may do, whatever the role.
	always := []string{
		"insert into pgtape_core.tape (market, seq, at, kind, body, prev_hash, hash) values ('rain', 2, now(), 'trade', '{}', '', '')",
		"update pgtape_core.account set balance = 1e6",
		"delete from pgtape_core.ledger_entry",
		"truncate pgtape_core.trade",
		"select * from pgtape_core.account",
		"select pgtape_core.post('grant', 1, 2, 100, now())",
		"update pgtape.accounts set balance = 1e6",
		"delete from pgtape.tape",
		"copy pgtape_core.account from program 'true'",
		"copy pgtape_core.account to stdout",
		"create function pgtape.trade() returns integer language sql as 'select 1'",
		"create table pgtape.mine (id integer)",
		"set role pgtape_owner_of_nothing",
		"set session authorization postgres",
		"alter table pgtape_core.tape disable trigger append_only",
		"drop publication pgtape_tape",
	}
	tests := []struct {
		role        string
		may, mayNot []string
	}{
		{
			role: "pgtape_server",
			may: []string{
				order + ", account => 'ana')", "select * from pgtape.markets", "select * from pgtape.accounts",
				"select pgtape.create_account('new' || floor(random() * 1e9)::text)", "select * from pgtape.verify()",
				"select pgtape.quote('rain', 'yes', 'buy', 1)", "select * from pgtape.positions", "select * from pgtape.leaderboard",
				"select * from pgtape.history('rain')", "select pgtape.keep_doorbell_ringing()", "select * from pgtape.heads",
				"select pgtape.credential_of('ana')", "select pgtape.ways_in('ana')",
			},
			mayNot: []string{
				"select pgtape.halt_market('rain', 'why')", "select pgtape.resolve_market('rain', '{1,0}', 'why')",
				"select pgtape.map_login('postgres', 'ana')", "set role pgtape_operator",
				"select phc from pgtape_core.credential", "select pgtape_core.forget_access(1)", "select pgtape.people()",
				"select pgtape.create_sign_in_link('ana', " + zeros + ")", "select pgtape.set_password('ana', '$argon2id$')",
				"select pgtape.create_invite(" + zeros + ")", "select pgtape.revoke_access('ana')",
			},
		},
		{
			role: "pgtape_trader",
			may: []string{
				order + ")", order + ", account => 'ana')", "select * from pgtape.markets", "select * from pgtape.tape",
				"select * from pgtape.my_account", "select * from pgtape.my_positions", "select * from pgtape.my_ledger",
				"select pgtape.quote('rain', 'yes', 'buy', 1)",
			},
			mayNot: []string{
				order + ", account => 'bo')", order + ", account => 'nobody')", "select * from pgtape.accounts",
				"select * from pgtape.ledger", "select * from pgtape.positions", "select pgtape.create_account('more')",
				"select pgtape.create_market('x', 'Will it?', account => 'house')",
				"select pgtape.halt_market('rain', 'why')", "select pgtape.map_login('postgres', 'ana')",
				"select pgtape.create_session('bo', decode(repeat('00', 32), 'hex'))", "set role pgtape_server",
				"set role pgtape_operator", "select * from pgtape.verify()",
				"select pgtape.credential_of('bo')", "select pgtape.sessions_of('bo', " + zeros + ")", "select pgtape.key_account(" + zeros + ")",
				"select pgtape.create_key('bo', 'k', 'p', " + zeros + ", '{read}')", "select pgtape.revoke_key('bo', 1)",
				"select pgtape.link_identity('bo', 'i', 's')", "select pgtape.set_password('bo', '$argon2id$', " + zeros + ")",
				"select pgtape.people()", "select pgtape.invites()", "select pgtape.sign_up('more')",
			},
		},
		{
			role: "pgtape_operator",
			may: []string{
				"select pgtape.halt_market('rain', 'why')", "select pgtape.open_market('rain', 'why')",
				"select * from pgtape.ledger", "select * from pgtape.verify()", "select * from pgtape.people()", "select * from pgtape.invites()",
				"select pgtape.create_sign_in_link('ana', " + zeros + ")", "select pgtape.create_invite(" + zeros + ")", "select pgtape.ways_in('ana')",
			},
			mayNot: []string{
				order + ", account => 'bo')", "set role pgtape_server", "select pgtape.credential_of('ana')",
				"select pgtape.create_key('ana', 'k', 'p', " + zeros + ", '{read}')", "select pgtape.sign_up('more')",
				"select pgtape.set_password('ana', '$argon2id$', " + zeros + ")",
			},
		},
		{
			role: "pgtape_auditor",
			may: []string{
				"select * from pgtape.verify()", "select * from pgtape.ledger", "select * from pgtape.accounts", "select * from pgtape.tape",
			},
			mayNot: []string{
				order + ")", "select pgtape.create_account('more')", "select pgtape.create_market('x', 'Will it?')",
				"select pgtape.halt_market('rain', 'why')",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.role, func(t *testing.T) {
			conn, name := login(t, d, tt.role)
			if tt.role == "pgtape_trader" {
				d.Exec(t, "select pgtape.map_login($1, 'ana')", name)
			}
			for _, statement := range tt.may {
				if _, err := conn.Exec(t.Context(), statement); err != nil {
					t.Errorf("%s: %v, want it done", statement, err)
				}
			}
			for _, statement := range append(tt.mayNot, always...) {
				_, err := conn.Exec(t.Context(), statement)
				var pg *pgconn.PgError
				unknownRole := errors.As(err, &pg) && strings.HasPrefix(statement, "set role pgtape_owner") && pg.Code == "22023"
				if !errors.As(err, &pg) || !denied[pg.Code] && !unknownRole && !strings.Contains(pg.Message, "cannot") {
					t.Errorf("%s: %v, want it denied", statement, err)
				}
			}
			d.Verify(t)
		})
	}
}

func TestALoginSeesItsOwnBookOnly(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market := d.Account(t, "1000"), d.Account(t, "1000"), d.Market(t)
	trade(t, d, ana, market, "yes", "3")
	trade(t, d, bo, market, "no", "5")
	conn, name := login(t, d, "pgtape_trader")
	d.Exec(t, "select pgtape.map_login($1, $2)", name, ana)

	// A function of the caller's own in a view's filter must not see the rows that the view hides.
	for statement, want := range map[string]string{
		"select handle from pgtape.my_account":                                       ana,
		"select string_agg(outcome, ',') from pgtape.my_positions":                   "yes",
		"select string_agg(kind, ',' order by transaction_id) from pgtape.my_ledger": "opening_grant,trade",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), statement).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", statement, got, err, want)
		}
	}
}

func TestFunctionsOfTheCallerAreNotTakenForOurs(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account('ana')")
	d.Exec(t, "select pgtape.create_market('rain', 'Will it?')")
	d.Exec(t, "grant create on schema public to public")
	conn, name := login(t, d, "pgtape_trader")
	d.Exec(t, "select pgtape.map_login($1, 'ana')", name)
	for _, statement := range []string{
		"create function public.clock_timestamp() returns timestamptz language sql as $$ select '2000-01-01'::timestamptz $$",
		"create function public.ln(numeric) returns numeric language sql as $$ select 0::numeric $$",
		"create function public.exp(numeric) returns numeric language sql as $$ select 0::numeric $$",
		"create function public.round(numeric, integer) returns numeric language sql as $$ select 0::numeric $$",
		"set search_path = public, pg_catalog, pgtape",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var amount string
	err := conn.QueryRow(t.Context(), "select amount::text from pgtape.trade('rain', 'yes', 'buy', shares => 50, max_cost => 50)").Scan(&amount)
	if err != nil || amount != "28.092981" {
		t.Errorf("charged %s, %v, want 28.092981", amount, err)
	}
	d.Verify(t)
}

// zeros is a hash, for what takes one.
const zeros = "decode(repeat('00', 32), 'hex')"
