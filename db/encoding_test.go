package db_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// A database of another encoding is refused, and nothing is written to it.
func TestADatabaseThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	file, _ := backupOf(t, dbtest.New(t).URL())
	restore := func(url string) error {
		_, err := db.RestoreBackup(t.Context(), url, bytes.NewReader(file), int64(len(file)))
		return err
	}
	for _, encoding := range []string{"SQL_ASCII", "LATIN1", "EUC_JP"} {
		url := dbtest.EmptyIn(t, encoding)
		for _, to := range []db.Purpose{db.ToServe, db.ToMigrate} {
			if subjects, needs := needsOf(t, url, to); len(needs) == 0 || needs[0].Subject != "encoding" || !needs[0].Blocks {
				t.Errorf("in %s the needs are %v", encoding, subjects)
			}
		}
		_, migrating := db.MigrateUp(t.Context(), url)
		for _, err := range []error{migrating, restore(url)} {
			if db.CodeOf(err) != db.NotPermitted || !strings.Contains(err.Error(), "is encoded in "+encoding) {
				t.Errorf("%s is refused by %v", encoding, err)
			}
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		var written int
		if err := conn.QueryRow(t.Context(), "select count(*) from pg_class where oid >= 16384").Scan(&written); err != nil || written > 0 {
			t.Errorf("in %s %d relations were made, %v", encoding, written, err)
		}
		conn.Close(context.WithoutCancel(t.Context()))
	}

	// One that Postgres never sends as UTF8.
	_, err := db.MigrateUp(t.Context(), dbtest.EmptyIn(t, "MULE_INTERNAL"))
	var refused *db.Error
	if !errors.As(err, &refused) || refused.Code != db.NotPermitted || !strings.Contains(refused.Message, "not encoded in UTF8") || !strings.Contains(refused.Hint, "encoding 'UTF8'") {
		t.Errorf("MULE_INTERNAL is refused by %v", err)
	}
}

// What is printed for one that is in use, as earlier versions let it be, mends it.
func TestADatabaseOfAnotherEncodingThatIsInUseMoves(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyIn(t, "SQL_ASCII")
	if err := db.MigrateTo(t.Context(), url, 1); err != nil {
		t.Fatal(err)
	}
	_, needs := needsOf(t, url, db.ToMigrate)
	if len(needs) == 0 {
		t.Fatal("it has no needs")
	}
	// The first step; the second is that of the tests of backups.
	statement, rest, _ := strings.Cut(strings.TrimPrefix(needs[0].Mend, "make another, and name that: "), "; ")
	if !strings.Contains(rest, "pgtape backup and pgtape restore") {
		t.Errorf("what mends it is %q", needs[0].Mend)
	}
	_, old, _ := strings.Cut(statement, `"`)
	old, _, _ = strings.Cut(old, `"`)
	other := dbtest.NewName(t)
	run(t, url, strings.Replace(statement, old, other, 1))
	if _, err := db.MigrateUp(t.Context(), dbtest.Sibling(url, other)); err != nil {
		t.Errorf("after %s: %v", statement, err)
	}
}

// Whom a handle means does not depend on the locale. In Turkish the small letter of I is ı.
func TestHandlesAreTheSameInATurkishDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t, dbtest.Turkish(t))
	if _, err := db.MigrateUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	opened, err := db.Open(t.Context(), url, db.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	d := &dbtest.DB{DB: opened}
	var small string
	if err := d.Pool().QueryRow(t.Context(), `select lower('I' collate "default")`).Scan(&small); err != nil || small != "ı" {
		t.Fatalf("the database is not Turkish: %q, %v", small, err)
	}
	for _, handle := range []string{"IVAN", "Iris_I"} {
		if _, err := d.CreateAccount(t.Context(), handle, "100"); err != nil {
			t.Fatal(err)
		}
		for _, same := range []string{strings.ToLower(handle), handle, strings.ToUpper(handle)} {
			if _, err := d.CreateAccount(t.Context(), same, "1"); db.CodeOf(err) != db.AlreadyExists {
				t.Errorf("%s beside %s: %v", same, handle, err)
			}
		}
	}
	trade(t, d, "ivan", d.Market(t), "YES", "3")
	d.Verify(t)
}
