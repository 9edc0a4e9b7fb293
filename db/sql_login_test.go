package db_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// A login that is made for an account trades as it, and cannot take all connections.
func TestAnSQLLoginIsLimited(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, rain := d.Account(t, "1000"), d.Market(t)
	made, err := db.CreateSQLLogin(t.Context(), d.URL(), ana, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d, err := pgx.Connect(context.WithoutCancel(t.Context()), d.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close(context.WithoutCancel(t.Context()))
		if _, err := d.Exec(context.WithoutCancel(t.Context()), "drop owned by "+made.Name+"; drop role "+made.Name); err != nil {
			t.Error(err)
		}
	})
	config, err := pgx.ParseConfig(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = made.Name, made.Password
	for i := range 3 {
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if (err == nil) != (i < 2) || err != nil && sqlState(err) != "53300" {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		if err != nil {
			break
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		var account, limits string
		err = conn.QueryRow(t.Context(), `
			select (pgtape.trade($1, 'yes', 'buy', shares => 1, max_cost => 1)).account,
				concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'))`,
			rain).Scan(&account, &limits)
		if err != nil || account != ana || limits != "15s 5s 5s" {
			t.Errorf("trades as %s within %s, %v", account, limits, err)
		}
	}
	for handle, want := range map[string]db.Code{ana: db.AlreadyExists, "nobody-of-this-name": db.NotFound} {
		if _, err := db.CreateSQLLogin(t.Context(), d.URL(), handle, 5); db.CodeOf(err) != want {
			t.Errorf("for %s: %v, want %s", handle, err, want)
		}
	}
	if _, err := db.CreateSQLLogin(t.Context(), d.URL(), ana, 0); db.CodeOf(err) != db.InvalidRequest {
		t.Errorf("without connections: %v", err)
	}
}

// sqlState is the SQLSTATE of an error of Postgres.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
