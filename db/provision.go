package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/embedded"
	schema "github.com/pgtape/pgtape/sql"
)

// Names on a Postgres of our own. The owner migrates; the functions run as it, so it can do nothing
// beyond its database: who found a way to run something as the owner would have the cluster, else.
// The person is whoever types into pgtape psql: the owner's rights, and that to make logins. The server
// has the rights of pgtape_server, and replication for the tape reader.
const (
	OwnDatabase = "pgtape"
	OwnOwner    = "pgtape_owner"
	OwnPerson   = "pgtape_psql"
	OwnServer   = "pgtape_web"
	// OwnAccount is who the person trades as in psql.
	OwnAccount = "psql"
)

// makeRoles makes the logins and, so that the owner need not be able to, the roles of the migrations.
// The last line before the grants is for data from before the owner lost that right.
const makeRoles = `
	do $$
	declare
		v_role text;
	begin
		if to_regrole('pgtape_owner') is null then
			create role pgtape_owner login replication;
		end if;
		if to_regrole('pgtape_psql') is null then
			create role pgtape_psql login createrole replication;
		end if;
		if to_regrole('pgtape_web') is null then
			create role pgtape_web login replication;
		end if;
		foreach v_role in array '{%s}'::text[] loop
			if to_regrole(v_role) is null then
				execute format('create role %%I nologin', v_role);
			end if;
			execute format('grant %%I to pgtape_owner', v_role);
			execute format('grant %%I to pgtape_psql with admin option', v_role);
		end loop;
		alter role pgtape_owner nosuperuser nocreaterole nocreatedb nobypassrls;
		grant pg_signal_backend, pg_read_all_stats to pgtape_owner;
		grant pgtape_owner to pgtape_psql;
		grant pgtape_server to pgtape_web;
	end;
	$$`

// closePublic keeps everybody out of the schema public, as PostgreSQL 15 does by itself. The owner
// keeps goose's table there.
const closePublic = "revoke create on schema public from public; grant create on schema public to pgtape_owner"

// Provision makes roles and database on an embedded Postgres, where they are not there yet, and
// brings the schema up to date.
func Provision(ctx context.Context, e embedded.Endpoint) error {
	if err := statements(ctx, e.URL(e.Superuser(), "postgres"), fmt.Sprintf(makeRoles, strings.Join(schema.Roles, ","))); err != nil {
		return fmt.Errorf("making roles: %w", err)
	}
	if err := createDatabase(ctx, e); err != nil {
		return err
	}
	for _, database := range []string{"postgres", "template1", OwnDatabase} { // template1: what is made later is a copy of it
		if err := statements(ctx, e.URL(e.Superuser(), database), closePublic); err != nil {
			return fmt.Errorf("closing the schema public of %s: %w", database, err)
		}
	}
	// Whatever somebody has restored there as the superuser.
	if err := GiveTo(ctx, e.URL(e.Superuser(), OwnDatabase), OwnOwner); err != nil {
		return fmt.Errorf("giving the schema to its owner: %w", err)
	}
	if _, err := MigrateUp(ctx, e.URL(OwnOwner, OwnDatabase)); err != nil {
		return err
	}
	return provisionAccount(ctx, e.URL(OwnOwner, OwnDatabase))
}

func createDatabase(ctx context.Context, e embedded.Endpoint) error {
	conn, err := connect.Open(ctx, e.URL(e.Superuser(), "postgres"), connect.Options{Unlimited: true})
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

// provisionAccount lets the owner, and the person at psql, trade.
func provisionAccount(ctx context.Context, url string) error {
	d, err := Open(ctx, url, Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.CreateAccount(ctx, OwnAccount, ""); err != nil && CodeOf(err) != AlreadyExists {
		return fmt.Errorf("making the account %s: %w", OwnAccount, err)
	}
	return mapOwnLogins(ctx, d)
}

func mapOwnLogins(ctx context.Context, d *DB) error {
	for _, login := range []string{OwnOwner, OwnPerson} {
		if err := d.MapLogin(ctx, login, OwnAccount); err != nil {
			return fmt.Errorf("letting %s trade: %w", login, err)
		}
	}
	return nil
}

// adoptAccount is provisionAccount for a database that came from elsewhere: it is left as it is if it
// has no such account.
func adoptAccount(ctx context.Context, url string) error {
	d, err := Open(ctx, url, Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := mapOwnLogins(ctx, d); CodeOf(err) != NotFound {
		return err
	}
	return nil
}

func statements(ctx context.Context, url, sql string) error {
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}
