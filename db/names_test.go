package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/dbtest"
)

// openNames are the functions whose body is looked up in the path of whoever reaches them, and which
// others than pinned functions can reach.
const openNames = `
	with unpinned as (
		select p.oid, p.oid::regprocedure::text as name, p.prosecdef, p.prorettype, p.proacl
		from pg_catalog.pg_proc p
		where p.pronamespace in ('pgtape'::regnamespace, 'pgtape_core'::regnamespace)
			and p.prosqlbody is null
			and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
	)
	select u.name || ': ' || concat_ws(', ',
		case when u.prosecdef then 'security definer' end,
		case when u.prorettype = 'trigger'::regtype then 'a trigger' end,
		(select 'granted to ' || string_agg(coalesce(nullif(a.grantee, 0)::regrole::text, 'everybody'), ' and ')
		 from aclexplode(coalesce(u.proacl, acldefault('f', (select proowner from pg_catalog.pg_proc where oid = u.oid)))) a
		 where a.grantee <> (select proowner from pg_catalog.pg_proc where oid = u.oid)),
		(select 'used by ' || string_agg(pg_describe_object(d.classid, d.objid, 0), ' and ')
		 from pg_catalog.pg_depend d
		 where d.refclassid = 'pg_proc'::regclass and d.refobjid = u.oid and d.classid <> 'pg_proc'::regclass))
	from unpinned u
	where u.prosecdef or u.prorettype = 'trigger'::regtype or u.proacl is null
		or exists (select from aclexplode(u.proacl) a where a.grantee <> (select proowner from pg_catalog.pg_proc where oid = u.oid))
		or exists (select from pg_catalog.pg_depend d
			where d.refclassid = 'pg_proc'::regclass and d.refobjid = u.oid and d.classid <> 'pg_proc'::regclass)`

func TestNoFunctionLooksNamesUpInSomebodyElsesSchema(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	look := func() []string {
		rows, err := d.Pool().Query(t.Context(), openNames)
		if err != nil {
			t.Fatal(err)
		}
		open, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return open
	}
	if open := look(); len(open) > 0 {
		t.Errorf("open to their callers' names:\n%s", strings.Join(open, "\n"))
	}
	d.Exec(t, "alter function pgtape.verify() set search_path = ''")
	if open := look(); len(open) != 1 || !strings.HasPrefix(open[0], "pgtape.verify()") {
		t.Errorf("with one that is open: %q, want it", open)
	}
}

// shadow has names of Postgres and of ours stand for something else in a session's temporary schema:
// whatever is looked up there runs evil, which tells when it runs with rights that are not its maker's.
// %s: how a type is shadowed.
const shadow = `
	create function pg_temp.evil(what pg_catalog.text) returns pg_catalog.bool language plpgsql as $f$
	begin
		if current_user operator(pg_catalog.<>) session_user then
			raise warning 'evil: %% runs as %%', what, current_user;
		end if;
		return true;
	end;
	$f$;
	do $$
	declare
		v record;
	begin
		for v in
			select t.typname as name
			from pg_catalog.pg_type t
			where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'e', 'r', 'm') and t.typcategory <> 'A'
		loop
			%s
		end loop;
		for v in
			select c.relname as name
			from pg_catalog.pg_class c
			where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v')
				and exists (select from pg_catalog.pg_proc p where p.pronamespace in ('pgtape'::regnamespace, 'pgtape_core'::regnamespace)
					and p.prosrc ~ ('\m' || c.relname || '\M'))
		loop
			execute format('create view pg_temp.%%1$I as select * from pg_catalog.%%1$I where pg_temp.evil(%%1$L)', v.name);
		end loop;
		for v in
			select distinct c.relname as name
			from pg_catalog.pg_class c
			where c.relnamespace in ('pgtape'::regnamespace, 'pgtape_core'::regnamespace) and c.relkind in ('r', 'v', 'c')
		loop
			execute format('create domain pg_temp.%%1$I as pg_catalog.text check (pg_temp.evil(%%1$L))', v.name);
		end loop;
	end;
	$$`

// The ways to shadow a type: a domain, whose check runs; a type of one's own, whose cast does.
var shadowTypes = map[string]string{
	"domains": `execute format('create domain pg_temp.%1$I as pg_catalog.%1$I check (pg_temp.evil(%1$L))', v.name);`,
	"casts": `execute format(
		'create type pg_temp.%1$I as (v pg_catalog.text);
		 create function pg_temp.cast_to(v pg_catalog.text) returns pg_temp.%1$I language plpgsql as
			''begin perform pg_temp.evil(''%1$L''); return row(v)::pg_temp.%1$I; end'';
		 create cast (pg_catalog.text as pg_temp.%1$I) with function pg_temp.cast_to(pg_catalog.text) as implicit;
		 alter function pg_temp.cast_to(pg_catalog.text) rename to %2$I', v.name, 'cast_to_' || v.name);`,
}

// evilSchema has a function and an operator for each that a function of ours may mean, of the same
// arguments.
const evilSchema = `
	create schema evil;
	grant usage on schema evil to public;
	create function evil.evil(what text) returns void language plpgsql set search_path = pg_catalog as $f$
	begin
		if current_user <> session_user then
			raise warning 'evil: % runs as %', what, current_user;
		end if;
	end;
	$f$;
	do $$
	declare
		v record;
		v_types oid[] := '{text,numeric,int4,int8,bool,timestamptz,interval,bytea,jsonb,json,name,oid}'::regtype[];
		v_bodies text := (select string_agg(prosrc, ' ') from pg_proc
			where pronamespace in ('pgtape'::regnamespace, 'pgtape_core'::regnamespace));
	begin
		for v in
			select p.proname, pg_get_function_identity_arguments(p.oid) as args, format_type(p.prorettype, null) as result
			from pg_proc p
			where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and not p.proretset and p.pronargs > 0
				and strpos(v_bodies, p.proname || '(') > 0
				and (select typtype from pg_type where oid = p.prorettype) = 'b'
				and not exists (select from unnest(p.proargtypes) a join pg_type t on t.oid = a where t.typtype = 'p')
				and p.proargmodes is null
		loop
			execute format('create function evil.%I(%s) returns %s language plpgsql as $f$ begin perform evil.evil(%L); return null; end $f$',
				v.proname, v.args, v.result, v.proname);
		end loop;
		for v in
			select o.oid, o.oprname, format_type(o.oprleft, null) as l, format_type(o.oprright, null) as r, format_type(o.oprresult, null) as result
			from pg_operator o
			where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprleft = any (v_types) and o.oprright = any (v_types)
				and strpos(v_bodies, ' ' || o.oprname || ' ') > 0 and o.oprresult <> 0
		loop
			execute format('create function evil.op_%s(%s, %s) returns %s language plpgsql as $f$ begin perform evil.evil(%L); return null; end $f$',
				v.oid, v.l, v.r, v.result, v.oprname);
			execute format('create operator evil.%s (leftarg = %s, rightarg = %s, function = evil.op_%s)', v.oprname, v.l, v.r, v.oid);
		end loop;
	end;
	$$`

// hash is what a secret of this first byte is kept as.
func hash(first int) string {
	return fmt.Sprintf("pg_catalog.decode(pg_catalog.repeat('%02x', 32), 'hex')", first)
}

// calls are, by the name of the function, the arguments with which it comes far. acts is the account
// that the caller names, or null.
func calls(acts string) map[string][]string {
	const soon = "pg_catalog.now() + '1 day'"
	order := `'[{"outcome":"yes","side":"buy","shares":"1","max_cost":"1","idempotency_key":"k","account":` +
		strings.ReplaceAll(acts, "'", `"`) + `,"market":"rain","deadline":"2100-01-01T00:00:00Z"}]'`
	return map[string][]string{
		"account_history": {"'ana', null, 10"}, "account_markets": {"'ana'"}, "account_profile": {"'ana'"}, "account_record": {"'ana'"},
		"is_password": {"'ana', '$argon2id$'"}, "brier_scores": {"'{ana}'"},
		"accounts_to_approve": {acts}, "unranked_accounts": {acts}, "set_ranked": {"'bo', false, 'why', " + acts}, "approve_account": {"'bo', " + acts},
		"close_market": {"'rain', 'why', " + acts}, "comment": {"'rain', 'hello @bo', " + acts + ", 'key'"},
		"correct_resolution": {"'old', '{0,1}', 'why', " + acts}, "create_account": {"'new'", "'new', 1"},
		"create_invite": {hash(1) + ", 1, '1 day', 'admin', " + acts}, "create_key": {"'ana', 'k', 'p', " + hash(1) + ", '{read}', '1 day'"},
		"create_market":  {"'new', 'Will it?', '{a,b}', 10, " + soon + ", 'text', 'category', " + acts},
		"create_session": {"'ana', " + hash(1) + ", '1 day', 'label'"}, "create_sign_in_link": {"'ana', " + hash(1) + ", '1 day', " + acts},
		"credential_of": {"'ana'"}, "delete_account": {"'ana', null", "'ana', 'ana'"},
		"delete_session": {hash(1)}, "device_key": {""}, "delete_sessions": {"'ana', null, " + hash(1)}, "dispute_market": {"'said', 'why', " + acts},
		"end_lock_holder": {"0, '0/0'"}, "environment": {""}, "export_account": {"'ana'"}, "grant_credits": {"'ana', 1, 'why', " + acts},
		"halt_market": {"'rain', 'why', " + acts}, "history": {"'rain'", "'rain', '2000-01-01', " + soon + ", 10"},
		"holders": {"'rain', 10"}, "identity_account": {"'issuer', 'subject'"}, "invites": {acts}, "keep_doorbell_ringing": {""}, "probe_write": {""},
		"key_account": {hash(1)}, "keys_of": {"'ana'"}, "link_account": {hash(1)}, "link_identity": {"'ana', 'issuer', 'subject'"},
		"market_lock_blockers": {""}, "market_lock_holders": {""}, "may_end_lock_holders": {""}, "market_page": {"'open', 'c', 'will', 'active', null, null, 10", "'', '', '', 'hot', 5, 'rain', 10, '{rain}', '{7}'"},
		"map_login": {"session_user::pg_catalog.text, 'bo'"}, "market_preview": {"2, 10, 10"}, // what views call is reached through these
		"markets_made": {"'ana'"}, "moves": {"'rain', 'ana'"}, "notifications": {acts, "'ana', null, 10"},
		"oidc_flow": {hash(1)}, "open_market": {"'calm', 'why', " + acts}, "people": {"'a', '', 10, " + acts},
		"profit_history": {"'ana', '2000-01-01', 10"}, "propose_resolution": {"'shut', '{1,0}', 'why', " + acts},
		"put_oidc_flow": {hash(1) + ", '{}'"}, "quote": {"'rain', 'yes', 'buy', 1", "'rain', 'yes', 'buy', spend => 1", "'rain', 'nope', 'buy', 1"},
		"read_notifications": {"'{1}', " + acts}, "remove_comment": {"1, 'why', " + acts}, "renew_credential": {"'ana', 'old', 'new'"},
		"resolve_market": {"'shut', '{1,0}', 'why', " + acts}, "revoke_access": {"'ana', " + acts}, "revoke_invite": {"1, " + acts},
		"revoke_key": {"'ana', 1"}, "session_account": {hash(1)}, "sessions_of": {"'ana', " + hash(1)},
		"set_environment": {"'test'"}, "set_password": {"'ana', '$argon2id$', null, '', " + acts, "'ana', '$argon2id$', " + hash(1) + ", ''"},
		"set_setting": {"'markets_per_day', '7'"}, "set_role": {"'bo', 'operator', " + acts}, "settlement": {"'rain', null", "'rain', '{1,0}'"},
		"name_of_account": {"'Ana'"}, "name_of_market": {"'Rain'"}, "sign_up": {"'new', '$argon2id$', null, 'issuer', 'subject'"}, "site_record": {""}, "take_oidc_flow": {hash(1)},
		"trade": {
			"'rain', 'yes', 'buy', shares => 1, max_cost => 1, idempotency_key => 'k', deadline => " + soon + ", account => " + acts,
			"'rain', 'yes', 'sell', shares => 1, expected_price => 0.5, max_slippage_bps => 9000, account => " + acts,
			"'rain', '*', 'buy', spend => 1, max_cost => 1, account => " + acts, "'rain', 'yes', 'buy', 1, max_cost => 0.1, account => " + acts,
		},
		"trade_batch": {order, "'rain', " + order}, "unlink_identity": {"'ana'"}, "unread_notifications": {acts},
		"use_sign_in_link": {hash(1) + ", '$argon2id$', " + hash(2)}, "verify": {""}, "void_market": {"'rain', 'why', " + acts}, "ways_in": {"'ana'"},
	}
}

// openTo are the functions that a role may execute, and the views that it may read.
func openTo(t *testing.T, d *dbtest.DB, role string) (functions, views []string) {
	t.Helper()
	rows, err := d.Pool().Query(t.Context(), `
		select distinct 'pgtape.' || p.proname from pg_catalog.pg_proc p
		where p.pronamespace = 'pgtape'::regnamespace and has_function_privilege($1, p.oid, 'execute')
			and not has_schema_privilege($1, 'pgtape_core', 'usage') -- what is there is reached through views`, role)
	if err == nil {
		functions, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err == nil {
		rows, err = d.Pool().Query(t.Context(), `
			select c.oid::regclass::text from pg_catalog.pg_class c
			where c.relnamespace = 'pgtape'::regnamespace and c.relkind = 'v' and has_table_privilege($1, c.oid, 'select')`, role)
	}
	if err == nil {
		views, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil || len(functions) == 0 || len(views) == 0 {
		t.Fatalf("%s may call %v and read %v, %v", role, functions, views, err)
	}
	return functions, views
}

// attackNames calls all that a login of a role may, from a session in which names stand for
// something else, and returns what ran with other rights than the login's, and what each call came to.
func attackNames(t *testing.T, d *dbtest.DB, role, name, shadows string) (evil []string, came map[string]string) {
	t.Helper()
	config, err := pgx.ParseConfig(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.User = name
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if strings.HasPrefix(n.Message, "evil:") {
			evil = append(evil, n.Message)
		}
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if shadows != "" {
		// Its own path is the attacker's last: while it builds, names are what they should be.
		for _, statement := range []string{"set search_path = pg_catalog, pg_temp", fmt.Sprintf(shadow, shadowTypes[shadows]), "set search_path = pg_temp, evil, pg_catalog, public"} {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	acts := "null"
	if role == "pgtape_server" {
		acts = "'ana'"
	}
	arguments := calls(acts)
	functions, views := openTo(t, d, role)
	var statements []string
	for _, f := range functions {
		_, bare, _ := strings.Cut(f, ".")
		lists, known := arguments[bare]
		if !known {
			t.Errorf("%s may call %s: say in calls with which arguments it comes far", role, f)
		}
		for _, list := range lists {
			statements = append(statements, fmt.Sprintf("select * from %s(%s) as x", f, list))
		}
	}
	for _, v := range views {
		statements = append(statements, "select * from "+v+" as x")
	}
	came = map[string]string{}
	for _, statement := range statements {
		_, err := conn.Exec(t.Context(), "begin; "+statement+"; rollback")
		came[statement] = "done"
		if err != nil {
			came[statement] = err.Error()
			_, _ = conn.Exec(t.Context(), "rollback")
		}
	}
	slices.Sort(evil)
	return slices.Compact(evil), came
}

// Everybody may make temporary objects here, as where the login that migrates may not take that away.
func TestNamesOfACallerNeverRunWithOtherRights(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, `
		do $$ begin execute format('grant temporary on database %I to public', current_database()); end; $$;
		select pgtape.create_account('ana'), pgtape.create_account('bo');
		select pgtape.set_role('ana', 'admin');
		select pgtape.create_market(slug, 'Will it?', account => 'ana') from unnest('{rain,calm,shut,said,old}'::text[]) slug;
		select pgtape.trade(slug, 'yes', 'buy', 10, max_cost => 10, account => 'ana') from unnest('{rain,said,old}'::text[]) slug;
		select pgtape.comment('rain', 'hello @bo', 'ana');
		select pgtape.halt_market('calm', 'why'), pgtape.close_market('shut', 'why'), pgtape.close_market('said', 'why');
		select pgtape.propose_resolution('said', '{1,0}', 'why'), pgtape.resolve_market('old', '{1,0}', 'why')`)
	d.Exec(t, evilSchema)
	roles := []string{"pgtape_trader", "pgtape_operator", "pgtape_auditor", "pgtape_server"}
	names := map[string]string{}
	for _, role := range roles {
		_, names[role] = login(t, d, role)
		d.Exec(t, "select pgtape.map_login($1, 'ana')", names[role])
		_, want := attackNames(t, d, role, names[role], "")
		for shadows := range shadowTypes {
			evil, came := attackNames(t, d, role, names[role], shadows)
			if len(evil) > 0 {
				t.Errorf("%s, %s:\n%s", role, shadows, strings.Join(evil, "\n"))
			}
			for statement, got := range came {
				if got != want[statement] {
					t.Errorf("%s, %s: %s: %s; without these names: %s", role, shadows, statement, got, want[statement])
				}
			}
		}
	}

	// The attack works: an empty path is open to it.
	d.Exec(t, `
		do $$
		declare v record;
		begin
			for v in select p.oid::regprocedure as f from pg_proc p
				where p.pronamespace in ('pgtape'::regnamespace, 'pgtape_core'::regnamespace) and p.proconfig::text like '%search_path%'
			loop execute 'alter function ' || v.f || ' set search_path = '''''; end loop;
		end; $$`)
	for _, role := range roles {
		if evil, _ := attackNames(t, d, role, names[role], "domains"); len(evil) == 0 {
			t.Errorf("%s: nothing of the attacker's ran where every path is empty: the attack is none", role)
		}
	}
}
