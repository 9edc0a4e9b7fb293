package state

import (
	"context"
	"errors"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

const (
	readWithin = 15 * time.Second
	maxSince   = 8192 // events that may arrive during a read

	// Pauses between reads of a table that is behind the tape.
	firstPause = 2 * time.Millisecond
	longPause  = 100 * time.Millisecond
)

// Get returns a market no older than what the tape had brought when it was asked for, nor, while
// the tape is not live, than what the database had. It waits for a table that is behind.
// Errors: those of reading; Unavailable when ctx ends while the table is behind.
func (s *Markets) Get(ctx context.Context, slug string) (*View, error) {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		view, current, err := s.Look(ctx, slug)
		if err != nil || current {
			return view, err
		}
		select {
		case <-ctx.Done():
			return nil, db.Errorf(db.Unavailable, "the newest version of %s cannot be read yet", slug)
		case <-time.After(pause):
		}
	}
}

// Look reads at most once. What is not current is what the table has while it is behind the tape,
// or of another history than that.
// Errors: those of reading, and ctx's.
func (s *Markets) Look(ctx context.Context, slug string) (view *View, current bool, err error) {
	m := s.locked(slug)
	if view = s.peek(m); view != nil {
		m.mu.Unlock()
		return view, true, nil
	}
	r := m.board(!s.isLive())
	m.askers++
	m.mu.Unlock()
	defer s.leave(m)
	select {
	case <-r.turn:
		s.carryOut(ctx, m, r)
	case <-r.done:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	return r.view, r.current, r.err
}

func (s *Markets) leave(m *market) {
	m.mu.Lock()
	m.askers--
	m.mu.Unlock()
	s.forget(m)
}

func (s *Markets) isLive() bool {
	s.keptMu.Lock()
	defer s.keptMu.Unlock()
	return s.live
}

// reads are those of one market: one at a time, and one more for those who must not be answered by
// what began before they asked.
type reads struct {
	now, next *read
	since     []tape.Event // that have arrived since now began
	tooMany   bool         // events
}

// read is one query, carried out by one of those who wait for it: who takes its turn.
type read struct {
	turn  chan struct{}
	done  chan struct{}
	begun bool // guarded by its market's lock

	view    *View
	current bool
	err     error
}

func newRead() *read {
	return &read{turn: make(chan struct{}, 1), done: make(chan struct{}), err: errBrokenOff}
}

var errBrokenOff = errors.New("reading a market was broken off")

// board finds the read to wait for: one that has not begun yet, if it has to be fresh. Called with
// m.mu held.
func (m *market) board(fresh bool) *read {
	if m.reads == nil {
		m.reads = &reads{now: newRead()}
		m.reads.now.turn <- struct{}{}
	}
	if !fresh || !m.reads.now.begun {
		return m.reads.now
	}
	if m.reads.next == nil {
		m.reads.next = newRead()
	}
	return m.reads.next
}

// arrived keeps an event aside for a read under way; r may be nil. Called with the market's lock held.
func (r *reads) arrived(e tape.Event) {
	if r == nil || !r.now.begun {
		return
	}
	if r.tooMany = r.tooMany || len(r.since) >= maxSince; r.tooMany {
		r.since = nil
		return
	}
	r.since = append(r.since, e)
}

// carryOut reads. Others wait for it too, so it goes on when who carries it out has gone.
func (s *Markets) carryOut(ctx context.Context, m *market, r *read) {
	m.mu.Lock()
	r.begun = true
	head, epoch := m.head, m.epoch
	m.mu.Unlock()
	defer m.end(r)

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readWithin)
	defer cancel()
	got, err := s.read(ctx, m.slug)
	if r.err = err; err != nil {
		return
	}
	s.sweep(time.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := newEntry(got)
	if ok && m.joins(e, head, epoch) {
		if r.view = e.view(); r.view != nil {
			r.current = true
			s.keep(m, e)
			return
		}
	}
	r.view, r.err = newView(got.Market)
	// What cannot be kept is still right if it is as new as the tape.
	r.current = !ok && m.epoch == epoch && got.Version >= m.head.seq
}

// end lets the next read begin.
func (m *market) end(r *read) {
	m.mu.Lock()
	if m.reads.next == nil {
		m.reads = nil
	} else {
		m.reads = &reads{now: m.reads.next}
		m.reads.now.turn <- struct{}{}
	}
	m.mu.Unlock()
	close(r.done)
}

// joins brings what was read to where the tape stands. It is false if what was read is older than
// the head was before, or of another history. Called with m.mu held.
func (m *market) joins(e *entry, before point, epoch int32) bool {
	at := e.tip
	if m.epoch != epoch || m.reads.tooMany || at.seq < before.seq || at.seq == before.seq && at != before {
		return false
	}
	for _, event := range m.reads.since {
		if !e.take(event) {
			return false
		}
	}
	return e.tip.seq >= m.head.seq
}
