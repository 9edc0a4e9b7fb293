package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
)

// Facts are what the server says of itself and of the login.
type Facts struct {
	Version   string `json:"version"`
	Number    int    `json:"version_number"`
	Standby   bool   `json:"standby"`
	Superuser bool   `json:"superuser"`
	Login     string `json:"login"`
	Database  string `json:"database"`

	WALLevel    string `json:"wal_level"`
	Slots       int    `json:"max_replication_slots"`
	SlotsUsed   int    `json:"replication_slots_used"`
	SlotsOurs   int    `json:"replication_slots_ours"`
	Senders     int    `json:"max_wal_senders"`
	SendersUsed int    `json:"wal_senders_used"`

	Connections     int `json:"max_connections"`
	ConnectionsFree int `json:"connections_free"`          // for the login, by all limits
	LoginLimit      int `json:"login_connection_limit"`    // of connections; -1: none
	DatabaseLimit   int `json:"database_connection_limit"` // the same

	Replication bool `json:"login_replication"`
	CreateRole  bool `json:"login_createrole"`
	Create      bool `json:"login_create"` // schemas, in this database
	Member      bool `json:"login_pgtape_server"`
	Owner       bool `json:"login_owner"` // of the schema

	Schema db.SchemaState `json:"schema"`

	Fsync             string `json:"fsync"`
	SynchronousCommit string `json:"synchronous_commit"`
	FullPageWrites    string `json:"full_page_writes"`
	StandbyNames      string `json:"synchronous_standby_names"`
	SharedBuffers     int64  `json:"shared_buffers"` // bytes
	Autovacuum        string `json:"autovacuum"`

	Extensions []string `json:"extensions"`
	Statements bool     `json:"pg_stat_statements_available"`
}

// askFacts asks for all of it at once. Every login may.
func askFacts(ctx context.Context, conn *pgx.Conn) (*Facts, error) {
	rows, err := conn.Query(ctx, `
		select
			current_setting('server_version') as version,
			current_setting('server_version_num')::integer as number,
			pg_is_in_recovery() as standby,
			r.rolsuper as superuser,
			r.rolname::text as login,
			d.datname::text as database,
			current_setting('wal_level') as wal_level,
			current_setting('max_replication_slots')::integer as slots,
			(select count(*)::integer from pg_catalog.pg_replication_slots) as slots_used,
			(select count(*)::integer from pg_catalog.pg_replication_slots where slot_name like 'pgtape\_%') as slots_ours,
			current_setting('max_wal_senders')::integer as senders,
			(select count(*)::integer from pg_catalog.pg_stat_replication) as senders_used,
			current_setting('max_connections')::integer as connections,
			least(
				current_setting('max_connections')::integer - c.all
					- case when r.rolsuper then 0 else current_setting('superuser_reserved_connections')::integer
						+ coalesce(current_setting('reserved_connections', true), '0')::integer end,
				nullif(r.rolconnlimit, -1) - c.login,
				nullif(d.datconnlimit, -1) - c.database
			) as connections_free,
			r.rolconnlimit as login_limit,
			d.datconnlimit as database_limit,
			r.rolreplication or r.rolsuper as replication,
			r.rolcreaterole or r.rolsuper as create_role,
			has_database_privilege(r.oid, d.oid, 'create') as "create",
			coalesce(pg_has_role(r.oid, s.oid, 'member'), false) as member,
			coalesce(pg_has_role(r.oid, n.nspowner, 'member'), false) as owner,
			current_setting('fsync') as fsync,
			current_setting('synchronous_commit') as synchronous_commit,
			current_setting('full_page_writes') as full_page_writes,
			current_setting('synchronous_standby_names') as standby_names,
			(select setting::bigint * 8192 from pg_catalog.pg_settings where name = 'shared_buffers') as shared_buffers,
			current_setting('autovacuum') as autovacuum,
			array(select extname::text from pg_catalog.pg_extension where extname <> 'plpgsql' order by 1) as extensions,
			exists (select from pg_catalog.pg_available_extensions where name = 'pg_stat_statements') as statements
		from pg_catalog.pg_roles r
		join pg_catalog.pg_database d on d.datname = current_database()
		cross join lateral ( -- this one does not count
			select
				count(*)::integer - 1 as "all",
				count(*) filter (where a.usesysid = r.oid)::integer - 1 as login,
				count(*) filter (where a.datid = d.oid)::integer - 1 as database
			from pg_catalog.pg_stat_activity a
			where a.datid is not null
		) c
		left join pg_catalog.pg_roles s on s.rolname = 'pgtape_server'
		left join pg_catalog.pg_namespace n on n.nspname = 'pgtape'
		where r.rolname = session_user`)
	if err != nil {
		return nil, fmt.Errorf("asking what the server is: %w", err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByNameLax[Facts])
	if err != nil {
		return nil, fmt.Errorf("asking what the server is: %w", err)
	}
	if f.Schema, err = db.SchemaOf(ctx, conn); err != nil {
		return nil, fmt.Errorf("asking for the schema: %w", err)
	}
	return f, nil
}
