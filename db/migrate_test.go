package db_test

import (
	"database/sql"
	"flag"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

var update = flag.Bool("update", false, "rewrite golden files")

func open(t *testing.T, url string) *db.DB {
	t.Helper()
	return openWith(t, url, db.Options{MaxConns: 2})
}

func openAsServer(t *testing.T, url string) *db.DB {
	t.Helper()
	return openWith(t, url, db.Options{AsServer: true})
}

func openWith(t *testing.T, url string, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestMigrateUpFromNothingByMany(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	if err := open(t, url).CheckSchema(t.Context()); db.CodeOf(err) != db.NotPermitted {
		t.Errorf("an empty database: %v, want %s", err, db.NotPermitted)
	}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			if _, err := db.MigrateUp(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if applied, err := db.MigrateUp(t.Context(), url); err != nil || len(applied) > 0 {
		t.Errorf("once more: applied %v, %v, want nothing", applied, err)
	}
	if err := open(t, url).CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMigrateDownAndUpAgain(t *testing.T) {
	t.Parallel()
	url := dbtest.Clone(t)
	if err := db.MigrateDown(t.Context(), url, true); err != nil {
		t.Fatal(err)
	}
	if migrations, current, err := db.MigrationStatus(t.Context(), url); err != nil || current || migrations[0].Applied {
		t.Errorf("after going down: %v, current %v, %v", migrations, current, err)
	}
	if _, err := db.MigrateUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, url).CreateAccount(t.Context(), "ana", ""); err != nil {
		t.Error(err)
	}
}

func TestFunctionsThatNoFileDeclaresAreDropped(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "create function pgtape.stray() returns integer language sql as 'select 1'")
	d.Exec(t, "update pgtape_core.function_bundle set digest = 'another'")
	if err := d.CheckSchema(t.Context()); db.CodeOf(err) != db.NotPermitted {
		t.Errorf("other functions: %v, want %s", err, db.NotPermitted)
	}
	if _, err := db.MigrateUp(t.Context(), d.URL()); err != nil {
		t.Fatal(err)
	}
	if err := d.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := d.Pool().Exec(t.Context(), "select pgtape.stray()"); err == nil {
		t.Error("the stray function is still there")
	}
	trade(t, d, d.Account(t, "1000"), d.Market(t), "yes", "1")
}

func TestOneMigrationDownAndUpAgain(t *testing.T) {
	t.Parallel()
	url := dbtest.Clone(t)
	if err := db.MigrateDown(t.Context(), url, false); err != nil {
		t.Fatal(err)
	}
	if _, err := db.MigrateUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if got, want := schemaOf(t, url), schemaOf(t, dbtest.Clone(t)); got != want {
		t.Errorf("down and up made\n%s\nup alone\n%s", got, want)
	}
}

// The stock goose command, as the README has it, makes the database that pgtape migrate makes.
// What the last release left is brought up to date: its functions make way for others of their names.
func TestADatabaseOfTheLastReleaseIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	functions, err := os.ReadFile("testdata/functions-of-migration-6.sql.gz")
	if err != nil {
		t.Fatal(err)
	}
	url := dbtest.Left(t, 6, functions, `select pgtape.create_account('ana'); select pgtape.create_market('rain', 'Will it?', account => 'ana');
		select pgtape.trade('rain', 'yes', 'buy', shares => 10, max_cost => 10, account => 'ana');
		select pgtape.trade('rain', '*', 'buy', shares => 70, max_cost => 70, account => 'ana');
		select pgtape.halt_market('rain', 'why');
		select pgtape.create_session('ana', sha256('token'))`)

	if _, err := db.MigrateUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, url)
	d := openAsServer(t, url)
	if err := d.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
	if violations, err := d.Verify(t.Context()); err != nil || len(violations) > 0 {
		t.Errorf("not sound: %v, %v", violations, err)
	}
	if rain, err := d.Market(t.Context(), "rain"); err != nil || rain.Volume != "5.124948" || rain.Trades != 1 {
		t.Errorf("volume %s of %d trades, %v: complete sets still count", rain.Volume, rain.Trades, err)
	}
	if visit, err := d.SessionAccount(t.Context(), "token"); err != nil || visit.Handle != "ana" || visit.Role != db.Trader {
		t.Errorf("who was signed in is not: %+v, %v", visit, err)
	}
	if moves, err := d.Moves(t.Context(), "rain", "ana"); err != nil || !slices.Equal(moves.Moves, []string{"close"}) {
		t.Errorf("its maker may %v, %v", moves, err)
	}
}

func TestStockGooseMakesTheSameDatabase(t *testing.T) {
	url := dbtest.Empty(t)
	conn, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	goose.SetLogger(goose.NopLogger())
	if err := goose.SetDialect("postgres"); err != nil {
		t.Fatal(err)
	}
	if err := goose.UpContext(t.Context(), conn, "../sql/migrations"); err != nil {
		t.Fatal(err)
	}
	if err := goose.UpContext(t.Context(), conn, "../sql/functions", goose.WithNoVersioning()); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, url)
	if err := open(t, url).CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
	if got, want := schemaOf(t, url), schemaOf(t, dbtest.Clone(t)); got != want {
		t.Errorf("stock goose made\n%s\nmigrate up\n%s", got, want)
	}
}

// wantClosed: nobody but the owner makes objects in the database, not even temporary ones.
func wantClosed(t *testing.T, url string) {
	t.Helper()
	var temporary, public bool
	err := open(t, url).Pool().QueryRow(t.Context(), `
		select has_database_privilege('public', current_database(), 'temporary'), has_schema_privilege('public', 'public', 'create')`).
		Scan(&temporary, &public)
	if err != nil || temporary || public {
		t.Errorf("everybody may make temporary objects: %v, objects in public: %v; %v", temporary, public, err)
	}
}

func TestMigrateUpTakesFromEverybodyWhatATemplateGives(t *testing.T) {
	t.Parallel()
	url := dbtest.Clone(t)
	d := open(t, url)
	if _, err := d.Pool().Exec(t.Context(), "grant create on schema public to public"); err != nil {
		t.Fatal(err)
	}
	if applied, err := db.MigrateUp(t.Context(), url); err != nil || len(applied) > 0 {
		t.Fatalf("applied %v, %v, want nothing", applied, err)
	}
	wantClosed(t, url)
}

// The schema in the tree is the one that a fresh database has, so that each change shows its effect.
func TestSchemaIsTheGoldenOne(t *testing.T) {
	t.Parallel()
	const golden = "../sql/schema.golden.sql"
	got := schemaOf(t, dbtest.Clone(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the schema differs from %s; if it should: go test ./db -run Golden -update", golden)
	}
}

// schemaOf describes our schemas from the catalogs, in a form that no version of Postgres changes.
func schemaOf(t *testing.T, url string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), describeSchema)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return "-- What a fresh database holds, from its catalogs. Rewritten by: go test ./db -run Golden -update\n" +
		strings.Join(lines, "\n") + "\n"
}

const describeSchema = `
with ours as (
	select oid, nspname from pg_namespace where nspname in ('pgtape', 'pgtape_core')
), described as (
	select 1 as part, c.relname as name, a.attnum as place,
		format('%s %I.%I: %I %s%s%s', case c.relkind when 'r' then 'table' when 'v' then 'view' when 'S' then 'sequence' else 'type' end,
			n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
			case when a.attnotnull then ' not null' else '' end,
			coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
	from pg_class c
	join ours n on n.oid = c.relnamespace
	join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
	left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
	where c.relkind in ('r', 'v', 'c')
	union all
	select 2, c.conrelid::regclass::text || c.conname, 0,
		format('constraint %I on %s: %s', c.conname, c.conrelid::regclass, pg_get_constraintdef(c.oid))
	from pg_constraint c join ours n on n.oid = c.connamespace
	where c.contype in ('p', 'u', 'f', 'c')
	union all
	select 3, i.indexrelid::regclass::text, 0, pg_get_indexdef(i.indexrelid)
	from pg_index i join pg_class c on c.oid = i.indexrelid join ours n on n.oid = c.relnamespace
	union all
	select 4, t.tgrelid::regclass::text || t.tgname, 0, pg_get_triggerdef(t.oid)
	from pg_trigger t join pg_class c on c.oid = t.tgrelid join ours n on n.oid = c.relnamespace
	where not t.tgisinternal
	union all
	select 5, p.oid::regprocedure::text, 0,
		format('function %s returns %s, %s%s', p.oid::regprocedure, pg_get_function_result(p.oid),
			case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
			case when p.prosecdef then ', security definer' else '' end)
	from pg_proc p join ours n on n.oid = p.pronamespace
	union all
	select 6, r.rolname || g.what, 0, format('%s may %s', r.rolname, g.what)
	from pg_roles r
	cross join lateral (
		select 'select ' || c.oid::regclass as what
		from pg_class c join ours n on n.oid = c.relnamespace
		where c.relkind in ('r', 'v') and has_table_privilege(r.oid, c.oid, 'select')
		union all
		select 'write ' || c.oid::regclass
		from pg_class c join ours n on n.oid = c.relnamespace
		where c.relkind in ('r', 'v') and has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate')
		union all
		select 'execute ' || p.oid::regprocedure
		from pg_proc p join ours n on n.oid = p.pronamespace
		where has_function_privilege(r.oid, p.oid, 'execute')
	) g
	where r.rolname in ('pgtape_server', 'pgtape_trader', 'pgtape_operator', 'pgtape_auditor')
	union all
	select 7, p.pubname, 0, format('publication %s: %s, insert %s update %s delete %s truncate %s', p.pubname,
		(select string_agg(r.prrelid::regclass::text, ', ') from pg_publication_rel r where r.prpubid = p.oid),
		p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate)
	from pg_publication p
)
select line from described order by part, name collate "C", place, line collate "C"`
