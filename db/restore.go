package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/embedded"
)

// RestoreOver puts a backup in the place of the database of an embedded Postgres, also while a
// server uses it, and returns the name that the one before has now. The backup is restored beside
// it and audited first; if that fails, nothing has changed.
// Errors: as RestoreBackup.
func RestoreOver(ctx context.Context, e embedded.Endpoint, r io.ReaderAt, size int64) (backup *Backup, before string, err error) {
	conn, err := connect.Open(ctx, e.URL(e.Superuser(), "postgres"), connect.Options{Unlimited: true})
	if err != nil {
		return nil, "", connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	stamp := time.Now().UTC().Format("20060102_150405")
	beside, before := OwnDatabase+"_restored_"+stamp, OwnDatabase+"_before_"+stamp
	if _, err := conn.Exec(ctx, "create database "+beside+" owner "+OwnOwner); err != nil {
		return nil, "", fmt.Errorf("making a database: %w", err)
	}
	backup, err = RestoreBackup(ctx, e.URL(OwnOwner, beside), r, size)
	if err == nil {
		err = adoptAccount(ctx, e.URL(OwnOwner, beside))
	}
	if err == nil {
		err = exchange(ctx, conn, beside, before)
	}
	if err != nil {
		_, dropping := conn.Exec(context.WithoutCancel(ctx), "drop database "+beside+" with (force)")
		return nil, "", errors.Join(err, dropping)
	}
	return backup, before, nil
}

// exchange gives our database another name, and its own to the one beside. A database changes its
// name only while nobody is connected to it: whoever is, is sent away, and kept out for the moment.
func exchange(ctx context.Context, conn *pgx.Conn, beside, before string) error {
	if _, err := conn.Exec(ctx, "alter database "+OwnDatabase+" allow_connections false"); err != nil {
		return fmt.Errorf("keeping connections out: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		for _, name := range []string{OwnDatabase, before} { // one of them it has, now as ever
			_, _ = conn.Exec(ctx, "alter database "+name+" allow_connections true")
		}
	}()
	for deadline := time.Now().Add(30 * time.Second); ; {
		_, err := conn.Exec(ctx, `
			select pg_terminate_backend(a.pid) from pg_stat_activity a
			where a.datname in ('`+OwnDatabase+`', '`+beside+`')`)
		if err == nil {
			_, err = conn.PgConn().Exec(ctx, "begin; alter database "+OwnDatabase+" rename to "+before+
				"; alter database "+beside+" rename to "+OwnDatabase+"; commit").ReadAll()
		}
		if err == nil {
			return nil
		}
		_, _ = conn.Exec(ctx, "rollback")
		if pg := pgErrorOf(err); pg == nil || pg.Code != "55006" || time.Now().After(deadline) { // 55006: in use
			return fmt.Errorf("exchanging the databases: %w", err)
		}
	}
}
