package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/hosts"
	schema "github.com/pgtape/pgtape/sql"
)

// Migration is one numbered migration of the embedded files.
type Migration struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Applied bool   `json:"applied"`
}

// MigrateUp brings a database up to date: the numbered migrations under goose's session lock,
// then, if they are not the ones it has, all functions in one transaction. It returns what it
// applied, in words.
// What a restore without privileges or publications has left out is brought back, too.
// Errors: NotPermitted, with what the login lacks; Unavailable.
func MigrateUp(ctx context.Context, url string) (applied []string, err error) {
	if err := checkMigratable(ctx, url); err != nil {
		return nil, err
	}
	provider, done, err := gooseProvider(ctx, url)
	if err != nil {
		return nil, err
	}
	defer done()
	results, err := provider.Up(ctx)
	if isConnectError(err) { // it takes two connections at once
		return nil, connectError(err)
	}
	if err != nil {
		return nil, fmt.Errorf("migrating: %w", err)
	}
	for _, result := range results {
		applied = append(applied, result.Source.Path)
	}

	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return nil, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	changed, err := applyFunctions(ctx, conn, false)
	if changed {
		applied = append(applied, "functions")
	}
	if err != nil {
		return applied, err
	}
	mended, err := mendState(ctx, conn)
	return append(applied, mended...), err
}

// MigrateTo applies the numbered migrations up to one, and no functions: as earlier programs left databases.
func MigrateTo(ctx context.Context, url string, version int64) error {
	provider, done, err := gooseProvider(ctx, url)
	if err != nil {
		return err
	}
	defer done()
	if _, err := provider.UpTo(ctx, version); err != nil {
		return fmt.Errorf("migrating to %d: %w", version, err)
	}
	return nil
}

// newestMigration is the number of the last embedded migration.
func newestMigration() (int64, error) {
	files, err := fs.Glob(schema.Migrations(), "*.sql")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("finding the migrations: %w", err)
	}
	return goose.NumericComponent(files[len(files)-1])
}

// MigrateDown takes back the last numbered migration, or all of them.
func MigrateDown(ctx context.Context, url string, all bool) error {
	provider, done, err := gooseProvider(ctx, url)
	if err != nil {
		return err
	}
	defer done()
	if all {
		_, err = provider.DownTo(ctx, 0)
	} else {
		_, err = provider.Down(ctx)
	}
	if err != nil {
		return fmt.Errorf("migrating down: %w", err)
	}
	if all {
		return nil
	}
	// Functions went with the types and tables that they use.
	return statements(ctx, url, "update pgtape_core.function_bundle set digest = ''")
}

// MigrationStatus lists the embedded migrations, and whether the functions are this binary's.
func MigrationStatus(ctx context.Context, url string) (migrations []Migration, current bool, err error) {
	provider, done, err := gooseProvider(ctx, url)
	if err != nil {
		return nil, false, err
	}
	defer done()
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("reading migration status: %w", err)
	}
	for _, s := range status {
		migrations = append(migrations, Migration{s.Source.Version, s.Source.Path, s.State == goose.StateApplied})
	}
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return nil, false, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, want, err := ownFunctions()
	if err != nil {
		return nil, false, err
	}
	have, err := functionDigest(ctx, conn)
	return migrations, have == want, err
}

// CheckSchema refuses a database whose functions are not this binary's.
// Errors: NotPermitted, with what to do in the hint; Unavailable.
func (d *DB) CheckSchema(ctx context.Context) error {
	_, want, err := ownFunctions()
	if err != nil {
		return err
	}
	have, err := functionDigest(ctx, d.pool)
	if err == nil && have != want {
		return &Error{
			Code: NotPermitted, Message: "the schema of this database is not this program's",
			Hint: "bring it up to date: pgtape migrate up",
		}
	}
	return err
}

// SchemaState is how the schema of a database stands to this program's.
type SchemaState string

// The states: there is none; it is another version's; it is ours.
const (
	SchemaMissing SchemaState = "missing"
	SchemaOther   SchemaState = "other"
	SchemaOwn     SchemaState = "own"
)

// SchemaOf looks what schema a database has. A login that may not see it sees another's.
func SchemaOf(ctx context.Context, conn *pgx.Conn) (SchemaState, error) {
	var exists, visible bool
	err := conn.QueryRow(ctx, `
		select to_regnamespace('pgtape') is not null,
			coalesce(has_schema_privilege(to_regnamespace('pgtape')::oid, 'usage'), false)`).Scan(&exists, &visible)
	if err != nil || !exists {
		return SchemaMissing, refusal(err)
	}
	_, want, err := ownFunctions()
	if err != nil || !visible {
		return SchemaOther, err
	}
	have, err := functionDigest(ctx, conn)
	if pg := pgErrorOf(err); pg != nil && pg.Code == "42501" {
		return SchemaOther, nil
	}
	if have == want {
		return SchemaOwn, err
	}
	return SchemaOther, err
}

func gooseProvider(ctx context.Context, url string) (provider *goose.Provider, done func(), err error) {
	config, err := connect.Config(url, connect.Options{Unlimited: true})
	if err != nil {
		return nil, nil, Errorf(InvalidRequest, "%w", err)
	}
	servers := hosts.ForOnce(url)
	look, err := connect.DialOne(ctx, servers, config)
	if err != nil {
		return nil, nil, connectError(err)
	}
	home, err := gooseSchema(ctx, look)
	look.Close(context.WithoutCancel(ctx))
	if err != nil {
		return nil, nil, err
	}
	conn := connect.OpenDB(servers, config)
	locker, err := lock.NewPostgresSessionLocker()
	if err == nil {
		provider, err = goose.NewProvider(goose.DialectPostgres, conn, schema.Migrations(),
			goose.WithSessionLocker(locker), goose.WithTableName(home+"."+gooseTable))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("preparing migrations: %w", err), conn.Close())
	}
	return provider, func() { conn.Close() }, nil
}

// gooseTable is the table in which goose notes what it has applied.
const gooseTable = "goose_db_version"

// gooseSchema is the schema of goose's table: public, unless the stock goose command has made the
// table in another, where the path of its login began. Where there is no table it is public, too.
func gooseSchema(ctx context.Context, conn querier) (name string, err error) {
	err = conn.QueryRow(ctx, `
		select coalesce((
			select n.nspname::text
			from pg_catalog.pg_class c
			join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where c.relname = $1 and c.relkind = 'r' and to_regnamespace('pgtape_core') is not null
			order by n.nspname <> 'public', c.relowner <> (select o.nspowner from pg_catalog.pg_namespace o where o.nspname = 'pgtape_core'), n.nspname
			limit 1
		), 'public')`, gooseTable).Scan(&name)
	return name, refusal(err)
}

func ownFunctions() ([]schema.Function, string, error) {
	functions, err := schema.Functions()
	return functions, schema.Digest(functions), err
}

// querier is a connection or a pool.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// functionDigest reads the digest of the functions that the database has; empty if it has none.
func functionDigest(ctx context.Context, conn querier) (string, error) {
	var digest string
	err := conn.QueryRow(ctx, "select digest from pgtape.schema_digest").Scan(&digest)
	if pg := pgErrorOf(err); pg != nil && (pg.Code == "42P01" || pg.Code == "3F000") {
		return "", nil
	}
	return digest, refusal(err)
}

// applyFunctions replaces all functions by the embedded ones, in one transaction under a lock,
// unless they are the same and need not be applied anyway. Functions of our schemas that no file declares are dropped: they are
// the ones that the transaction has not written.
func applyFunctions(ctx context.Context, conn *pgx.Conn, anyway bool) (changed bool, err error) {
	functions, digest, err := ownFunctions()
	if err != nil {
		return false, err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return false, fmt.Errorf("applying functions: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('pgtape functions'))"); err != nil {
		return false, fmt.Errorf("applying functions: %w", err)
	}
	var have string
	if err := tx.QueryRow(ctx, "select digest from pgtape_core.function_bundle").Scan(&have); err != nil {
		return false, fmt.Errorf("reading function digest: %w", err)
	}
	if have == digest && !anyway {
		// A database that was restored, or made from a template, has the functions and not this.
		if _, err := tx.Exec(ctx, "select pgtape_core.revoke_public_rights()"); err != nil {
			return false, fmt.Errorf("revoking what everybody may do: %w", err)
		}
		return false, tx.Commit(ctx)
	}

	// Off: the order of the files does not matter.
	if _, err := tx.Exec(ctx, "set local check_function_bodies = off"); err != nil {
		return false, fmt.Errorf("applying functions: %w", err)
	}
	for _, f := range functions {
		if f.Name == schema.GrantsFile { // which touches every function
			if _, err := tx.Exec(ctx, dropUndeclared); err != nil {
				return false, fmt.Errorf("dropping functions that no file declares: %w", err)
			}
		}
		if _, err := tx.Conn().PgConn().Exec(ctx, f.Text).ReadAll(); err != nil {
			return false, fmt.Errorf("applying %s: %w", f.Name, err)
		}
	}
	return true, tx.Commit(ctx)
}

const dropUndeclared = `
do $$
declare
	v_function regprocedure;
begin
	for v_function in
		select p.oid
		from pg_catalog.pg_proc p
		where p.pronamespace in ('pgtape'::regnamespace, 'pgtape_core'::regnamespace)
			and p.xmin <> pg_current_xact_id()::xid
	loop
		execute 'drop function ' || v_function;
	end loop;
end;
$$`
