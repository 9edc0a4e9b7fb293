package hub

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pgtape/pgtape/fairqueue"
)

const (
	pageSize   = 500 // events of one read
	firstPause = 5 * time.Millisecond
	longPause  = time.Second
	maxFails   = 6 // reads that fail in a row, the reader being live, before a client is told
)

// startJoins starts goroutines for the joins that wait, up to maxJoins.
func (c *Client) startJoins() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := len(c.joins); n > 0 && c.joiners < maxJoins && c.hub.spawn(c.runJoins); n-- {
		c.joiners++
	}
}

// spawn starts f on a goroutine that Run waits for; not any more once Run has ended.
func (h *Hub) spawn(f func()) bool {
	h.tasksMu.Lock()
	defer h.tasksMu.Unlock()
	if !h.stopped {
		h.tasks.Go(f)
	}
	return !h.stopped
}

func (h *Hub) stopTasks() {
	h.tasksMu.Lock()
	h.stopped = true
	h.tasksMu.Unlock()
	h.cancel()
	h.tasks.Wait()
}

// runJoins takes up one join after the other.
func (c *Client) runJoins() {
	for {
		ctx, cancel := context.WithCancel(c.hub.ctx)
		s := c.nextJoin(cancel)
		if s == nil {
			cancel()
			return
		}
		c.hub.counts.joins.Add(1)
		c.hub.join(fairqueue.WithClient(ctx, c.from), s)
		c.mu.Lock()
		s.uncount()
		c.mu.Unlock()
		c.hub.counts.joins.Add(-1)
		cancel()
	}
}

func (c *Client) nextJoin(cancel func()) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.joins) == 0 {
		c.joiners--
		return nil
	}
	s := c.joins[0]
	c.joins = slices.Delete(c.joins, 0, 1)
	s.cancel = cancel
	return s
}

// join brings s to a position that the ring serves, or ends it. It reads a page when the one
// before it is written, so that one page is all it holds, however slow the client is.
func (h *Hub) join(ctx context.Context, s *subscription) {
	var t tries
	pause := firstPause
	for s.awaitDrained(ctx) {
		switch h.step(ctx, s, &t) {
		case over:
			return
		case onward:
			pause = firstPause
		case later:
			if !sleep(ctx, pause) {
				return
			}
			pause = min(2*pause, longPause)
		}
	}
}

// tries counts what went wrong in a join.
type tries struct {
	failed  int // reads in a row while the reader was live
	unknown int // cursors
}

// progress is what a step of a join came to.
type progress int

const (
	over   progress = iota // joined, refused or not wanted any more
	onward                 // take the next step
	later                  // the same again after a pause
)

// step reads once and hands on what it got.
func (h *Hub) step(ctx context.Context, s *subscription, t *tries) progress {
	from, ok := h.nextRead(s)
	if !ok {
		s.tooSlow()
		return over
	}
	got, err := h.read(ctx, from)
	var refused *Refusal
	switch {
	case ctx.Err() != nil:
		return over
	case errors.Is(err, ErrNoMarket):
		s.refuse(codeNotFound, "no such market")
		return over
	case errors.As(err, &refused):
		s.refuse(refused.Code, refused.Message)
		return over
	case errors.Is(err, ErrCursorUnknown):
		s.startOver(from.epoch)
		if t.unknown++; t.unknown == 1 {
			return onward
		}
		return later
	case err != nil:
		return h.failed(s, t, err)
	}
	t.failed = 0
	p := s.settle(got)
	s.client.pump()
	return p
}

// failed decides what follows from a read that failed: another try, for as long as the reader has
// trouble too; or else after some of them an error frame.
func (h *Hub) failed(s *subscription, t *tries, err error) progress {
	if h.State() != Live {
		t.failed = 0
		return later
	}
	if t.failed++; t.failed < maxFails {
		return later
	}
	h.o.Log.Warn("join cannot read", "market", s.topic.market, "err", err)
	s.refuse(codeInternal, "the market cannot be read now, subscribe again later")
	return over
}

// place is a position that a join reads from or has read up to.
type place struct {
	market string
	epoch  int // of the join
	pos    int64
	cursor string // empty: read a snapshot
	head   int64  // of the topic, before anything was read
	parts  []part // read on the way
	end    bool   // there was no more to read
}

// nextRead says where to read from: a snapshot for who has no cursor or is too far behind. It is
// not ok to be too far behind once the replay has begun: such a client never gets to the end.
func (h *Hub) nextRead(s *subscription) (from place, ok bool) {
	t, c := s.topic, s.client
	t.mu.Lock()
	defer t.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.cursor != "" && t.head-s.pos > h.o.ReplayLimit {
		if s.replied {
			return place{}, false
		}
		s.pos, s.cursor = 0, ""
	}
	t.keep(time.Now())
	from = place{market: t.market, epoch: s.epoch, pos: s.pos, cursor: s.cursor, head: t.head}
	if s.mode == Quote {
		from.cursor = ""
	}
	return from, true
}

// read asks History once, when it is the client's turn: a client waits for the reads of each other one,
// not for all that one of them has asked for.
func (h *Hub) read(ctx context.Context, from place) (place, error) {
	if err := h.reads.Take(ctx); err != nil {
		return place{}, err
	}
	defer h.reads.Give()
	if from.cursor == "" {
		snap, err := h.history.Snapshot(ctx, from.market)
		if err != nil {
			return place{}, err
		}
		h.counts.snapshots.Add(1)
		from.pos, from.cursor, from.end = snap.Seq, snap.Cursor, true
		from.parts = []part{{messages: snap.Message, seq: snap.Seq, cursor: snap.Cursor}}
		return from, nil
	}
	events, err := h.history.Since(ctx, from.market, from.cursor, pageSize)
	if err != nil {
		return place{}, err
	}
	from.end = len(events) < pageSize
	if n := len(events); n > 0 {
		from.pos, from.cursor = events[n-1].Seq, events[n-1].Cursor
		from.parts = replayed(events)
	}
	return from, nil
}

// settle moves s to where the join has read up to and hands its client what was read. The join
// is over when the ring serves the rest.
func (s *subscription) settle(got place) progress {
	t, c := s.topic, s.client
	t.mu.Lock()
	defer t.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.gone {
		return over
	}
	if s.epoch != got.epoch {
		return onward
	}
	known, ok := t.cursorAt(got.pos)
	switch {
	case ok && known != got.cursor:
		return later // two histories: a Reset is on its way
	case !ok && got.end && got.pos < got.head:
		return later // the table is behind what was published: it will catch up, or has gone back
	}
	served := t.takesOver(s.mode, got.pos) && (got.end || got.pos <= t.head)
	if s.mode == Quote {
		served = served && (ok || got.pos >= t.head) // else nothing tells that it is one history
	}
	if s.mode == Quote && !served {
		return later // a newer snapshot will do, and nothing was promised yet
	}
	s.pos, s.cursor = got.pos, got.cursor
	s.parts = append(s.parts, got.parts...)
	s.replied = s.replied || len(got.parts) > 0
	if served && !s.replied && !s.begun && s.pos >= t.head {
		s.acknowledge()
	}
	s.joined = served
	c.push(s)
	switch {
	case served:
		return over
	case len(got.parts) == 0:
		return later
	default:
		return onward
	}
}

// startOver makes the join begin with a snapshot, unless it has been made to already.
func (s *subscription) startOver(epoch int) {
	t, c := s.topic, s.client
	t.mu.Lock()
	defer t.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.epoch == epoch {
		s.restart()
		s.pos, s.cursor, s.begun = 0, "", false
	}
}

// refuse ends a subscription with an error frame, unless it has been replaced meanwhile.
func (s *subscription) refuse(code, message string) {
	c := s.client
	c.mu.Lock()
	wanted := !s.gone
	if wanted {
		c.drop(s)
	}
	c.mu.Unlock()
	if wanted {
		c.hub.leave(s)
		c.Reply(errorFrame(code, message, s.topic.market))
	}
}

// awaitDrained waits until what the join read before is written; false if the join is over.
func (s *subscription) awaitDrained(ctx context.Context) bool {
	for {
		s.client.mu.Lock()
		busy, gone := len(s.parts) > 0 || s.taking, s.gone
		s.client.mu.Unlock()
		if gone || ctx.Err() != nil {
			return false
		}
		if !busy {
			return true
		}
		select {
		case <-s.drained:
		case <-ctx.Done():
			return false
		}
	}
}

// sleep waits for d; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
