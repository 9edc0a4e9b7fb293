package tape

import (
	"context"
	"fmt"
	"time"
)

// pulse sends signs of life through the stream and measures how long they take. A silent connection
// is not a quiet market: without an answer in time it is lost. Every now and then a probe follows a
// look at the heads of the table: when it has come back, so has all that they stand for.
type pulse struct {
	every          time.Duration
	reconcileEvery time.Duration

	id      int64
	sent    time.Time // of the probe under way; zero: none
	audit   *audit    // made before it was sent; nil: none was
	audited time.Time // when the last was made
}

// send sends a probe, or waits for the one under way: not for ever, unless signals are pending, in
// which case it is us who are slow.
func (p *pulse) send(ctx context.Context, source stream, table backlog, f *follower, pending bool) error {
	limit := 3 * p.every
	if !p.sent.IsZero() {
		if waited := time.Since(p.sent); waited > limit && !pending {
			return fmt.Errorf("no sign of life for %v", waited.Round(time.Millisecond))
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	p.audit = nil
	if time.Since(p.audited) >= p.reconcileEvery {
		a, err := f.audit(ctx, table)
		if err != nil {
			return err
		}
		p.audit, p.audited = a, time.Now()
	}
	p.id++
	p.sent = time.Now()
	return source.probe(ctx, table.conn, fmt.Sprint(p.id))
}

// received takes a probe that has come back: how long it took, and the audit that it was
// sent for, if it was.
func (p *pulse) received(id string) (lag time.Duration, a *audit, ok bool) {
	if p.sent.IsZero() || id != fmt.Sprint(p.id) {
		return 0, nil, false
	}
	lag = time.Since(p.sent)
	p.sent = time.Time{}
	return lag, p.audit, true
}
