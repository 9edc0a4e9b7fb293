package bench

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/pgtape/pgtape/client"
)

// sampled is how many of the sockets remember when each event came, to compare with the answers.
const sampled = 8

// listener is one socket. All but heard.seq belongs to its goroutine until that has ended.
type listener struct {
	run        *run
	index      int
	stalls     bool              // reads nothing more when it has joined
	heard      map[string]*heard // by market; the map does not change
	gaps       int64             // promises broken: events left out, or sent again,
	duplicates int64             // on one connection
	reconnects int64
}

// heard is what a socket has of one market.
type heard struct {
	seq        atomic.Int64
	first      int64 // seq of the snapshot it began with
	cursor     string
	delivered  int64
	duplicated int64
	skipped    int64       // events that a later snapshot stood in for
	arrivals   []time.Time // of the events behind first, if sampled
}

func newListener(r *run, index int, markets []string) *listener {
	l := &listener{run: r, index: index, heard: map[string]*heard{}}
	for _, market := range markets {
		l.heard[market] = &heard{}
	}
	return l
}

func (l *listener) listen(ctx context.Context) error {
	var subscriptions []client.Subscription
	for market := range l.heard {
		subscriptions = append(subscriptions, client.Subscription{Market: market})
	}
	c := client.New(l.run.URL)
	defer c.Close()
	if !l.stalls {
		return c.Watch(ctx, subscriptions, l.hear)
	}
	return c.Watch(ctx, subscriptions, func(f client.Frame) {
		if !l.joined() {
			l.hear(f)
		}
		if l.joined() {
			<-ctx.Done()
		}
	})
}

func (l *listener) hear(f client.Frame) {
	h := l.heard[f.Market]
	switch {
	case f.Op == client.OpReconnecting:
		l.lost(f.Code)
	case h == nil:
	case f.Op == client.OpSnapshot:
		if h.first == 0 {
			h.first = f.Seq
		} else {
			h.skipped += max(f.Seq-h.seq.Load(), 0)
			h.arrivals = append(h.arrivals, make([]time.Time, max(f.Seq-h.seq.Load(), 0))...)
		}
		h.cursor = f.Cursor
		h.seq.Store(f.Seq)
	case f.Op == client.OpEvent:
		l.event(h, f)
	}
}

func (l *listener) lost(code string) {
	l.reconnects++
	switch code {
	case client.LostGap:
		l.gaps++
	case client.LostDuplicate:
		l.duplicates++
	}
}

func (l *listener) event(h *heard, f client.Frame) {
	l.run.toSocket.record(l.index, f.Received.Sub(f.At))
	h.delivered++
	switch last := h.seq.Load(); {
	case f.Seq <= last:
		h.duplicated++
		return
	case f.Seq > last+1:
		h.skipped += f.Seq - last - 1
		h.arrivals = append(h.arrivals, make([]time.Time, f.Seq-last-1)...)
	}
	if l.index < sampled {
		h.arrivals = append(h.arrivals, f.Received)
	}
	h.cursor = f.Cursor
	h.seq.Store(f.Seq)
}

// joined says whether every market has been acknowledged.
func (l *listener) joined() bool {
	for _, h := range l.heard {
		if h.seq.Load() == 0 {
			return false
		}
	}
	return true
}

// has says whether the socket has come to the end of the tapes.
func (l *listener) has(tapes map[string]tape) bool {
	for market, h := range l.heard {
		if h.seq.Load() < tapes[market].head {
			return false
		}
	}
	return true
}

// arrival tells when an event came; zero if it did not, or is not remembered.
func (h *heard) arrival(seq int64) time.Time {
	if i := seq - h.first - 1; h.first > 0 && i >= 0 && i < int64(len(h.arrivals)) {
		return h.arrivals[i]
	}
	return time.Time{}
}
