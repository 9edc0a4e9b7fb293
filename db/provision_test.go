package db_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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
		// As it was when the owner could make roles, and everybody temporary tables.
		super := open(t, cluster.URL(cluster.Superuser(), db.OwnDatabase))
		if _, err := super.Pool().Exec(t.Context(), "alter role pgtape_owner createrole"); err != nil {
			t.Fatal(err)
		}
		if _, err := super.Pool().Exec(t.Context(), "grant temporary on database pgtape to public"); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Provision(t.Context(), cluster.Endpoint); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, cluster.URL(db.OwnOwner, db.OwnDatabase))
	wantNoPower(t, cluster.URL(db.OwnOwner, db.OwnDatabase))
	owner := open(t, cluster.URL(db.OwnOwner, db.OwnDatabase))
	if _, err := owner.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: "house"}); err != nil {
		t.Fatal(err)
	}
	// The person at psql makes logins, and trades.
	person := cluster.URL(db.OwnPerson, db.OwnDatabase)
	for _, statement := range []string{"create role ana login in role pgtape_trader", "select halt_market('rain', 'why')", "select open_market('rain', 'why')"} {
		if _, err := db.Query(t.Context(), person, statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	table, err := db.Query(t.Context(), person, "select * from trade('rain', 'yes', 'buy', shares => 10, max_cost => 6)")
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
	// It reads the tape, and cannot copy the cluster; nor can the others that may replicate.
	for _, login := range []string{db.OwnServer, db.OwnOwner, db.OwnPerson} {
		conn, err := pgconn.Connect(t.Context(), cluster.URL(login, db.OwnDatabase)+"&replication=true")
		if err == nil {
			t.Errorf("%s may copy the whole cluster", login)
			conn.Close(t.Context())
		}
	}
	if _, err := server.ResolveMarket(t.Context(), "rain", []db.Decimal{"1", "0"}, "why"); err == nil {
		t.Error("the server has resolved a market")
	}
}

// wantNoPower: what runs as the owner of the functions can do nothing beyond its database.
func wantNoPower(t *testing.T, url string) {
	t.Helper()
	rows, err := open(t, url).Pool().Query(t.Context(), `
		select distinct r.rolname::text
		from pg_proc p
		join pg_roles r on r.oid = p.proowner
		where p.pronamespace in ('pgtape'::regnamespace, 'pgtape_core'::regnamespace)
			and (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolbypassrls or pg_has_role(r.oid, 'pg_execute_server_program', 'member'))`)
	if err != nil {
		t.Fatal(err)
	}
	if powerful, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(powerful) > 0 {
		t.Errorf("functions run as %v, %v, who can do more than they must", powerful, err)
	}
	if _, err := db.Query(t.Context(), url, "create role more"); err == nil {
		t.Error("the owner has made a role")
	}
}
