package db_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/pgtape/pgtape/audit"
	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/dbtest/texts"
)

// search finds each market by its question.
func (n *namesBook) search() {
	n.Helper()
	for _, slug := range n.slugs {
		m, err := n.DB.DB.Market(n.Context(), slug)
		if err != nil {
			n.Fatal(err)
		}
		found, _, err := n.Markets(n.Context(), db.MarketFilter{Query: m.Question, Limit: 200, Sort: "new"})
		if err != nil || len(found) < 200 && !slices.ContainsFunc(found, func(f db.Market) bool { return f.Slug == slug }) {
			n.Errorf("%s is not found by its question %+q, %v", slug, m.Question, err)
		}
	}
}

// comesBack writes a backup and restores it: each table is the same, and the export is JSON.
func (n *namesBook) comesBack() {
	n.Helper()
	want := contents(n.T, n.URL())
	file, _ := backupOf(n.T, n.URL())
	url := dbtest.Empty(n.T)
	if err := restore(n.T, url, file); err != nil {
		n.Fatal(err)
	}
	for name, rows := range contents(n.T, url) {
		if rows != want[name] {
			n.Errorf("%s is not restored as it was", name)
		}
	}
	export, err := n.ExportAccount(n.Context(), n.ana)
	if err != nil || !json.Valid(export) || bytes.ContainsAny(export, "\x1b\x00") {
		n.Errorf("the export: %v, %.200q", err, export)
	}
}

// printed prints every table as pgtape sql does: a row is a line, and nothing in it is acted on.
func (n *namesBook) printed() {
	n.Helper()
	for _, statement := range []string{"select * from markets", "select * from comments", "select * from audit", "select * from tape", "select * from accounts", "table pgtape_core.trade", "select * from categories"} {
		var out strings.Builder
		table, err := db.Query(n.Context(), n.URL(), statement)
		if err == nil {
			err = table.Write(&out)
		}
		if err != nil || texts.Harms(out.String()) || strings.Count(out.String(), "\n") != len(table.Rows)+3 {
			n.Errorf("at a terminal, %s: %v", statement, err)
		}
	}
}

// replays rebuilds the database from its tapes.
func (n *namesBook) replays() {
	n.Helper()
	err := n.ReadBook(n.Context(), func(b *db.Book) error {
		rebuilt, err := audit.Replay(n.Context(), func(yield func(audit.Event, error) bool) {
			for e, err := range b.Events(n.Context()) {
				if !yield(audit.Event{Market: e.Market, Seq: e.Seq, At: e.At, Kind: e.Kind, Body: e.Body, Prev: e.Prev, Hash: e.Hash}, err) {
					return
				}
			}
		}, audit.Options{Workers: 1})
		if err != nil {
			return err
		}
		for _, f := range rebuilt.Findings() {
			n.Errorf("replayed: %s: %s: %s", f.Invariant, f.Subject, f.Problem)
		}
		return nil
	})
	if err != nil {
		n.Error(err)
	}
}
