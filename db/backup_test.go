package db_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/dbtest"
)

// contents are the rows of all tables, as text.
func contents(t *testing.T, url string) map[string]string {
	t.Helper()
	conn, err := connect.Open(t.Context(), url, connect.Options{Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `
		select c.relname from pg_class c
		where c.relnamespace = 'pgtape_core'::regnamespace and c.relkind = 'r' and c.relname not in ('doorbell', 'function_bundle')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range names {
		var text string
		err := conn.QueryRow(t.Context(), "select coalesce(string_agg(x::text, E'\n' order by x::text), '') from pgtape_core."+name+" x").Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = text
	}
	return found
}

func backupOf(t *testing.T, url string) ([]byte, *db.Backup) {
	t.Helper()
	var file bytes.Buffer
	backup, err := db.WriteBackup(t.Context(), url, &file)
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), backup
}

func restore(t *testing.T, url string, file []byte) error {
	t.Helper()
	_, err := db.RestoreBackup(t.Context(), url, bytes.NewReader(file), int64(len(file)))
	return err
}

func TestABackupBringsEverythingBack(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo := d.Account(t, "1000"), d.Account(t, "1000")
	// Texts that a format might trip over.
	_, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "odd", Question: "Tab\tand \\N, \\. and “quotes”?", Description: "line\nline\r\n\\", Account: ana})
	if err != nil {
		t.Fatal(err)
	}
	over := d.Market(t, dbtest.Outcomes("a", "b", "c"))
	for range 5 {
		trade(t, d, ana, "odd", "yes", "3")
		trade(t, d, bo, over, "b", "2.5")
	}
	if _, err := d.ResolveMarket(t.Context(), over, []db.Decimal{"0.2", "0.8", "0"}, "why"); err != nil {
		t.Fatal(err)
	}
	want := contents(t, d.URL())
	file, backup := backupOf(t, d.URL())
	if len(backup.Tables) < 10 || backup.Migration < 7 {
		t.Errorf("backup %+v", backup)
	}

	url := dbtest.Empty(t)
	if err := restore(t, url, file); err != nil {
		t.Fatal(err)
	}
	for name, rows := range contents(t, url) {
		if rows != want[name] {
			t.Errorf("%s has\n%s\nwant\n%s", name, rows, want[name])
		}
	}
	// Life goes on: numbers are not given out twice, and the tape continues.
	back := openAsServer(t, url)
	if _, err := back.CreateAccount(t.Context(), "new", ""); err != nil {
		t.Error(err)
	}
	before, err := d.DB.Market(t.Context(), "odd")
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := back.Trade(t.Context(), db.Order{Account: bo, Market: "odd", Outcome: "no", Side: "buy", Shares: "1", MaxCost: "1"})
	if err != nil || receipt.Version != before.Version+1 {
		t.Errorf("a trade after the restore: %+v, %v", receipt, err)
	}
	if violations, err := back.Verify(t.Context()); err != nil || len(violations) > 0 {
		t.Errorf("not sound: %v, %v", violations, err)
	}
	if err := restore(t, url, file); db.CodeOf(err) != db.AlreadyExists {
		t.Errorf("restoring over a pgtape: %v, want %s", err, db.AlreadyExists)
	}
}

func TestABackupOfAnEarlierPgtapeIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	old := dbtest.Empty(t)
	if err := db.MigrateTo(t.Context(), old, 6); err != nil {
		t.Fatal(err)
	}
	file, backup := backupOf(t, old)
	if backup.Migration != 6 {
		t.Fatalf("backup %+v", backup)
	}
	url := dbtest.Empty(t)
	if err := restore(t, url, file); err != nil {
		t.Fatal(err)
	}
	d := openAsServer(t, url)
	if err := d.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
	if account, err := d.CreateAccount(t.Context(), "ana", ""); err != nil || account.Balance != "1000.000000" {
		t.Errorf("%+v, %v", account, err)
	}
}

// within is where the middle of a part is in a file: a zip has bytes that say what others say too.
// What an earlier version took, and this one refuses, comes through a backup as it is.
func TestABackupOfDatesThatCannotBeSaidIsRestored(t *testing.T) {
	t.Parallel()
	d := dbtest.Earlier(t, dbtest.EarlierDates)
	file, _ := backupOf(t, d.URL())
	into := dbtest.Empty(t)
	if err := restore(t, into, file); err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, into), contents(t, d.URL()); !maps.Equal(got, want) {
		t.Errorf("restored\n%v\nwant\n%v", got, want)
	}
}

func within(t *testing.T, file []byte, part string) int64 {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if f.Name == part {
			at, err := f.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			return at + int64(f.CompressedSize64)/2
		}
	}
	t.Fatalf("no %s", part)
	return 0
}

func TestWhatIsNoBackupIsRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	trade(t, d, d.Account(t, "10"), d.Market(t), "yes", "1")
	file, _ := backupOf(t, d.URL())

	// changed is the backup with other parts; nil takes one away.
	changed := func(change func(name string, text []byte) []byte) []byte {
		r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for _, f := range r.File {
			part, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if _, err := text.ReadFrom(part); err != nil {
				t.Fatal(err)
			}
			if now := change(f.Name, text.Bytes()); now != nil {
				to, err := w.Create(f.Name)
				if err == nil {
					_, err = to.Write(now)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	manifest := func(change func(*db.Backup)) []byte {
		return changed(func(name string, text []byte) []byte {
			if name != "manifest.json" {
				return text
			}
			var b db.Backup
			if err := json.Unmarshal(text, &b); err != nil {
				t.Fatal(err)
			}
			change(&b)
			now, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			return now
		})
	}
	only := func(part string, now func([]byte) []byte) []byte {
		return changed(func(name string, text []byte) []byte {
			if name == part {
				return now(text)
			}
			return text
		})
	}
	const trades = "pgtape_core.trade.copy"
	damaged := bytes.Clone(file)
	damaged[within(t, file, trades)] ^= 0x10
	tests := map[string]struct {
		file []byte
		want string // part of the message
	}{
		"another file":         {[]byte("no zip at all"), "no backup"},
		"half of it":           {file[:len(file)/2], "no backup"},
		"a bit flipped":        {damaged, ""},
		"no manifest":          {only("manifest.json", func([]byte) []byte { return nil }), "no backup"},
		"a later pgtape's":     {manifest(func(b *db.Backup) { b.Migration = 9999 }), "9999"},
		"a table is missing":   {only(trades, func([]byte) []byte { return nil }), "lacks"},
		"rows are missing":     {only(trades, func([]byte) []byte { return []byte{} }), "0 rows"},
		"a table of elsewhere": {manifest(func(b *db.Backup) { b.Tables[0].Name = `pg_catalog.pg_authid` }), "not pgtape's"},
		"a table that injects": {manifest(func(b *db.Backup) { b.Tables[0].Name = `pgtape_core.account; drop schema pgtape cascade; --` }), ""},
		"a balance was raised": {only("pgtape_core.account.copy", func(text []byte) []byte {
			return []byte(strings.Replace(string(text), "\tperson\t", "\tperson\t9", 1))
		}), "not sound"},
	}
	for name, tt := range tests {
		err := restore(t, dbtest.Empty(t), tt.file)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
