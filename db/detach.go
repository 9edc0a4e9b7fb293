package db

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgtape/pgtape/db/pgtime"
)

// Where commits wait for a standby (synchronous_standby_names), a commit that is cancelled stays: all
// see it, though no standby has it, and a failover may take it back. So there no statement is cut
// short because its caller has left or its time is over. The caller is told that nobody knows what
// became of it; the statement, its connection and its place at the gate stay together until the
// server has answered, or has been given up: abandoned.go. What only reads, and may take long, is cut
// as elsewhere.

type callerKey struct{}

// patient is a context for a statement that is not cut short; the gate still goes by its caller's.
func patient(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), callerKey{}, ctx)
}

// callerOf is the context of the caller that waits for a statement.
func callerOf(ctx context.Context) context.Context {
	if caller, ok := ctx.Value(callerKey{}).(context.Context); ok {
		return caller
	}
	return ctx
}

type endKey struct{}

// UntilEnd is a context for a caller that answers others in time by itself, and must know when a
// statement has ended: a call that is given it returns no earlier. The order queue is one: the next
// order of a market would only wait for the same lock, with a connection more.
func UntilEnd(ctx context.Context) context.Context { return context.WithValue(ctx, endKey{}, true) }

// keeps says whether a statement must not be cut short.
func (p *pool) keeps(ctx context.Context) bool {
	return p.servers.Synchronous() && workOf(ctx) != reporting
}

// detach runs what makes a statement, and waits for it no longer than ctx, unless that is of UntilEnd.
// run must touch nothing of its caller's.
func detach[T any](ctx context.Context, p *pool, run func(context.Context) (T, error)) (T, error) {
	if !p.keeps(ctx) {
		return run(ctx)
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := run(patient(ctx))
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	ended := p.abandoned.add(p)
	if untilEnd, _ := ctx.Value(endKey{}).(bool); untilEnd {
		defer ended()
		r := <-done
		return r.value, r.err
	}
	go func() {
		<-done
		ended()
	}()
	var none T
	return none, &Error{
		Code: Unavailable, Message: "the database has not answered in time: what was asked for may or may not be done",
		Hint: "ask again; what has an idempotency key is done once", Reason: ReasonTimeout, RetryAfter: time.Second, cause: ctx.Err(),
	}
}

// row is a row that outlives its connection.
type row struct {
	fields []pgconn.FieldDescription
	values [][]byte
}

// firstRow reads the first row of a statement.
func (p *pool) firstRow(ctx context.Context, statement string, args []any) (row, error) {
	rows, err := p.Query(ctx, statement, args...)
	if err != nil {
		return row{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		return row{}, cmp.Or(rows.Err(), pgx.ErrNoRows)
	}
	r := row{fields: slices.Clone(rows.FieldDescriptions())}
	for _, value := range rows.RawValues() {
		r.values = append(r.values, bytes.Clone(value)) // null stays nil
	}
	rows.Close()
	return r, rows.Err()
}

func (r row) Scan(into ...any) error {
	types := pgtype.NewMap()
	pgtime.Register(types)
	return pgx.ScanRow(types, r.fields, r.values, into...)
}
