package tape

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Choose tells in which mode the database can be read, and why, in words. Asked for one mode, it
// fails if that is not to be had.
func Choose(ctx context.Context, conn *pgx.Conn, asked Mode) (mode Mode, why string, err error) {
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
		return "", "", fmt.Errorf("the WAL cannot be read: %s", obstacle)
	}
	return Notify, obstacle, nil
}

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
