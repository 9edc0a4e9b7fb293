package db_test

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestATableHasARowOnALine(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	table, err := db.Query(t.Context(), d.URL(), `select E'one\ntwo' as a, E'\tx\x1b[31m' as b, U&'\202E\200B' as c, 'Ä 漢 plain' as d`)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := table.Write(&out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 5 || !strings.Contains(lines[2], `one\ntwo | \tx\x1b[31m | \u202e\u200b | Ä 漢 plain`) {
		t.Errorf("%q", out.String())
	}
}

func TestWhatPostgresRefusesHasItsSQLState(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for statement, want := range map[string]string{
		"select 1/0": "22012", "nonsense": "42601", "select * from trade('nosuch', 'yes', 'buy', shares => 1, max_cost => 1)": "TP007",
	} {
		if _, err := db.Query(t.Context(), d.URL(), statement); db.SQLState(err) != want {
			t.Errorf("%s: %q, want %q (%v)", statement, db.SQLState(err), want, err)
		}
	}
}

func TestABackupByTheServersLoginIsToldWhoMay(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	_, name := login(t, d, "pgtape_server")
	as, err := url.Parse(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	as.User = url.User(name)
	if _, err := db.WriteBackup(t.Context(), as.String(), io.Discard); db.CodeOf(err) != db.NotPermitted || !strings.Contains(err.Error(), "this login may not read") {
		t.Errorf("err = %v", err)
	}
}
