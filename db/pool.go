package db

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgtape/pgtape/db/hosts"
)

// pool is connections behind a gate; without one they are for whoever comes first. Statements are
// transactions of their own: one that certainly did nothing, and may do it now, is sent again.
type pool struct {
	conns    *pgxpool.Pool
	gate     *gate
	servers  *hosts.Servers
	sessions sessions
	failures failures

	abandoned abandoned
}

// attempts is how often a statement is sent, with a pause between them that grows.
const attempts = 4

func (p *pool) enter(ctx context.Context) (leave func(), err error) {
	if p.gate == nil {
		return func() {}, nil
	}
	return p.gate.enter(callerOf(ctx))
}

// acquire waits for a connection; whoever gets one calls done. Where Postgres has no more connections
// to give, it waits for one that is there: the gate lets in no more than there are.
func (p *pool) acquire(ctx context.Context) (conn *pgxpool.Conn, done func(), err error) {
	for began := time.Now(); ; {
		leave, err := p.enter(ctx)
		if err != nil {
			p.failures.note(err)
			return nil, nil, err
		}
		conn, err := p.conns.Acquire(callerOf(ctx))
		if err == nil {
			return conn, func() {
				conn.Release()
				leave()
			}, nil
		}
		leave()
		pg := pgErrorOf(err)
		if pg == nil || pg.Code != "53300" || p.gate == nil || time.Since(began) > p.gate.within {
			p.failures.note(err)
			return nil, nil, err
		}
		stat := p.conns.Stat()
		p.gate.shrink(int(stat.AcquiredConns() + stat.IdleConns()))
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, nil, err
		}
	}
}

func (p *pool) Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error) {
	r := &pooledRows{pool: p, ctx: ctx, statement: statement, args: args}
	if err := r.send(); err != nil {
		return nil, err
	}
	return r, nil
}

func (p *pool) QueryRow(ctx context.Context, statement string, args ...any) pgx.Row {
	if p.keeps(ctx) {
		r, err := detach(ctx, p, func(ctx context.Context) (row, error) { return p.firstRow(ctx, statement, args) })
		if err != nil {
			return pooledRow{err: err}
		}
		return r
	}
	return p.readRow(ctx, statement, args...)
}

// readRow is QueryRow for what only reads, and is cut short wherever it runs.
func (p *pool) readRow(ctx context.Context, statement string, args ...any) pgx.Row {
	r, err := p.Query(ctx, statement, args...)
	return pooledRow{r, err}
}

func (p *pool) Exec(ctx context.Context, statement string, args ...any) (pgconn.CommandTag, error) {
	return detach(ctx, p, func(ctx context.Context) (pgconn.CommandTag, error) {
		r, err := p.Query(ctx, statement, args...)
		if err != nil {
			return pgconn.CommandTag{}, err
		}
		for r.Next() { // nobody wants them
		}
		return r.CommandTag(), r.Err()
	})
}

func (p *pool) Ping(ctx context.Context) error {
	conn, done, err := p.acquire(as(ctx, operating))
	if err != nil {
		return err
	}
	defer done()
	return conn.Ping(ctx)
}

// again waits before a statement is sent once more, if it may be.
func (p *pool) again(ctx context.Context, err error, sent int) bool {
	if sent >= attempts || !repeatable(err) {
		return false
	}
	p.failures.repeat(err)
	wait := time.Duration(1<<sent) * 5 * time.Millisecond
	return pause(ctx, wait/2+rand.N(wait)) == nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pooledRows are those of a statement, which is sent again as long as none has been handed out. The
// connection is given back when they have been read, or are closed.
type pooledRows struct {
	pgx.Rows
	done func() // nil: the connection has been given back

	pool      *pool
	ctx       context.Context //nolint:containedctx // of the statement, for as long as it may be sent again
	statement string
	args      []any
	sent      int
	told      bool  // a row was handed out
	failed    error // what kept it from being sent again
}

func (r *pooledRows) send() error {
	for {
		conn, done, err := r.pool.acquire(r.ctx)
		if err != nil {
			return err
		}
		r.sent++
		got, err := r.pool.start(r.ctx, conn, r.statement, r.args)
		if err == nil {
			r.Rows, r.done = got, done
			return nil
		}
		done()
		if !r.pool.again(r.ctx, err, r.sent) {
			r.pool.failures.note(err)
			return err
		}
	}
}

func (r *pooledRows) Next() bool {
	for r.failed == nil {
		if r.Rows.Next() {
			r.told = true
			return true
		}
		err := r.Rows.Err()
		if r.told || err == nil || !repeatable(err) || r.sent >= attempts {
			break
		}
		r.release()
		if !r.pool.again(r.ctx, err, r.sent) {
			break
		}
		r.failed = r.send()
	}
	r.Close()
	return false
}

func (r *pooledRows) Err() error {
	if r.failed != nil {
		return r.failed
	}
	return r.Rows.Err()
}

func (r *pooledRows) Close() {
	r.Rows.Close()
	if r.done != nil {
		r.pool.failures.note(r.Rows.Err())
		r.release()
	}
}

func (r *pooledRows) release() {
	done := r.done
	r.done = nil
	done()
}

// start sends a statement, behind the proof that it needs, if there is one.
func (p *pool) start(ctx context.Context, conn *pgxpool.Conn, statement string, args []any) (pgx.Rows, error) {
	if secret := proofOf(ctx); secret != "" {
		return p.queryBehind(ctx, conn, proofAhead(secret), statement, args)
	}
	return conn.Query(ctx, statement, args...)
}

// ahead is a statement that goes before another, in its transaction and round trip, and what reads the
// row that it returns.
type ahead struct {
	statement string
	args      []any
	read      func(pgx.Row) error
}

// queryBehind sends a statement behind another.
func (p *pool) queryBehind(ctx context.Context, conn *pgxpool.Conn, first ahead, statement string, args []any) (pgx.Rows, error) {
	var both pgx.Batch
	both.Queue(first.statement, first.args...)
	both.Queue(statement, args...)
	results := conn.SendBatch(ctx, &both)
	end := sync.OnceFunc(func() {
		p.failures.note(results.Close()) // an error: of a statement, which its rows have told
	})
	if err := first.read(results.QueryRow()); err != nil {
		end()
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		end()
		return nil, err
	}
	return &gatedRows{rows, end}, nil
}

// pooledRow is the first of some rows.
type pooledRow struct {
	rows pgx.Rows
	err  error
}

func (r pooledRow) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(into...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// gatedRows give back what they were read on.
type gatedRows struct {
	pgx.Rows
	leave func()
}

func (r *gatedRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *gatedRows) Close() {
	r.Rows.Close()
	r.leave()
}

// isConnectError says whether a connection could not even be made.
func isConnectError(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect)
}
