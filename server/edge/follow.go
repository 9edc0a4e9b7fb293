package edge

import (
	"context"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/fairqueue"
)

const (
	beginWithin = 10 * time.Second // a market is followed, or who wants it is told to come again

	// knownFor is how long the state that a market began with may be used instead of another read.
	// Whether it is still right, the tape tells.
	knownFor = 5 * time.Second

	maxWanting = 4 // markets that begin because they were asked for, at a time
)

// market is one that is followed, or about to be. It is guarded by Origin.mu.
type market struct {
	of       fairqueue.Client // who wanted it first, whose place it takes
	placed   bool
	head     tape.Head // of the last event delivered; before the first, where to begin
	asked    bool      // the socket that there is was asked for it
	followed bool      // and the Sink knows it
	wanted   time.Time // when somebody last did

	settled chan struct{} // closed when it is followed, or
	err     error         // will not be

	known *db.MarketState // what it began with, for the first who asks
}

// Follow sees to it that a market's events are delivered: behind what the Sink has been told of it by
// then. What is not wanted again is given up after a while.
// Errors: NotFound, InvalidRequest, Unavailable when there is no link, NoPlace when all places are taken,
// or ctx's client has its share.
func (o *Origin) Follow(ctx context.Context, slug string) error {
	ctx, cancel := context.WithTimeout(ctx, beginWithin)
	defer cancel()
	o.mu.Lock()
	m := o.markets[slug]
	fresh := m == nil
	if fresh && len(o.markets)-o.places >= o.most { // there is no link for a while
		o.mu.Unlock()
		return full()
	}
	if fresh {
		m = &market{of: fairqueue.ClientOf(ctx), settled: make(chan struct{})}
		o.markets[slug] = m
	}
	m.wanted = time.Now()
	o.mu.Unlock()
	if fresh {
		o.begin(ctx, slug, m)
	}
	select {
	case <-m.settled:
		return m.err
	case <-ctx.Done():
		return &db.Error{Code: db.Unavailable, Message: "there is no news of " + slug + " yet", Hint: "try again"}
	}
}

// begin reads where a market stands, and has the socket asked to go on from there. Others wait for it
// too, so it goes on when who began it has gone.
func (o *Origin) begin(ctx context.Context, slug string, m *market) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readWithin)
	defer cancel()
	state, err := o.readState(ctx, slug)
	var head tape.Head
	if err == nil {
		head, err = tape.ParseCursor(state.Cursor)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.drop(slug, m, err)
		return
	}
	m.head, m.known, m.wanted = head, &state, time.Now()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// drop forgets a market, and tells who waits for it why. Called with o.mu held.
func (o *Origin) drop(slug string, m *market, err error) {
	if o.markets[slug] == m {
		delete(o.markets, slug)
		if m.placed {
			o.places--
		}
	}
	if !m.isSettled() {
		m.err = err
		close(m.settled)
	}
}

func (m *market) isSettled() bool {
	select {
	case <-m.settled:
		return true
	default:
		return false
	}
}

// begun gives away what a market began with, once.
func (o *Origin) begun(slug string) *db.MarketState {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.markets[slug]
	if m == nil || m.known == nil {
		return nil
	}
	known := m.known
	m.known = nil
	if o.state != tape.Live || !m.followed || known.Cursor != m.head.String() || time.Since(m.wanted) > knownFor {
		return nil
	}
	return known
}

// Follows says whether a market's events are delivered, and wants them to be.
func (o *Origin) Follows(slug string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.markets[slug]
	if m == nil || !m.followed {
		return false
	}
	m.wanted = time.Now()
	return true
}

// Want follows a market that was asked for, without waiting for it, as long as that leaves room for
// those that are watched.
func (o *Origin) Want(ctx context.Context, slug string) {
	o.mu.Lock()
	wanted := o.markets[slug] == nil && o.places < o.most/2 && o.wanting < maxWanting
	if wanted {
		o.wanting++
	}
	o.mu.Unlock()
	if !wanted {
		return
	}
	ctx = context.WithoutCancel(ctx)
	o.tasks.Go(func() {
		if err := o.Follow(ctx, slug); err != nil {
			o.log.Debug("market not followed", "market", slug, "err", err)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.wanting--
	})
}
