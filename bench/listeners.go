package bench

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/client"
)

// sampled is how many of the sockets remember when each event came, to compare with the answers.
const sampled = 8

// listener is one socket. What is neither atomic nor guarded belongs to its goroutine until that
// has ended.
type listener struct {
	run        *run
	index      int
	stalls     bool              // reads nothing more when it has joined
	heard      map[string]*heard // by market; the map does not change
	gaps       int64             // promises broken: events left out, or sent again,
	duplicates int64             // on one connection
	reconnects int64
	connection int           // which one this is
	waiting    int           // markets of which nothing has come on this connection
	live       bool          // again, after the storm
	news       chan struct{} // has one in it when something came; nil: nobody waits

	mu   sync.Mutex
	conn *websocket.Conn
}

// heard is what a socket has of one market.
type heard struct {
	seq        atomic.Int64
	connection int   // that something of it last came on
	first      int64 // seq of the snapshot it began with
	cursor     string
	delivered  int64
	duplicated int64
	skipped    int64       // events that a later snapshot stood in for
	arrivals   []time.Time // of the events behind first, if sampled
	quotes     []quoted    // all that came, in quote mode
}

// quoted is a quote that came: which versions it is the first to show, and when.
type quoted struct {
	from, to int64
	at       int64 // microseconds since 1970
}

func newListener(r *run, index int, markets []string) *listener {
	l := &listener{run: r, index: index, heard: map[string]*heard{}}
	for _, market := range markets {
		l.heard[market] = &heard{}
	}
	if r.OneByOne && index == 0 {
		l.news = make(chan struct{}, 1)
	}
	return l
}

// connected begins a connection.
func (l *listener) connected(conn *websocket.Conn) {
	l.connection++
	l.waiting = len(l.heard)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
}

// cut ends the connection there is, without a word.
func (l *listener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.NetConn().Close()
	}
}

// hear takes a frame. An error is a reason to give the connection up: what does not follow is not
// taken, and asked for again.
func (l *listener) hear(f frame, received time.Time) error {
	h := l.heard[string(f.market)]
	switch {
	case f.op == client.OpError:
		return refusedFrame(f)
	case h == nil:
		return nil
	case f.op == client.OpSnapshot:
		l.snapshot(h, f, received)
	case f.op == client.OpSubscribed:
		if string(f.cursor) != h.cursor {
			l.gaps++
			return fmt.Errorf("it was to go on behind %s, and goes on behind %s", h.cursor, f.cursor)
		}
	case f.op == client.OpEvent:
		if err := l.event(h, f, received); err != nil {
			return err
		}
	case f.op == client.OpQuote:
		l.quote(h, f, received)
	default:
		return nil
	}
	if h.connection != l.connection {
		h.connection = l.connection
		l.waiting--
		l.run.storm.heard(l, f.op, received)
	}
	if l.news != nil {
		select {
		case l.news <- struct{}{}:
		default:
		}
	}
	return nil
}

func (l *listener) snapshot(h *heard, f frame, received time.Time) {
	switch {
	case h.first == 0:
		h.first = f.seq
	case l.run.Mode == client.Latest:
		l.quote(h, f, received)
	default:
		missed := max(f.seq-h.seq.Load(), 0)
		h.skipped += missed
		h.arrivals = append(h.arrivals, make([]time.Time, missed)...)
	}
	h.cursor = string(f.cursor)
	h.seq.Store(f.seq)
}

func (l *listener) event(h *heard, f frame, received time.Time) error {
	switch last := h.seq.Load(); {
	case f.seq <= last:
		l.duplicates++
		return fmt.Errorf("event %d came again after %d", f.seq, last)
	case f.seq > last+1 || f.prev != last:
		l.gaps++
		return fmt.Errorf("event %d (behind %d) came after %d", f.seq, f.prev, last)
	}
	if !l.stalls {
		l.run.toSocket.Record(l.index, time.Duration(received.UnixMicro()-f.at)*time.Microsecond)
		l.run.delivered.Add(1)
	}
	h.delivered++
	if l.index < sampled {
		h.arrivals = append(h.arrivals, received)
	}
	h.cursor = string(f.cursor)
	h.seq.Store(f.seq)
	return nil
}

// quote takes the newest prices. Versions may be skipped; what is older than what came is a
// promise broken.
func (l *listener) quote(h *heard, f frame, received time.Time) {
	last := h.seq.Load()
	if f.seq < last {
		h.duplicated++
		return
	}
	if f.seq > last {
		h.quotes = append(h.quotes, quoted{last + 1, f.seq, received.UnixMicro()})
	}
	l.run.delivered.Add(1)
	h.delivered++
	if h.first == 0 {
		h.first = f.seq
	}
	h.seq.Store(f.seq)
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

// has says whether the socket has come to these heads.
func (l *listener) has(heads map[string]int64) bool {
	for market, h := range l.heard {
		if h.seq.Load() < heads[market] {
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
