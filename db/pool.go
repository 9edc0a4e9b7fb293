package db

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgtape/pgtape/db/hosts"
)

// pool is connections behind a gate; without one they are for whoever comes first.
type pool struct {
	conns    *pgxpool.Pool
	gate     *gate
	servers  *hosts.Servers
	sessions sessions
}

func (p *pool) enter(ctx context.Context) (leave func(), err error) {
	if p.gate == nil {
		return func() {}, nil
	}
	return p.gate.enter(ctx)
}

func (p *pool) Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := p.conns.Query(ctx, statement, args...)
	if err != nil {
		leave()
		return nil, err
	}
	return &gatedRows{rows, sync.OnceFunc(leave)}, nil
}

func (p *pool) QueryRow(ctx context.Context, statement string, args ...any) pgx.Row {
	leave, err := p.enter(ctx)
	if err != nil {
		return refusedRow{err}
	}
	return gatedRow{p.conns.QueryRow(ctx, statement, args...), leave}
}

func (p *pool) Exec(ctx context.Context, statement string, args ...any) (pgconn.CommandTag, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer leave()
	return p.conns.Exec(ctx, statement, args...)
}

func (p *pool) Ping(ctx context.Context) error {
	leave, err := p.enter(as(ctx, operating))
	if err != nil {
		return err
	}
	defer leave()
	return p.conns.Ping(ctx)
}

// gatedRows leaves when they have been read, or are closed.
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

// gatedRow leaves when it has been read, as whoever asks for a row does.
type gatedRow struct {
	row   pgx.Row
	leave func()
}

func (r gatedRow) Scan(into ...any) error {
	defer r.leave()
	return r.row.Scan(into...)
}

type refusedRow struct{ err error }

func (r refusedRow) Scan(...any) error { return r.err }
