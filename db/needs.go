package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/tape"
	schema "github.com/pgtape/pgtape/sql"
)

// Need is something that a database, or a login, lacks. pgtape serve, migrate and doctor ask the one
// list: Needs.
type Need struct {
	Subject string
	What    string // is wrong, in a sentence
	Mend    string // the command, or what to change
	Blocks  bool   // else it works, and costs something
}

// Purpose is what a login is to do with a database.
type Purpose int

// The purposes: pgtape serve; pgtape migrate up.
const (
	ToServe Purpose = iota
	ToMigrate
)

// standbyMend is what helps whoever has named a standby.
const standbyMend = "name the primary, or all servers in one URL (postgres://…@one:5432,two:5432/…): pgtape connects to the one that takes writes"

// needsWithin is how long the questions may take.
const needsWithin = 10 * time.Second

// databaseState is what a database is like, as every login may read it in the catalogs.
type databaseState struct {
	Number       int
	Login        string
	Database     string
	Encoding     string // of the database
	Superuser    bool
	Recovery     bool
	ReadOnly     bool
	HasSchema    bool
	Owner        string // of the schema pgtape_core; empty: there is none
	OwnerSuper   bool   // it is a superuser
	OwnsSchema   bool   // the login is, or is a member of, the owner
	OtherOwners  int    // objects of other owners
	MissingRoles []string
	StrangeRoles []string // that are there, and the login is no member of
	CreateRole   bool
	Create       bool // schemas, in the database
	CreatePublic bool // tables, in the schema public
	HasGoose     bool
	Member       bool     // of pgtape_server
	Usage        bool     // pgtape_server may use the schema
	Published    bool     // there is a publication
	Publishes    bool     // it publishes all that is inserted into the tape, and only that
	ShortLimits  []string // time limits of this session that are below a second, by name
}

const askState = `
	with core as (select n.* from pg_catalog.pg_namespace n where n.nspname = 'pgtape_core'),
	me as (select r.* from pg_catalog.pg_roles r where r.rolname = session_user)
	select
		current_setting('server_version_num')::integer as number,
		session_user::text as login,
		current_database()::text as database,
		current_setting('server_encoding') as encoding,
		(select rolsuper from me) as superuser,
		pg_is_in_recovery() as recovery,
		current_setting('transaction_read_only')::boolean as read_only,
		to_regnamespace('pgtape') is not null as has_schema,
		coalesce((select pg_get_userbyid(c.nspowner)::text from core c), '') as owner,
		coalesce((select o.rolsuper from core c join pg_catalog.pg_roles o on o.oid = c.nspowner), false) as owner_super,
		coalesce((select pg_has_role(session_user, c.nspowner, 'member') from core c), false) as owns_schema,
		(
			select count(*)::integer
			from core c
			cross join lateral (
				select r.relowner as owner from pg_catalog.pg_class r
				where r.relnamespace in (c.oid, to_regnamespace('pgtape')) and r.relkind in ('r', 'v', 'S')
				union all
				select p.proowner from pg_catalog.pg_proc p where p.pronamespace in (c.oid, to_regnamespace('pgtape'))
				union all
				select n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'pgtape'
			) o
			where o.owner <> c.nspowner
		) as other_owners,
		array(select w.role from unnest($1::text[]) w (role) where not exists (select from pg_catalog.pg_roles r where r.rolname = w.role)) as missing_roles,
		array(
			select w.role from unnest($1::text[]) w (role)
			join pg_catalog.pg_roles r on r.rolname = w.role
			where not pg_has_role(session_user, r.oid, 'member')
		) as strange_roles,
		(select rolcreaterole or rolsuper from me) as create_role,
		has_database_privilege(session_user, current_database(), 'create') as "create",
		coalesce(has_schema_privilege(session_user, to_regnamespace('public')::oid, 'create'), false) as create_public,
		to_regnamespace('pgtape_core') is not null and exists (
			select from pg_catalog.pg_class g where g.relname = 'goose_db_version' and g.relkind = 'r'
		) as has_goose,
		coalesce((select pg_has_role(session_user, r.oid, 'member') from pg_catalog.pg_roles r where r.rolname = 'pgtape_server'), false) as member,
		coalesce((
			select has_schema_privilege(r.oid, to_regnamespace('pgtape')::oid, 'usage')
			from pg_catalog.pg_roles r where r.rolname = 'pgtape_server'
		), false) as usage,
		exists (select from pg_catalog.pg_publication where pubname = 'pgtape_tape') as published,
		` + tape.Publishes + ` and exists (
			select from pg_catalog.pg_publication p
			where p.pubname = 'pgtape_tape' and not p.pubupdate and not p.pubdelete and not p.pubtruncate
		) as publishes,
		` + shortLimits + ` as short_limits`

// shortLimits are the names of the time limits of a session that are below a second.
const shortLimits = `array(
	select s.name from pg_catalog.pg_settings s
	where s.name in ('statement_timeout', 'lock_timeout', 'transaction_timeout') and s.setting::bigint between 1 and 999
	order by s.name
)`

func stateOf(ctx context.Context, conn *pgx.Conn) (*databaseState, error) {
	rows, err := conn.Query(ctx, askState, pgx.QueryExecModeExec, schema.Roles)
	if err != nil {
		return nil, refusal(err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[databaseState])
	return s, refusal(err)
}

// Needs returns what a database and the login of a connection lack for a purpose, what blocks first.
// It looks at the state itself: after a restore without owners, privileges or publications the digest
// of the functions is as it was.
// Errors: Unavailable.
func Needs(ctx context.Context, conn *pgx.Conn, to Purpose) ([]Need, error) {
	ctx, cancel := context.WithTimeout(ctx, needsWithin)
	defer cancel()
	s, err := stateOf(ctx, conn)
	if err != nil {
		return nil, err
	}
	needs := s.server()
	if to == ToMigrate {
		return append(needs, s.toMigrate()...), nil
	}
	if more := s.toServe(); len(more) > 0 { // and nothing further can be looked at
		return append(needs, more...), nil
	}
	have, err := SchemaOf(ctx, conn)
	if err != nil {
		return nil, err
	}
	if have == SchemaOther && s.Usage { // whose rights are its own
		return append(needs, Need{
			Subject: "schema", Blocks: true, What: "the schema of this database is another version's than this program's",
			Mend: "bring it up to date: pgtape migrate up; or use the program of the newer version",
		}), nil
	}
	missing, err := missingGrants(ctx, conn)
	needs = append(needs, s.schema(missing)...)
	return append(needs, s.timeLimits()...), err
}

// timeLimits are those that a trade which waits for another would not keep.
func (s *databaseState) timeLimits() (needs []Need) {
	for _, limit := range s.ShortLimits {
		needs = append(needs, ShortLimit(limit, s.Login, s.Database))
	}
	return needs
}

// ShortLimit is of a time limit of a login that is below a second.
func ShortLimit(limit, login, database string) Need {
	return Need{
		Subject: limit, What: limit + " of this login is below a second: trades and pages that take longer, or wait for others, are refused",
		Mend: fmt.Sprintf("set %[1]s = 0; alter role %[2]s in database %[3]s set %[1]s = '30s'", limit, name(login), name(database)),
	}
}

// ShortLimits are those of a connection, which has been given none of ours.
func ShortLimits(ctx context.Context, conn *pgx.Conn) ([]Need, error) {
	s := &databaseState{}
	err := conn.QueryRow(ctx, "select session_user::text, current_database()::text, "+shortLimits, pgx.QueryExecModeExec).
		Scan(&s.Login, &s.Database, &s.ShortLimits)
	return s.timeLimits(), err
}

// server is what any purpose needs of the server.
func (s *databaseState) server() (needs []Need) {
	if s.Number < 14_00_00 {
		needs = append(needs, Need{
			Subject: "version", Blocks: true, What: "the server is older than PostgreSQL 14", Mend: "upgrade it to 14 or newer",
		})
	}
	needs = append(needs, s.encoding()...)
	switch {
	case s.Recovery:
		needs = append(needs, Need{
			Subject: "standby", Blocks: true, What: "the server is a standby and takes no writes",
			Mend: standbyMend,
		})
	case s.ReadOnly:
		needs = append(needs, Need{
			Subject: "read only", Blocks: true, What: "the database takes no writes: default_transaction_read_only is on for this login",
			Mend: fmt.Sprintf("set default_transaction_read_only = off; alter database %s reset default_transaction_read_only; alter role %s reset default_transaction_read_only; alter system reset default_transaction_read_only; select pg_reload_conf()",
				name(s.Database), name(s.Login)),
		})
	}
	return needs
}

// encodingMend is what helps whoever has named a database of another encoding.
const encodingMend = "make another, and name that: create database %s encoding 'UTF8' template template0"

// encoding is what a database keeps text in. It is chosen when the database is made, and stays. With
// SQL_ASCII Postgres keeps bytes and knows of no characters; other encodings lack most characters.
func (s *databaseState) encoding() []Need {
	if s.Encoding == "UTF8" {
		return nil
	}
	mend := fmt.Sprintf(encodingMend, name(s.Database+"_utf8"))
	if s.HasSchema {
		mend += "; what this one holds goes there by pgtape backup and pgtape restore"
	}
	return []Need{{
		Subject: "encoding", Blocks: true,
		What: fmt.Sprintf("the database %s is encoded in %s: pgtape needs UTF8, and the encoding of a database cannot be changed", name(s.Database), s.Encoding),
		Mend: mend,
	}}
}

// toMigrate is what the login needs to make, or to change, the schema.
func (s *databaseState) toMigrate() (needs []Need) {
	if s.Superuser {
		return nil
	}
	if s.Owner != "" && !s.OwnsSchema {
		return []Need{{
			Subject: "owner", Blocks: true, What: fmt.Sprintf("the schema belongs to %s, and the login %s is no member of that", s.Owner, s.Login),
			Mend: fmt.Sprintf("migrate as %s; or give it to this login, as a superuser: pgtape migrate up --owner %s", s.Owner, s.Login),
		}}
	}
	var rights []string
	if (s.Owner == "" || !s.Published) && !s.Create {
		rights = append(rights, fmt.Sprintf("grant create on database %s to %s", name(s.Database), name(s.Login)))
	}
	if !s.HasGoose && !s.CreatePublic {
		rights = append(rights, "grant create on schema public to "+name(s.Login))
	}
	if s.Owner == "" {
		for _, role := range s.MissingRoles {
			if !s.CreateRole {
				rights = append(rights, "create role "+role+" nologin", "grant "+role+" to "+name(s.Login))
			}
		}
		for _, role := range s.StrangeRoles {
			rights = append(rights, "grant "+role+" to "+name(s.Login))
		}
	}
	if len(rights) > 0 {
		needs = append(needs, Need{
			Subject: "privileges", Blocks: true, What: "the login " + s.Login + " may not make the schema and its roles",
			Mend: "as a superuser, in the database " + s.Database + ": " + strings.Join(rights, "; "),
		})
	}
	return needs
}

// toServe is what the login needs before anything of the schema can be looked at.
func (s *databaseState) toServe() []Need {
	switch {
	case !s.HasSchema:
		needs := s.toMigrate()
		return append(needs, Need{Subject: "schema", Blocks: true, What: "the database has no pgtape yet", Mend: "pgtape migrate up"})
	case !s.Member && !s.Superuser:
		mend := "grant pgtape_server to " + name(s.Login)
		if len(s.MissingRoles) > 0 {
			mend = "pgtape migrate up (the roles of pgtape are missing), then: " + mend
		}
		return []Need{{Subject: "privileges", Blocks: true, What: "the login " + s.Login + " is no member of pgtape_server", Mend: mend}}
	}
	return nil
}

// schema is what is missing of the schema though its functions are there.
func (s *databaseState) schema(missing []schema.Grant) (needs []Need) {
	if len(missing) > 0 {
		g := missing[0]
		needs = append(needs, Need{
			Subject: "grants", Blocks: true,
			What: fmt.Sprintf("%d rights of pgtape's roles are missing, as after a restore without privileges: %s on %s to %s, first", len(missing), g.Privilege, g.Object, g.Role),
			Mend: "pgtape migrate up",
		})
	}
	switch {
	case !s.Published:
		needs = append(needs, Need{
			Subject: "publication", What: "the database has no publication pgtape_tape, as after a restore without publications: the WAL cannot be read",
			Mend: "pgtape migrate up",
		})
	case !s.Publishes:
		needs = append(needs, Need{
			Subject: "publication", What: "the publication pgtape_tape does not publish all that is inserted into pgtape_core.tape, and that alone: events come late",
			Mend: "pgtape migrate up",
		})
	}
	if s.OtherOwners > 0 {
		needs = append(needs, Need{
			Subject: "owner", What: fmt.Sprintf("%d objects of the schema belong to another than %s, who owns it: migrations will fail", s.OtherOwners, s.Owner),
			Mend: "as a superuser: pgtape migrate up --owner " + s.Owner,
		})
	}
	if s.OwnerSuper && s.Login != s.Owner {
		needs = append(needs, Need{
			Subject: "owner", What: "the functions run as the superuser " + s.Owner + ", as after a restore without owners: a fault in one would open the whole server",
			Mend: "as a superuser: create role pgtape_owner login; then: pgtape migrate up --owner pgtape_owner",
		})
	}
	return needs
}

func name(s string) string { return pgx.Identifier{s}.Sanitize() }

// missingGrants are the rights of our roles that the catalogs do not have.
func missingGrants(ctx context.Context, conn *pgx.Conn) ([]schema.Grant, error) {
	all, err := schema.Grants()
	if err != nil {
		return nil, err
	}
	kinds, privileges, objects, roles := make([]string, len(all)), make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, g := range all {
		kinds[i], privileges[i], objects[i], roles[i] = g.Kind, g.Privilege, g.Object, g.Role
	}
	rows, err := conn.Query(ctx, `
		with have as (
			select 'function' as kind, p.oid, n.nspname || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')' as object
			from pg_catalog.pg_proc p
			join pg_catalog.pg_namespace n on n.oid = p.pronamespace
			where n.nspname in ('pgtape', 'pgtape_core')
			union all
			select 'relation', c.oid, n.nspname || '.' || c.relname
			from pg_catalog.pg_class c
			join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where n.nspname in ('pgtape', 'pgtape_core') and c.relkind in ('r', 'v')
			union all
			select 'schema', n.oid, n.nspname from pg_catalog.pg_namespace n where n.nspname = 'pgtape'
		)
		select w.kind, w.privilege, w.object, w.role
		from unnest($1::text[], $2::text[], $3::text[], $4::text[]) w (kind, privilege, object, role)
		left join pg_catalog.pg_roles r on r.rolname = w.role
		left join have h on h.kind = w.kind and h.object = w.object
		where not coalesce(case w.kind
			when 'function' then has_function_privilege(r.oid, h.oid, w.privilege)
			when 'relation' then has_table_privilege(r.oid, h.oid, w.privilege)
			else has_schema_privilege(r.oid, h.oid, w.privilege)
		end, false)
		order by w.kind = 'schema' desc, w.object, w.role`, pgx.QueryExecModeExec, kinds, privileges, objects, roles)
	if err != nil {
		return nil, refusal(err)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowToStructByPos[schema.Grant])
	return missing, refusal(err)
}

// errorOf is the first need that blocks, as an error.
func errorOf(needs []Need) error {
	for _, n := range needs {
		if n.Blocks {
			return &Error{Code: NotPermitted, Message: n.What, Hint: n.Mend}
		}
	}
	return nil
}

// CheckNeeds refuses a database that a server cannot work with, and returns what it can live with.
// Errors: NotPermitted, with what to do in the hint; Unavailable.
func (d *DB) CheckNeeds(ctx context.Context) ([]Need, error) {
	conn, done, err := d.pool.acquire(as(ctx, operating))
	if err != nil {
		return nil, connectError(err)
	}
	defer done()
	needs, err := Needs(ctx, conn.Conn(), ToServe)
	if errors.Is(err, context.DeadlineExceeded) {
		err = &Error{Code: Unavailable, Message: "the database does not answer within " + needsWithin.String(), Reason: ReasonTimeout, cause: err}
	}
	if err != nil {
		return nil, err
	}
	return needs, errorOf(needs)
}
