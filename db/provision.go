package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/embedded"
)

// Names on a Postgres of our own. The owner migrates and operates; the server has the rights of
// pgtape_server, and replication for the tape reader.
const (
	OwnDatabase = "pgtape"
	OwnOwner    = "pgtape_owner"
	OwnServer   = "pgtape_web"
	// OwnAccount is who the owner trades as in psql.
	OwnAccount = "psql"
)

// Provision makes roles and database on an embedded Postgres, where they are not there yet, and
// brings the schema up to date.
func Provision(ctx context.Context, e embedded.Endpoint) error {
	err := statements(ctx, e.URL(e.Superuser(), "postgres"), `
		do $$
		begin
			if not exists (select from pg_catalog.pg_roles where rolname = 'pgtape_owner') then
				create role pgtape_owner login createrole replication;
			end if;
			if not exists (select from pg_catalog.pg_roles where rolname = 'pgtape_web') then
				create role pgtape_web login replication;
			end if;
		end;
		$$`)
	if err != nil {
		return fmt.Errorf("making roles: %w", err)
	}
	if err := createDatabase(ctx, e); err != nil {
		return err
	}
	if _, err := MigrateUp(ctx, e.URL(OwnOwner, OwnDatabase)); err != nil {
		return err
	}
	err = statements(ctx, e.URL(e.Superuser(), OwnDatabase), "grant pgtape_server to pgtape_web")
	if err != nil {
		return fmt.Errorf("granting the server its rights: %w", err)
	}
	return provisionAccount(ctx, e.URL(OwnOwner, OwnDatabase))
}

func createDatabase(ctx context.Context, e embedded.Endpoint) error {
	conn, err := pgx.Connect(ctx, e.URL(e.Superuser(), "postgres"))
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	err = conn.QueryRow(ctx, "select exists (select from pg_catalog.pg_database where datname = $1)", OwnDatabase).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, "create database pgtape owner pgtape_owner")
	}
	if err != nil {
		return fmt.Errorf("making the database: %w", err)
	}
	return nil
}

// provisionAccount lets the owner trade in psql.
func provisionAccount(ctx context.Context, url string) error {
	d, err := Open(ctx, url, Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.CreateAccount(ctx, OwnAccount, ""); err != nil && CodeOf(err) != AlreadyExists {
		return fmt.Errorf("making the account %s: %w", OwnAccount, err)
	}
	return d.MapLogin(ctx, OwnOwner, OwnAccount)
}

func statements(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}
