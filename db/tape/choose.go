package tape

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/hosts"
)

// errNoWAL is of a database that answers, and whose WAL cannot be read.
var errNoWAL = errors.New("the WAL cannot be read")

// Choose tells in which mode the database can be read, and why, in words. Asked for one mode, it
// fails if that is not to be had.
// Errors: hosts.ErrStandby.
func Choose(ctx context.Context, conn *pgx.Conn, asked Mode) (mode Mode, why string, err error) {
	var standby bool
	if err := conn.QueryRow(ctx, "select pg_catalog.pg_is_in_recovery()").Scan(&standby); err != nil {
		return "", "", fmt.Errorf("asking whether the server is a standby: %w", err)
	}
	if standby {
		return "", "", fmt.Errorf("%w; the tape is read from the server that takes writes: name it, or all of them, in the URL", hosts.ErrStandby)
	}
	if asked == Notify {
		return Notify, "asked for", nil
	}
	obstacle, err := walObstacle(ctx, conn)
	switch {
	case err != nil:
		return "", "", err
	case obstacle == "" && asked == WAL:
		return WAL, "asked for", nil
	case obstacle == "":
		return WAL, "the server allows logical replication", nil
	case asked == WAL:
		return "", "", fmt.Errorf("%w: %s", errNoWAL, obstacle)
	}
	return Notify, obstacle, nil
}

// inserts and whole are of the publication: it publishes what is inserted into the tape, and leaves out no
// row and no column, which since version 15 it may; before, the view has no such columns.
const (
	inserts = `exists (
		select from pg_catalog.pg_publication p
		join pg_catalog.pg_publication_tables t on t.pubname = p.pubname
		where p.pubname = 'pgtape_tape' and p.pubinsert and t.schemaname = 'pgtape_core' and t.tablename = 'tape'
	)`
	whole = `not exists (
		select from pg_catalog.pg_publication_tables t
		where t.pubname = 'pgtape_tape' and t.schemaname = 'pgtape_core' and t.tablename = 'tape'
			and (to_jsonb(t) ->> 'rowfilter' is not null
				or to_jsonb(t) -> 'attnames' is not null and not to_jsonb(t) -> 'attnames' @> '["market", "seq", "at", "kind", "body", "prev_hash", "hash"]')
	)`
	// Publishes is an expression that says whether the publication has all that a reader needs.
	Publishes = "(" + inserts + " and " + whole + ")"
)

// walObstacle says what keeps the login from logical replication; empty if nothing does.
func walObstacle(ctx context.Context, conn *pgx.Conn) (obstacle string, err error) {
	err = conn.QueryRow(ctx, `
		select case
			when current_setting('wal_level') <> 'logical' then
				'wal_level is ' || current_setting('wal_level') || ': alter system set wal_level = logical, and restart'
			when not (select rolreplication or rolsuper from pg_catalog.pg_roles where rolname = session_user) then
				'the login has no right to replicate: alter role ' || quote_ident(session_user) || ' replication'
			when not exists (select from pg_catalog.pg_publication where pubname = 'pgtape_tape') then
				'the database has no publication pgtape_tape: pgtape migrate up'
			when not `+inserts+` then
				'the publication pgtape_tape does not publish what is inserted into the tape: alter publication pgtape_tape add table pgtape_core.tape; alter publication pgtape_tape set (publish = ''insert'')'
			when not `+whole+` then
				'the publication pgtape_tape leaves out rows or columns of the tape: alter publication pgtape_tape set table pgtape_core.tape'
			when current_setting('max_replication_slots')::integer <= (select count(*) from pg_catalog.pg_replication_slots) then
				'all replication slots are taken: raise max_replication_slots'
			when current_setting('max_wal_senders')::integer <= (select count(*) from pg_catalog.pg_stat_replication) then
				'all walsenders are taken: raise max_wal_senders'
			else ''
		end`).Scan(&obstacle)
	if err != nil {
		return "", fmt.Errorf("asking what the server allows: %w", err)
	}
	return obstacle, nil
}
