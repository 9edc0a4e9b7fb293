package db_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
)

func TestProvisionGivesOwnerAndServerTheirRights(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "pgtape-test-")
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, BinDir: dbtest.BinDir(t), Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cluster.Stop(context.WithoutCancel(t.Context())), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	for range 2 { // as at every start
		if err := db.Provision(t.Context(), cluster.Endpoint); err != nil {
			t.Fatal(err)
		}
	}
	owner := open(t, cluster.URL(db.OwnOwner, db.OwnDatabase))
	if _, err := owner.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: "house"}); err != nil {
		t.Fatal(err)
	}
	table, err := db.Query(t.Context(), owner.URL(), "select * from trade('rain', 'yes', 'buy', shares => 10, max_cost => 6)")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := table.Write(&text); err != nil || !strings.Contains(text.String(), db.OwnAccount) || !strings.Contains(text.String(), "(1 rows)") {
		t.Errorf("traded as %s, %v, want the account %s", text.String(), err, db.OwnAccount)
	}
	_, err = db.Query(t.Context(), owner.URL(), "select * from trade('rain', 'yes', 'buy', shares => 10)")
	if db.CodeOf(err) != db.InvalidOrder {
		t.Errorf("a blind order: %v, want %s", err, db.InvalidOrder)
	}

	server, err := db.Open(t.Context(), cluster.URL(db.OwnServer, db.OwnDatabase), db.Options{AsServer: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := server.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
	if err := server.CheckSource(t.Context(), "wal"); err != nil {
		t.Error(err)
	}
	if _, err := server.ResolveMarket(t.Context(), "rain", []db.Decimal{"1", "0"}, "why"); err == nil {
		t.Error("the server has resolved a market")
	}
}
