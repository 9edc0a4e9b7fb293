package db

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/connect"
)

// Backup is what a backup says of itself. It is a zip file: manifest.json with this, and one file
// for each table, in the order in which they are to be filled, in the text format of COPY.
//
// Why not pg_dump: it is no part of the Postgres that comes along, refuses servers newer than
// itself, and its file brings a schema, where ours is the program's. Data alone, under the version
// of the migrations that it is of, can be restored into any Postgres, by this and any later pgtape.
type Backup struct {
	Format    int               `json:"format"` // 1
	Migration int64             `json:"migration"`
	Postgres  string            `json:"postgres"`
	At        time.Time         `json:"at"`
	Tables    []BackupTable     `json:"tables"`
	Sequences map[string]*int64 `json:"sequences"` // the last number given out; null: none yet
}

// BackupTable is a table of a backup.
type BackupTable struct {
	Name    string   `json:"name"` // with its schema
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
}

const (
	backupFormat = 1
	manifestName = "manifest.json"
)

// WriteBackup writes all that the database of a URL holds, as it is at one moment, while trading
// goes on. The login must own the tables.
// Errors: NotPermitted, Unavailable.
func WriteBackup(ctx context.Context, url string, w io.Writer) (*Backup, error) {
	backup, err := writeBackup(ctx, url, w, nil)
	if SQLState(err) == "42501" { // insufficient_privilege
		return nil, &Error{
			Code: NotPermitted, Message: "this login may not read all that a backup holds", cause: err,
			Hint: "back up with the login that has migrated the database, or a superuser's: the server's own reads what it serves, and no more",
		}
	}
	return backup, err
}

// writeBackup leaves some tables of pgtape_core out.
func writeBackup(ctx context.Context, url string, w io.Writer, without []string) (*Backup, error) {
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return nil, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("beginning the backup: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))

	backup := &Backup{Format: backupFormat}
	home, err := gooseSchema(ctx, tx)
	if err != nil {
		return nil, err
	}
	err = tx.QueryRow(ctx, "select max(version_id), current_setting('server_version'), now() from "+
		pgx.Identifier{home, gooseTable}.Sanitize()+" where is_applied").
		Scan(&backup.Migration, &backup.Postgres, &backup.At)
	if err != nil {
		return nil, fmt.Errorf("finding a pgtape in this database: %w", refusal(err))
	}
	if backup.Tables, err = backedUpTables(ctx, tx); err != nil {
		return nil, err
	}
	backup.Tables = slices.DeleteFunc(backup.Tables, func(t BackupTable) bool {
		return slices.Contains(without, strings.TrimPrefix(t.Name, "pgtape_core."))
	})
	file := zip.NewWriter(w)
	for i, table := range backup.Tables {
		name, err := quotedTable(table.Name)
		if err != nil {
			return nil, err
		}
		part, err := file.Create(table.Name + ".copy")
		if err != nil {
			return nil, fmt.Errorf("writing the backup: %w", err)
		}
		tag, err := conn.PgConn().CopyTo(ctx, part, fmt.Sprintf("copy %s (%s) to stdout", name, quoted(table.Columns)))
		if err != nil {
			return nil, fmt.Errorf("backing up %s: %w", table.Name, refusal(err))
		}
		backup.Tables[i].Rows = tag.RowsAffected()
	}
	// After the rows: numbers that were given out meanwhile do no harm.
	if backup.Sequences, err = sequences(ctx, tx); err != nil {
		return nil, err
	}
	part, err := file.Create(manifestName)
	if err == nil {
		err = json.NewEncoder(part).Encode(backup)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("writing the backup: %w", err)
	}
	return backup, nil
}

// backedUpTables lists the tables with what they refer to first. What says which functions are
// applied, and whether commits ring, is the new database's own.
func backedUpTables(ctx context.Context, tx pgx.Tx) ([]BackupTable, error) {
	rows, err := tx.Query(ctx, `
		select n.nspname || '.' || c.relname,
		       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum),
		       array(select rn.nspname || '.' || r.relname
		             from pg_constraint k join pg_class r on r.oid = k.confrelid join pg_namespace rn on rn.oid = r.relnamespace
		             where k.conrelid = c.oid and k.contype = 'f' and r.oid <> c.oid)
		from pg_class c
		join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'pgtape_core' and c.relkind = 'r' and c.relname not in ('function_bundle', 'doorbell')
		order by 1`)
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	type table struct {
		BackupTable
		needs []string
	}
	waiting, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t table, err error) {
		err = row.Scan(&t.Name, &t.Columns, &t.needs)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	var ordered []BackupTable
	placed := map[string]bool{}
	for len(waiting) > 0 {
		var later []table
		for _, t := range waiting {
			ready := true
			for _, name := range t.needs {
				ready = ready && placed[name]
			}
			if !ready {
				later = append(later, t)
				continue
			}
			placed[t.Name] = true
			ordered = append(ordered, t.BackupTable)
		}
		if len(later) == len(waiting) {
			return nil, errors.New("tables refer to each other in a circle")
		}
		waiting = later
	}
	return ordered, nil
}

func sequences(ctx context.Context, tx pgx.Tx) (map[string]*int64, error) {
	rows, err := tx.Query(ctx, "select schemaname || '.' || sequencename, last_value from pg_sequences where schemaname = 'pgtape_core'")
	if err != nil {
		return nil, fmt.Errorf("reading the sequences: %w", err)
	}
	list := map[string]*int64{}
	var name string
	var last *int64
	_, err = pgx.ForEachRow(rows, []any{&name, &last}, func() error {
		list[name] = last
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the sequences: %w", err)
	}
	return list, nil
}

// RestoreBackup fills a database that has no pgtape with a backup, and audits it. What it began is
// left there when it fails, for somebody to look at: nobody uses it yet.
// Errors: InvalidRequest when the file is no backup, or of a later pgtape; AlreadyExists when the
// database has a pgtape; NotPermitted, as MigrateUp; Unavailable.
func RestoreBackup(ctx context.Context, url string, r io.ReaderAt, size int64) (*Backup, error) {
	file, backup, err := openBackup(r, size)
	if err != nil {
		return nil, err
	}
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return nil, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var taken bool
	if err := conn.QueryRow(ctx, "select to_regnamespace('pgtape_core') is not null").Scan(&taken); err != nil {
		return nil, refusal(err)
	}
	if taken {
		return nil, &Error{
			Code: AlreadyExists, Message: "this database has a pgtape already",
			Hint: "restore into an empty database, and let the server use that",
		}
	}
	if err := checkMigratable(ctx, url); err != nil {
		return nil, err
	}
	if err := MigrateTo(ctx, url, backup.Migration); err != nil {
		return nil, err
	}
	if err := fill(ctx, conn, file, backup); err != nil {
		return nil, err
	}
	if _, err := MigrateUp(ctx, url); err != nil {
		return nil, err
	}
	return backup, audited(ctx, url)
}

// openBackup reads what a backup says of itself.
func openBackup(r io.ReaderAt, size int64) (*zip.Reader, *Backup, error) {
	file, err := zip.NewReader(r, size)
	if err != nil {
		return nil, nil, Errorf(InvalidRequest, "this is no backup: %w", err)
	}
	part, err := file.Open(manifestName)
	if err != nil {
		return nil, nil, Errorf(InvalidRequest, "this is no backup: %w", err)
	}
	defer part.Close()
	var backup Backup
	if err := json.NewDecoder(io.LimitReader(part, 1<<20)).Decode(&backup); err != nil {
		return nil, nil, Errorf(InvalidRequest, "this is no backup: %w", err)
	}
	known, err := newestMigration()
	if err != nil {
		return nil, nil, err
	}
	if backup.Format != backupFormat || backup.Migration > known || backup.Migration < 1 {
		return nil, nil, &Error{
			Code: InvalidRequest, Message: fmt.Sprintf("the backup is of migration %d, this program knows %d", backup.Migration, known),
			Hint: "restore it with the pgtape that made it, or a later one",
		}
	}
	return file, &backup, nil
}

// fill copies the rows in, in one transaction. The rows that migrations brought make way: the
// backup has them as they were.
func fill(ctx context.Context, conn *pgx.Conn, file *zip.Reader, backup *Backup) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("beginning the restore: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	for i := len(backup.Tables) - 1; i >= 0; i-- {
		table, err := quotedTable(backup.Tables[i].Name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from "+table); err != nil {
			return fmt.Errorf("emptying %s: %w", table, refusal(err))
		}
	}
	for _, t := range backup.Tables {
		if err := fillTable(ctx, conn, file, t); err != nil {
			return err
		}
	}
	for name, last := range backup.Sequences {
		if last == nil {
			continue
		}
		sequence, err := quotedTable(name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "select setval($1::regclass, $2)", sequence, *last); err != nil {
			return fmt.Errorf("setting %s: %w", name, refusal(err))
		}
	}
	return tx.Commit(ctx)
}

func fillTable(ctx context.Context, conn *pgx.Conn, file *zip.Reader, t BackupTable) error {
	table, err := quotedTable(t.Name)
	if err != nil {
		return err
	}
	part, err := file.Open(t.Name + ".copy")
	if err != nil {
		return Errorf(InvalidRequest, "the backup lacks %s: %w", t.Name, err)
	}
	defer part.Close()
	tag, err := conn.PgConn().CopyFrom(ctx, part, fmt.Sprintf("copy %s (%s) from stdin", table, quoted(t.Columns)))
	if err != nil {
		return fmt.Errorf("restoring %s: %w", t.Name, refusal(err))
	}
	if tag.RowsAffected() != t.Rows {
		return Errorf(InvalidRequest, "the backup has %d rows of %s, and says %d", tag.RowsAffected(), t.Name, t.Rows)
	}
	return nil
}

// quotedTable makes a table's name of a backup safe to put into a statement: the file may be anybody's.
func quotedTable(name string) (string, error) {
	schema, table, ok := strings.Cut(name, ".")
	if !ok || schema != "pgtape_core" {
		return "", Errorf(InvalidRequest, "the backup names a table that is not pgtape's: %q", name)
	}
	return pgx.Identifier{schema, table}.Sanitize(), nil
}

func quoted(columns []string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = pgx.Identifier{c}.Sanitize()
	}
	return strings.Join(names, ", ")
}

// audited fails when an invariant of the book is broken.
func audited(ctx context.Context, url string) error {
	d, err := Open(ctx, url, Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer d.Close()
	violations, err := d.Verify(ctx)
	violations = slices.DeleteFunc(violations, func(v Violation) bool { return v.Invariant == oldValues })
	if err == nil && len(violations) > 0 {
		v := violations[0]
		err = Errorf(Internal, "what was restored is not sound: %d rows break an invariant, first %s: %s: %s", len(violations), v.Invariant, v.Subject, v.Problem)
	}
	return err
}
