package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/hosts"
	"github.com/pgtape/pgtape/db/pgtime"
	"github.com/pgtape/pgtape/db/tape"
)

// DB is one Postgres database that holds a pgtape. Its methods may be called by many goroutines.
type DB struct {
	pool    *pool
	url     string
	servers *hosts.Servers
	stamp   *stamp // of Stamped; nil elsewhere
}

// Options of a connection to the database; the zero value is good.
type Options struct {
	// MaxConns bounds the pool. 0: 16.
	MaxConns int32
	// AsServer gives up every right but those of the role pgtape_server, and divides the connections
	// between kinds of work: gate.go.
	AsServer bool
	// Wait is for one of them, AsServer. 0: 5 s.
	Wait time.Duration
	// Pooled is for a URL that is a pooler's, whose connections are of one transaction each: no
	// statement is prepared, and the role must be the login's own. A URL that says
	// default_query_exec_mode is one, too.
	Pooled bool
	// Servers are those of the URL, if the tape reader connects to the same. nil: of its own.
	Servers *hosts.Servers
}

// roomPerConn is how many statements of a kind may wait for each connection of the pool.
const roomPerConn = 64

// Open makes a pool of connections to the database of a URL. It connects once, so that a wrong
// URL is told now.
// Errors: Unavailable when it cannot connect, NotPermitted when AsServer and the login is no
// member of pgtape_server.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	config, pooled, err := poolConfig(url, o)
	if err != nil {
		return nil, err
	}
	config.MaxConns = cmp.Or(o.MaxConns, 16)
	conn := config.ConnConfig
	if !pooled {
		conn.RuntimeParams["jit"] = "off" // compiling takes longer than our queries do; poolers know no such parameter
	}
	gated := &pool{}
	config.AfterConnect = prepared(nil)
	if o.AsServer {
		config.AfterConnect = prepared(gated.becomeServer)
		if pooled {
			config.AfterConnect = prepared(gated.requireServer)
		}
		conns := int(config.MaxConns)
		gated.gate = newGate(conns, cmp.Or(o.Wait, 5*time.Second), roomPerConn*conns)
	}
	config.ShouldPing = doubtful
	servers := o.Servers
	if servers == nil {
		servers = hosts.New(url)
	}
	gated.follow(config, servers)
	if gated.conns, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("opening pool: %w", err)
	}
	d := &DB{pool: gated, url: url, servers: servers}
	if err := d.Ping(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// prepared makes a new connection read what it is sent as we can say it, and then does what else
// there is to do with one.
func prepared(then func(context.Context, *pgx.Conn) error) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		pgtime.Register(conn.TypeMap())
		if then == nil {
			return nil
		}
		return then(ctx, conn)
	}
}

// poolConfig tells also whether the URL is a pooler's.
func poolConfig(url string, o Options) (config *pgxpool.Config, pooled bool, err error) {
	unlimited := !o.AsServer // what a person or a program of ours waits for
	config, err = connect.PoolConfig(url, connect.Options{Pooled: o.Pooled, Unlimited: unlimited})
	if err == nil && !o.Pooled && config.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		pooled = true
		config, err = connect.PoolConfig(url, connect.Options{Pooled: true})
	}
	if err != nil {
		return nil, false, Errorf(InvalidRequest, "%w", err)
	}
	pooled = pooled || o.Pooled
	if pooled && config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return config, pooled, nil
}

// requireServer is becomeServer behind a pooler, where what a session sets is some other session's.
func (p *pool) requireServer(ctx context.Context, conn *pgx.Conn) error {
	var login, role, isolation string
	var synchronous bool
	err := conn.QueryRow(ctx, `
		select session_user, current_user, current_setting('default_transaction_isolation'),
			current_setting('synchronous_standby_names') <> ''`).
		Scan(&login, &role, &isolation, &synchronous)
	if err != nil {
		return err
	}
	p.servers.SetSynchronous(synchronous)
	name := pgx.Identifier{login}.Sanitize()
	if isolation != "read committed" {
		return &Error{
			Code: NotPermitted, Message: "behind a pooler the transactions of this login are " + isolation + ", where trades at the same time fail each other",
			Hint: "alter role " + name + " set default_transaction_isolation = 'read committed'; then let the pooler reconnect",
		}
	}
	if role != "pgtape_server" {
		return &Error{
			Code: NotPermitted, Message: "behind a pooler the server cannot give up the rights of its login",
			Hint: "alter role " + name + " set role = pgtape_server; alter role " + name + " set jit = off; then let the pooler reconnect",
		}
	}
	return nil
}

// closeLimit is how long Close waits for statements of which the callers have left.
const closeLimit = 5 * time.Second

// Close waits for the statements under way and closes all connections. Where commits wait for
// standbys, a statement may wait for ever: it is left to the server then.
func (d *DB) Close() {
	d.pool.abandoned.close()
	cut := time.AfterFunc(closeLimit, func() {
		if d.servers.Synchronous() {
			d.pool.sessions.cutAll()
		}
	})
	defer cut.Stop()
	d.pool.conns.Close()
}

// URL is the one that the database was opened with.
func (d *DB) URL() string { return d.url }

// Servers are those of the URL, for a reader of the same.
func (d *DB) Servers() *hosts.Servers { return d.servers }

// Pool is for tests that look behind the functions.
func (d *DB) Pool() *pgxpool.Pool { return d.pool.conns }

// Ping asks the database for a sign of life.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.pool.Ping(ctx); err != nil {
		return connectError(err)
	}
	return nil
}

// ConnectError says what a connection that could not be made means, and the way out.
func ConnectError(err error) error { return connectError(err) }

func connectError(err error) error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	if errors.Is(err, connect.ErrPooler) {
		return &Error{Code: InvalidRequest, Message: err.Error(), cause: err}
	}
	var none *hosts.NoServer
	var start *pgconn.ConnectError
	if pg := pgErrorOf(err); pg != nil && !errors.As(err, &none) {
		if pg.Code == "0A000" && errors.As(err, &start) { // later it is about a prepared statement
			return &Error{
				Code: NotPermitted, Message: "the database is not encoded in UTF8, and cannot be read as such", Said: pg.Message,
				Hint: fmt.Sprintf(encodingMend, "pgtape"), cause: err,
			}
		}
		switch pg.Code {
		case "08P01":
			return &Error{
				Code: InvalidRequest, Message: "a pooler stands before the database, and refuses what a session of ours is set to", Said: pg.Message,
				Hint: "name Postgres itself in --database-url; or, for pgtape serve: --pooled and --reader-database-url", cause: err,
			}
		case "42704", "22023": // of the start: role is set later
			return &Error{
				Code: InvalidRequest, Message: "the database URL, PGOPTIONS or the service file has a parameter that Postgres does not take", Said: pg.Message,
				Hint: "parameters of the URL that are not those of a connection are sent as settings: see their spelling", cause: err,
			}
		case "42501":
			return &Error{
				Code: NotPermitted, Message: "the login may not connect to the database", Said: pg.Message,
				Hint: "grant connect on database <database> to <login>", cause: err,
			}
		}
		if e, ok := refusal(err).(*Error); ok {
			return e
		}
	}
	if errors.Is(err, hosts.ErrStandby) {
		e := noServer(err)
		e.Message, e.Said, e.Hint = "no server of the database takes writes", err.Error(), standbyMend
		return e
	}
	return &Error{
		Code: Unavailable, Message: "the database cannot be reached", Said: err.Error(),
		Reason: ReasonUnreachable, RetryAfter: time.Second, cause: err,
	}
}

// one runs a statement that returns one row and scans it by column name.
func one[T any](ctx context.Context, d *DB, statement string, args ...any) (T, error) {
	return detach(ctx, d.pool, func(ctx context.Context) (T, error) { return readOne[T](ctx, d, statement, args) })
}

func readOne[T any](ctx context.Context, d *DB, statement string, args []any) (T, error) {
	rows, err := d.query(ctx, statement, args...)
	if err != nil {
		var none T
		return none, refusal(err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	return row, refusal(err)
}

// all runs a statement and scans its rows by column name; never nil without an error.
func all[T any](ctx context.Context, d *DB, statement string, args ...any) ([]T, error) {
	return detach(ctx, d.pool, func(ctx context.Context) ([]T, error) { return readAll[T](ctx, d, statement, args) })
}

func readAll[T any](ctx context.Context, d *DB, statement string, args []any) ([]T, error) {
	rows, err := d.query(ctx, statement, args...)
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

func (d *DB) query(ctx context.Context, statement string, args ...any) (pgx.Rows, error) {
	if d.stamp != nil && d.stamp.taken == nil {
		return d.queryStamped(ctx, statement, args...)
	}
	return d.pool.Query(ctx, statement, args...)
}

// CheckSource refuses a mode of reading the tape that the database does not allow.
// Errors: NotPermitted, with what to do in the message; Unavailable.
func (d *DB) CheckSource(ctx context.Context, mode tape.Mode) error {
	return CheckSource(ctx, d.url, mode)
}

// CheckSource is for a reader with a URL of its own.
func CheckSource(ctx context.Context, url string, mode tape.Mode) error {
	conn, err := connect.Open(ctx, url, connect.Options{})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, _, err := tape.Choose(ctx, conn, mode); err != nil {
		return Errorf(NotPermitted, "%w", err)
	}
	return nil
}
