package db

import "context"

// Where commits wait for a standby (synchronous_standby_names), a commit that is cancelled stays: all
// see it, though no standby has it, and a failover may take it back. So there no statement is cut
// short because its caller has left or its time is over. The caller is told that nobody knows what
// became of it; the statement, its connection and its place at the gate stay together until the
// server has answered, or has been replaced. What only reads, and may take long, is cut as elsewhere.

type callerKey struct{}

// patient is a context for a statement that is not cut short; the gate still goes by its caller's.
func patient(ctx context.Context) context.Context {
	if _, already := ctx.Value(callerKey{}).(context.Context); already {
		return ctx
	}
	return context.WithValue(context.WithoutCancel(ctx), callerKey{}, ctx)
}

// callerOf is the context of who waits for a statement.
func callerOf(ctx context.Context) context.Context {
	if caller, ok := ctx.Value(callerKey{}).(context.Context); ok {
		return caller
	}
	return ctx
}

// keeps says whether a statement must not be cut short.
func (p *pool) keeps(ctx context.Context) bool {
	return p.servers.Synchronous() && workOf(ctx) != reporting
}

// detach runs what makes a statement, and waits for it no longer than ctx. The order queue waits
// beyond that: its next order of the market would only wait for the same lock, with a connection more.
func detach[T any](ctx context.Context, p *pool, run func(context.Context) (T, error)) (T, error) {
	if !p.keeps(ctx) {
		return run(ctx)
	}
	if workOf(ctx) == trading {
		return run(patient(ctx))
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
		var none T
		return none, &Error{
			Code: Unavailable, Message: "the database has not answered in time: what was asked for may or may not be done",
			Hint: "ask again; what has an idempotency key is done once", Reason: ReasonLost, cause: ctx.Err(),
		}
	}
}
