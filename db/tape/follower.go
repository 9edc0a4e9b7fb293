package tape

import "context"

// follower knows what has been delivered of each market, and what comes next. It belongs to the
// goroutine of Reader.Run.
type follower struct {
	sink  Sink
	heads map[string]Head // last delivered, by market; nil before the first start

	// written are the transactions of heads that came by the WAL: a table that does not have such a
	// head may only not show it yet.
	written map[string]uint64

	// ahead are those of the last audit.
	ahead map[string]bool

	// turned is called after every page of events, and may end the reading.
	turned func(context.Context) error

	delivered, reconciled, resets int64
}

// start brings the follower to where the table stands, when a source has been opened. The first
// time it takes over the heads and delivers nothing; later, what was missed meanwhile.
func (f *follower) start(ctx context.Context, table backlog) error {
	if f.heads != nil {
		return f.catchUp(ctx, table)
	}
	heads, err := table.heads(ctx)
	if err != nil {
		return err
	}
	f.heads, f.written = make(map[string]Head, len(heads)), make(map[string]uint64)
	for market, head := range heads {
		f.set(market, head)
	}
	return nil
}

func (f *follower) set(market string, head Head) {
	delete(f.written, market)
	if head.Seq == 0 {
		delete(f.heads, market)
	} else {
		f.heads[market] = head
	}
	f.sink.Reset(market, head)
}

// catchUp delivers all that the table has and was not delivered. Nothing of it counts as found
// by reconciliation: nobody had promised it yet.
func (f *follower) catchUp(ctx context.Context, table backlog) error {
	heads, err := table.heads(ctx)
	if err != nil {
		return err
	}
	f.ahead = nil
	for market, ours := range f.heads {
		if heads[market] == ours {
			continue
		}
		if err := f.mend(ctx, table, market); err != nil {
			return err
		}
	}
	for market := range heads {
		if _, ok := f.heads[market]; !ok {
			if err := f.mend(ctx, table, market); err != nil {
				return err
			}
		}
	}
	return nil
}

// audit is a look at the table that is compared with what was delivered when a sign of life, sent
// through the stream after it, has come back.
type audit struct {
	heads map[string]Head
	ahead map[string]bool // markets of which more had been delivered than the table showed
}

func (f *follower) audit(ctx context.Context, table backlog) (*audit, error) {
	heads, err := table.heads(ctx)
	if err != nil {
		return nil, err
	}
	a := &audit{heads: heads, ahead: make(map[string]bool)}
	for market, ours := range f.heads {
		if theirs := heads[market]; theirs.Seq < ours.Seq {
			a.ahead[market] = true
		}
	}
	return a, nil
}

// reconcile compares what was delivered with an audit whose sign of life has come back: the stream
// has carried all that its heads stand for, so a market that is behind its head has lost something.
// It is mended and counted.
//
// A market may also be ahead of the table: a commit can reach the WAL before others see its rows.
// If it is so in two audits, the table is asked whether it knows what was delivered.
func (f *follower) reconcile(ctx context.Context, table backlog, a *audit) error {
	for market, theirs := range a.heads {
		ours := f.heads[market]
		if ours.Seq < theirs.Seq || ours.Seq == theirs.Seq && ours != theirs {
			if err := f.repair(ctx, table, market, theirs.Seq); err != nil {
				return err
			}
		}
	}
	for market := range a.ahead {
		if f.ahead[market] {
			if err := f.repair(ctx, table, market, 0); err != nil {
				return err
			}
		}
	}
	f.ahead = a.ahead
	return nil
}

// repair mends a market of which the stream has skipped what is up to a seq, and counts it.
func (f *follower) repair(ctx context.Context, table backlog, market string, upTo int64) error {
	before, resets := f.heads[market].Seq, f.resets
	err := f.mend(ctx, table, market)
	if skipped := min(f.heads[market].Seq, upTo) - before; skipped > 0 && f.resets == resets {
		f.reconciled += skipped
	}
	return err
}

// mend brings one market to where the table stands: by the events between or, if the table does
// not know what was delivered, by a reset.
func (f *follower) mend(ctx context.Context, table backlog, market string) error {
	known, err := table.knows(ctx, market, f.heads[market])
	if err != nil {
		return err
	}
	if known {
		return f.fetch(ctx, table, market)
	}
	if xid := f.written[market]; xid != 0 {
		// It is in the WAL and waits, for a standby, say: the same history, not seen by all yet.
		if waits, err := table.underWay(ctx, xid); err != nil || waits {
			return err
		}
	}
	return f.reset(ctx, table, market)
}

// fetch delivers what the table has of a market behind what was delivered.
func (f *follower) fetch(ctx context.Context, table backlog, market string) error {
	for {
		events, err := table.after(ctx, market, f.heads[market].Seq)
		if err != nil {
			return err
		}
		for _, e := range events {
			if !e.follows(f.heads[market]) {
				return f.reset(ctx, table, market)
			}
			f.publish(e)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if len(events) < pageSize {
			return nil
		}
		if err := f.turned(ctx); err != nil {
			return err
		}
	}
}

// reset starts a market again from where the table stands: it is not the history that was delivered.
func (f *follower) reset(ctx context.Context, table backlog, market string) error {
	head, err := table.head(ctx, market)
	if err != nil {
		return err
	}
	f.resets++
	f.set(market, head)
	return nil
}

// accept takes an event from a stream: an old one is dropped; before one that does not follow, the
// table is asked what lies between, and whether this is still the same history.
func (f *follower) accept(ctx context.Context, table backlog, e Event) error {
	if e.Seq > f.heads[e.Market].Seq && !e.follows(f.heads[e.Market]) {
		if err := f.repair(ctx, table, e.Market, e.Seq-1); err != nil {
			return err
		}
	}
	if e.follows(f.heads[e.Market]) {
		f.publish(e)
	}
	return nil
}

func (f *follower) publish(e Event) {
	f.heads[e.Market] = e.Head()
	if e.XID != 0 {
		f.written[e.Market] = e.XID
	} else {
		delete(f.written, e.Market)
	}
	f.delivered++
	f.sink.Publish(e)
}
