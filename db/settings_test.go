package db_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// odd are settings that a database or a login may have for reasons of its own: each changes how text is
// written or read, what a name means, or how long a statement may take.
var odd = map[string]string{
	"datestyle":                      "'German, DMY'",
	"timezone":                       "'Asia/Kathmandu'",
	"intervalstyle":                  "sql_standard",
	"bytea_output":                   "escape",
	"extra_float_digits":             "'-15'",
	"client_encoding":                "latin1",
	"standard_conforming_strings":    "off",
	"backslash_quote":                "off",
	"escape_string_warning":          "off",
	"xmloption":                      "document",
	"array_nulls":                    "off",
	"transform_null_equals":          "on",
	"quote_all_identifiers":          "on",
	"row_security":                   "on",
	"search_path":                    "app",
	"default_transaction_isolation":  "serializable",
	"default_transaction_deferrable": "on",
	"idle_session_timeout":           "60000",
}

// short are time limits that a backup must not be under.
var short = map[string]string{
	"statement_timeout": "1", "lock_timeout": "1", "idle_in_transaction_session_timeout": "1",
}

func set(t *testing.T, url string, settings map[string]string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dbtest.Sibling(url, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for name, value := range settings {
		statement := fmt.Sprintf("alter database %s set %s = %s", pgx.Identifier{parentOf(t, url)}.Sanitize(), name, value)
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// What a database sets for its sessions changes neither a hash, nor a backup, nor a branch.
func TestSettingsOfADatabaseChangeNothing(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	set(t, d.URL(), odd)
	d.Pool().Reset()

	// Somebody in psql, whose session is as the database says.
	conn, err := pgx.Connect(t.Context(), d.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, statement := range []string{
		"set client_encoding = utf8", // as a psql does whose terminal is
		`select * from pgtape.create_account('ana', 1000)`,
		`select * from pgtape.create_market('rain', 'Regnet es „morgen“?', '{"yes \\ ja",no}', closes_at => '2090-05-01T12:00:00Z')`,
		`select * from pgtape.trade('rain', 'no', 'buy', shares => 3, max_cost => 3, account => 'ana')`,
		`select * from pgtape.comment('rain', E'a \\ b', account => 'ana')`,
		`select * from pgtape.delete_account('ana', 'ana')`,
	} {
		if _, err := conn.Exec(t.Context(), statement, pgx.QueryExecModeExec); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	var broken int
	if err := conn.QueryRow(t.Context(), "select count(*) from pgtape.verify()").Scan(&broken); err != nil || broken > 0 {
		t.Errorf("verified in such a session: %d rows, %v", broken, err)
	}
	d.Verify(t)

	server := d.AsServer(t)
	var isolation, style string
	err = server.Pool().QueryRow(t.Context(), "select current_setting('transaction_isolation'), current_setting('datestyle')").Scan(&isolation, &style)
	if err != nil || isolation != "read committed" || style != "ISO, YMD" {
		t.Errorf("a server's session is %s, %s, %v", isolation, style, err)
	}

	set(t, d.URL(), short)
	set(t, d.URL(), map[string]string{"default_transaction_read_only": "on"})
	want := contents(t, d.URL())
	file, _ := backupOf(t, d.URL())
	other := dbtest.Empty(t)
	set(t, other, odd)
	set(t, other, short)
	if err := restore(t, other, file); err != nil {
		t.Fatal(err)
	}
	for table, rows := range contents(t, other) {
		if rows != want[table] {
			t.Errorf("%s has the rows\n%s\nand should have\n%s", table, rows, want[table])
		}
	}
	if again, _ := backupOf(t, other); len(again) == 0 {
		t.Error("nothing was backed up")
	}
	branches := branchesOf(t, other)
	if _, err := branches.Create(t.Context(), "odd", false); err != nil {
		t.Error(err)
	} else if err := branches.Delete(t.Context(), "odd"); err != nil {
		t.Error(err)
	}
	if _, current, err := db.MigrationStatus(t.Context(), other); err != nil || !current {
		t.Errorf("up to date: %v, %v", current, err)
	}
	// As the file of a session without settings.
	plain := dbtest.Empty(t)
	if err := restore(t, plain, file); err != nil {
		t.Error(err)
	}
}

// The stock goose command keeps its table in the first schema of its login's path.
func TestGoosesTableIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for _, schema := range []string{"app", "other"} {
		d.Exec(t, "create schema "+pgx.Identifier{schema}.Sanitize())
	}
	for _, move := range []string{
		`alter table public.goose_db_version set schema app`,
		`alter table app.goose_db_version set schema other`,
	} {
		d.Exec(t, move)
		set(t, d.URL(), map[string]string{"search_path": "nowhere"})
		if _, current, err := db.MigrationStatus(t.Context(), d.URL()); err != nil || !current {
			t.Errorf("after %s: up to date: %v, %v", move, current, err)
		}
		if applied, err := db.MigrateUp(t.Context(), d.URL()); err != nil || len(applied) > 0 {
			t.Errorf("after %s: applied %v, %v", move, applied, err)
		}
		var file bytes.Buffer
		if _, err := db.WriteBackup(t.Context(), d.URL(), &file); err != nil {
			t.Errorf("after %s: %v", move, err)
		}
	}
	// One of another program's goose, in a database that has no pgtape.
	empty := dbtest.Empty(t)
	conn, err := pgx.Connect(t.Context(), empty)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "create schema other; create table other.goose_db_version (id int)", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	if applied, err := db.MigrateUp(t.Context(), empty); err != nil || !strings.Contains(strings.Join(applied, " "), "functions") {
		t.Errorf("beside another program's: %v, %v", applied, err)
	}
}
