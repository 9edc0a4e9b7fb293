package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgtape/pgtape/db/keyshare"
	"github.com/pgtape/pgtape/db/tape"
)

// DB is one Postgres database that holds a pgtape. Its methods may be called by many goroutines.
type DB struct {
	pool *pgxpool.Pool
	url  string
}

// Options of a connection to the database; the zero value is good.
type Options struct {
	// MaxConns bounds the pool. 0: 16.
	MaxConns int32
	// AsServer gives up every right but those of the role pgtape_server.
	AsServer bool
}

// Open makes a pool of connections to the database of a URL. It connects once, so that a wrong
// URL is told now.
// Errors: Unavailable when it cannot connect, NotPermitted when AsServer and the login is no
// member of pgtape_server.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, Errorf(InvalidRequest, "database URL: %w", err)
	}
	config.MaxConns = o.MaxConns
	if config.MaxConns == 0 {
		config.MaxConns = 16
	}
	setDefault(config.ConnConfig.RuntimeParams, "application_name", "pgtape")
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.ConnConfig.RuntimeParams["jit"] = "off" // compiling takes longer than our queries do
	if o.AsServer {
		config.AfterConnect = becomeServer
	}
	config.ShouldPing = doubtful
	var shares keyshare.Memory
	config.BeforeConnect = func(_ context.Context, config *pgx.ConnConfig) error {
		shares.Use(&config.Config)
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening pool: %w", err)
	}
	d := &DB{pool: pool, url: url}
	if err := d.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return d, nil
}

func setDefault(params map[string]string, name, value string) {
	if _, ok := params[name]; !ok {
		params[name] = value
	}
}

// Close waits for the statements under way and closes all connections.
func (d *DB) Close() { d.pool.Close() }

// URL is the one that the database was opened with.
func (d *DB) URL() string { return d.url }

// Pool is for tests that look behind the functions.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Ping asks the database for a sign of life.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.pool.Ping(ctx); err != nil {
		return connectError(err)
	}
	return nil
}

func connectError(err error) error {
	if pg := pgErrorOf(err); pg != nil {
		switch pg.Code {
		case "42501", "22023", "42704": // set role: not a member, or no such role
			return &Error{
				Code: NotPermitted, Message: "the login may not act as pgtape_server: " + pg.Message,
				Hint: "migrate the database (pgtape migrate up), then: grant pgtape_server to <login>", cause: err,
			}
		}
	}
	return &Error{Code: Unavailable, Message: fmt.Sprintf("the database cannot be reached: %v", err), cause: err}
}

// one runs a statement that returns one row and scans it by column name.
func one[T any](ctx context.Context, d *DB, statement string, args ...any) (T, error) {
	rows, err := d.pool.Query(ctx, statement, args...)
	if err != nil {
		var none T
		return none, refusal(err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	return row, refusal(err)
}

// all runs a statement and scans its rows by column name; never nil without an error.
func all[T any](ctx context.Context, d *DB, statement string, args ...any) ([]T, error) {
	rows, err := d.pool.Query(ctx, statement, args...)
	if err != nil {
		return nil, refusal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		return nil, refusal(err)
	}
	if list == nil {
		list = []T{}
	}
	return list, nil
}

// CheckSource refuses a mode of reading the tape that the database does not allow.
// Errors: NotPermitted, with what to do in the message; Unavailable.
func (d *DB) CheckSource(ctx context.Context, mode tape.Mode) error {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, _, err := tape.Choose(ctx, conn, mode); err != nil {
		return Errorf(NotPermitted, "%w", err)
	}
	return nil
}
