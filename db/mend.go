package db

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/connect"
	schema "github.com/pgtape/pgtape/sql"
)

// checkMigratable refuses a database that cannot be migrated by the login of the URL.
func checkMigratable(ctx context.Context, url string) error {
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	needs, err := Needs(ctx, conn, ToMigrate)
	if err == nil {
		err = errorOf(needs)
	}
	if err == nil {
		err = ProbeCommit(ctx, conn)
	}
	return err
}

// CheckCommits says whether commits in the database of a URL are answered: ProbeCommit on a connection of
// its own.
// Errors: Unavailable.
func CheckCommits(ctx context.Context, url string) error {
	conn, err := connect.Open(ctx, url, connect.Options{})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return ProbeCommit(ctx, conn)
}

// commitWithin is how long a commit may take before it counts as one that waits for a standby.
const commitWithin = 5 * time.Second

// ProbeCommit commits a small message that nobody reads. Where a synchronous standby is missing, that
// would wait for ever. The connection is closed if it does.
// Errors: Unavailable.
func ProbeCommit(ctx context.Context, conn *pgx.Conn) error {
	var names string
	err := conn.QueryRow(ctx, "select case when current_setting('synchronous_commit') not in ('off', 'local') then current_setting('synchronous_standby_names') else '' end",
		pgx.QueryExecModeExec).Scan(&names)
	if err != nil || names == "" {
		return refusal(err)
	}
	limited, cancel := context.WithTimeout(ctx, commitWithin)
	defer cancel()
	_, err = conn.Exec(limited, "select pg_logical_emit_message(true, 'pgtape', 'is a commit answered?')", pgx.QueryExecModeExec)
	if limited.Err() != nil && ctx.Err() == nil {
		return &Error{
			Code: Unavailable, Message: fmt.Sprintf("a commit is not answered within %v: it waits for a synchronous standby (synchronous_standby_names is %q)", commitWithin, names),
			Hint:   "start the standby; or go on without: alter system set synchronous_standby_names = ''; select pg_reload_conf()",
			Reason: ReasonTimeout, cause: err,
		}
	}
	return refusal(err)
}

// mendState brings back what the digest of the functions does not tell of: rights, sequences and the publication.
// It returns what it did, in words.
func mendState(ctx context.Context, conn *pgx.Conn) (mended []string, err error) {
	missing, err := missingGrants(ctx, conn)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		// A function may be missing, too.
		if _, err := conn.Exec(ctx, "grant usage on schema pgtape to "+strings.Join(schema.Roles, ", ")); err != nil {
			return nil, fmt.Errorf("giving back the use of the schema: %w", refusal(err))
		}
		if _, err := applyFunctions(ctx, conn, true); err != nil {
			return nil, fmt.Errorf("giving back %d missing rights: %w", len(missing), err)
		}
		mended = append(mended, fmt.Sprintf("rights (%d were missing)", len(missing)))
	}
	rows, err := conn.Query(ctx, "select * from pgtape_core.advance_sequences()", pgx.QueryExecModeExec)
	if err != nil {
		return mended, refusal(err)
	}
	advanced, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return mended, fmt.Errorf("advancing sequences: %w", refusal(err))
	}
	mended = append(mended, advanced...)
	s, err := stateOf(ctx, conn)
	if err != nil || s.Publishes {
		return mended, err
	}
	statement := "create publication pgtape_tape for table pgtape_core.tape with (publish = 'insert')"
	if s.Published {
		statement = "alter publication pgtape_tape set (publish = 'insert'); alter publication pgtape_tape set table pgtape_core.tape"
	}
	if _, err := conn.PgConn().Exec(ctx, statement).ReadAll(); err != nil {
		return mended, &Error{
			Code: NotPermitted, Message: "the publication pgtape_tape does not publish the tape, and the login may not mend it: " + err.Error(),
			Hint: "as a superuser, in the database " + s.Database + ": grant create on database " + name(s.Database) + " to " + name(s.Login) + "; drop publication if exists pgtape_tape; then: pgtape migrate up", cause: err,
		}
	}
	return append(mended, "publication"), nil
}

// GiveTo makes a role the owner of all that is pgtape's in a database, as after a restore without
// owners. The login must be a superuser, or a member of all owners.
// Errors: NotPermitted, Unavailable.
func GiveTo(ctx context.Context, url, role string) error {
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	home, err := gooseSchema(ctx, conn)
	if err != nil {
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return refusal(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	rows, err := tx.Query(ctx, ownedObjects, role, home, gooseTable)
	if err != nil {
		return refusal(err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return refusal(err)
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			if pg := pgErrorOf(err); pg != nil {
				err = &Error{
					Code: NotPermitted, Message: statement + ": " + pg.Message,
					Hint: "give it as a superuser, to a role that is there: create role " + name(role) + " login", cause: err,
				}
			}
			return err
		}
	}
	return refusal(tx.Commit(ctx))
}

// ownedObjects has a statement for each object that belongs to somebody else. Sequences of identity
// columns go with their tables, types of tables with those.
const ownedObjects = `
	with ours as (select n.oid, n.nspname, n.nspowner from pg_catalog.pg_namespace n where n.nspname in ('pgtape', 'pgtape_core')),
	role as (select coalesce((select r.oid from pg_catalog.pg_roles r where r.rolname = $1), 0) as oid),
	object as (
		select 1 as n, 'schema' as kind, format('%I', o.nspname) as name, o.nspowner as owner from ours o
		union all
		select 2, case c.relkind when 'v' then 'view' when 'S' then 'sequence' when 'c' then 'type' else 'table' end,
		       format('%I.%I', o.nspname, c.relname), c.relowner
		from pg_catalog.pg_class c join ours o on o.oid = c.relnamespace
		where c.relkind in ('r', 'v', 'S', 'c')
			and not exists (select from pg_catalog.pg_depend d where d.objid = c.oid and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i') and c.relkind = 'S')
		union all
		select 3, 'type', format('%I.%I', o.nspname, t.typname), t.typowner
		from pg_catalog.pg_type t join ours o on o.oid = t.typnamespace where t.typtype in ('d', 'e')
		union all
		select 4, 'routine', p.oid::regprocedure::text, p.proowner from pg_catalog.pg_proc p join ours o on o.oid = p.pronamespace
		union all
		select 5, 'publication', format('%I', p.pubname), p.pubowner from pg_catalog.pg_publication p where p.pubname = 'pgtape_tape'
		union all
		select 6, 'table', format('%I.%I', $2::text, c.relname), c.relowner
		from pg_catalog.pg_class c where c.relname = $3 and c.relnamespace = to_regnamespace(quote_ident($2))
	)
	select format('alter %s %s owner to %I', o.kind, o.name, $1::text)
	from object o, role
	where o.owner <> role.oid
	order by o.n`
