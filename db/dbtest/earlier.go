package dbtest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
)

// earlierMigration is the newest one that the earlier version has.
const earlierMigration = 11

//go:embed testdata/functions-of-migration-11.sql.gz
var earlierFunctions []byte

// EarlierDates makes markets whose dates JSON, Go or JavaScript cannot say, one of them traded in with
// such a deadline, a market with a volume beyond a bigint of micros, and sound ones.
const EarlierDates = `
	select pgtape.create_account('ana');
	select pgtape.create_account('bo');
	select pgtape.create_market('sound', 'Will it rain?', account => 'ana', category => 'weather', liquidity => 1);
	select pgtape.create_market('edge', 'Will it rain?', closes_at => '9999-12-31T23:59:59-08:00', account => 'ana', liquidity => 1);
	select pgtape.create_market('far', 'Will it rain?', closes_at => '12026-01-01', account => 'ana', liquidity => 1);
	select pgtape.create_market('farther', 'Will it rain?', closes_at => '294276-12-31', account => 'ana', liquidity => 1);
	select pgtape.trade('far', 'yes', 'buy', shares => 1, max_cost => 1, deadline => 'infinity', account => 'bo');
	select pgtape.trade('edge', 'yes', 'buy', shares => 1, max_cost => 1, deadline => '12028-02-29', account => 'bo');
	select pgtape.comment('far', 'far off', account => 'bo');
	select pgtape.create_key('bo', 'k', 'pt_x', sha256('k'), '{read}', interval '200000 years');
	select pgtape.create_session('bo', sha256('s'), interval '200000 years');
	select pgtape.create_account('rich');
	select pgtape.grant_credits('rich', 1e12, 'a test') from generate_series(1, 2);
	select pgtape.create_market('busy', 'Will it rain?');
	do $$
	begin
		for i in 1 .. 5 loop
			perform pgtape.trade('busy', '*', 'buy', shares => 1e12, max_cost => 1e12, account => 'rich');
			perform pgtape.trade('busy', '*', 'sell', shares => 1e12, min_proceeds => 1e12, account => 'rich');
		end loop;
	end;
	$$`

// EarlierNames makes what looks alike, or like nothing, in every field that took it.
const EarlierNames = `
	select pgtape.create_account('ana');
	select pgtape.create_account('bo');
	select pgtape.create_market('twins', 'Which?', array['No', U&'no\00A0', U&'caf\00E9', U&'cafe\0301', U&'N\200Bo', U&'\202ENo'], account => 'ana', category => 'x', liquidity => 1);
	select pgtape.create_market('blank', E'\n', category => 'x ', account => 'ana', liquidity => 1);
	select pgtape.create_market('shout', U&'a\2028b\0007 \001B[31m', description => U&'\202Ex', category => 'X', account => 'ana', liquidity => 1);
	select pgtape.create_market('constructor', '__proto__', '{constructor,__proto__,toString,hasOwnProperty}', account => 'ana', category => 'constructor', liquidity => 1);
	select pgtape.trade('twins', U&'no\00A0', 'buy', shares => 1, max_cost => 1, account => 'bo');
	select pgtape.trade('constructor', '__proto__', 'buy', shares => 1, max_cost => 1, account => 'bo');
	select pgtape.comment('blank', U&'\200B\202E', account => 'bo');
	select pgtape.halt_market('shout', U&'\202Ewhy\2028');
	select pgtape.grant_credits('bo', 1, U&'\200B');
	select pgtape.create_key('bo', U&'\200B', 'pt_x', sha256('k'), '{read}');
	select pgtape.create_session('bo', sha256('s'), label => U&'\001B')`

// Earlier makes a database of an earlier version, which took values that this one refuses, runs
// statements in it as its superuser, and brings it up to date.
func Earlier(t testing.TB, statements ...string) *DB {
	t.Helper()
	url := Left(t, earlierMigration, earlierFunctions, statements...)
	if _, err := db.MigrateUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return Open(t, url)
}

// Left is the URL of a database as an earlier version has left it: its newest migration, its
// functions, compressed with gzip, and what statements did in it as its superuser.
func Left(t testing.TB, migration int64, functions []byte, statements ...string) (url string) {
	t.Helper()
	url = Empty(t)
	if err := db.MigrateTo(t.Context(), url, migration); err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(functions))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, statement := range append([]string{"set check_function_bodies = off; " + string(text)}, statements...) {
		if _, err := conn.PgConn().Exec(t.Context(), statement).ReadAll(); err != nil {
			t.Fatalf("%.200s: %v", statement, err)
		}
	}
	return url
}
