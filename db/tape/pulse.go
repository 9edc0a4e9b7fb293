package tape

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"
)

// pulse sends signs of life through a stream. A silent connection is not a quiet market: if the
// stream says nothing while one is under way, it is lost. Every now and then a probe follows a
// look at the heads of the table: when it has come back, so has all that they stand for.
type pulse struct {
	every, limit, reconcileEvery time.Duration

	name    string // tells our probes from those of other readers and of other streams
	n       int
	sent    time.Time // of the last probe
	waiting bool      // it is under way
	heard   time.Time // when the last signal had been dealt with
	audit   *audit    // made before it was sent; nil: none was
	audited time.Time // when the last was made

	synchronous bool // the server has commits wait for standbys, as of the last probe
}

func newPulse(every, limit, reconcileEvery time.Duration) pulse {
	return pulse{every: every, limit: limit, reconcileEvery: reconcileEvery, name: rand.Text()}
}

// send sends a probe if it is time to. If one is under way it waits for that: as long as the stream
// says anything, or has said what was not yet listened to, it is us who are slow.
func (p *pulse) send(ctx context.Context, source stream, table backlog, f *follower, pending bool) error {
	if p.waiting {
		since := p.sent
		if p.heard.After(since) {
			since = p.heard
		}
		if silent := time.Since(since); silent > p.limit && !pending {
			return fmt.Errorf("no sign of life for %v", silent.Round(time.Millisecond))
		}
		return nil
	}
	if time.Since(p.sent) < p.every {
		return nil
	}
	p.audit = nil
	if time.Since(p.audited) >= p.reconcileEvery {
		a, err := f.audit(ctx, table)
		if err != nil {
			return err
		}
		p.audit, p.audited = a, time.Now()
	}
	p.n++
	p.sent, p.waiting = time.Now(), true
	return table.ask(ctx, func(ctx context.Context) (err error) {
		p.synchronous, err = source.probe(ctx, table.conn, p.id())
		return err
	})
}

func (p *pulse) id() string { return fmt.Sprintf("%s.%d", p.name, p.n) }

// received takes a probe that has come back, and returns the audit that it was sent for, if it was;
// ok is false if it is not the one under way.
func (p *pulse) received(id string) (a *audit, ok bool) {
	if !p.waiting || id != p.id() {
		return nil, false
	}
	p.waiting = false
	return p.audit, true
}
