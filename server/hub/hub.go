package hub

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgtape/pgtape/fairqueue"
)

// State is how fresh the tape reader's deliveries are.
type State int

const (
	Live       State = iota // events arrive as they are committed
	CatchingUp              // events arrive, but later
	Lost                    // the database cannot be read
)

func (s State) String() string {
	switch s {
	case Live:
		return "live"
	case CatchingUp:
		return "catching_up"
	default:
		return "lost"
	}
}

// Mode is what a subscriber is sent of a market.
type Mode int

const (
	Tape  Mode = iota // every event
	Quote             // the newest quote, as often as the client can take one
)

// Options may be left zero.
type Options struct {
	RingSize         int           // events kept of a market that is followed, default 1024
	Linger           time.Duration // how long they are kept when nobody follows any more, default 1 minute
	ReplayLimit      int64         // widest gap that is replayed, in events, default 10,000; a wider one gets a snapshot
	Heartbeat        time.Duration // default 1 second
	MaxSubscriptions int           // of one connection, default 1000
	MaxWaiting       int           // subscriptions of all connections of one client that wait to be read, default 10 times as many
	Reads            int           // calls of History at a time, default 8
	Log              *slog.Logger
}

func (o Options) withDefaults() Options {
	o.RingSize = cmp.Or(o.RingSize, 1024)
	o.Linger = cmp.Or(o.Linger, time.Minute)
	o.ReplayLimit = cmp.Or(o.ReplayLimit, 10_000)
	o.Heartbeat = cmp.Or(o.Heartbeat, time.Second)
	o.MaxSubscriptions = cmp.Or(o.MaxSubscriptions, 1000)
	o.MaxWaiting = cmp.Or(o.MaxWaiting, 10*o.MaxSubscriptions)
	o.Reads = cmp.Or(o.Reads, 8)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return o
}

// Hub is safe for concurrent use, but the events of one market must come from one goroutine.
type Hub struct {
	history History
	o       Options
	reads   *fairqueue.Queue // a turn for each call of History

	state  atomic.Int32
	counts counters
	fanOut *fanOut

	tasks  sync.WaitGroup  // joins and workers of the fanOut
	ctx    context.Context // of the joins; ends with Run
	cancel context.CancelFunc

	mu      sync.RWMutex
	topics  map[string]*topic
	clients map[*Client]struct{}
	turn    int // spreads clients over the turns of a heartbeat

	waitingMu sync.Mutex
	waiting   map[fairqueue.Client]int // subscriptions that wait to be read, by whose they are

	tasksMu sync.Mutex // taken last; no task starts once stopped
	stopped bool
}

// New returns a hub that knows no market. It is Live until SetState says otherwise.
func New(history History, o Options) *Hub {
	o = o.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	h := &Hub{
		history: history,
		o:       o,
		reads:   fairqueue.New(fairqueue.Options{AtOnce: o.Reads}), // MaxWaiting bounds who waits
		ctx:     ctx,
		cancel:  cancel,
		topics:  make(map[string]*topic),
		clients: make(map[*Client]struct{}),
		waiting: make(map[fairqueue.Client]int),
	}
	h.fanOut = newFanOut(h)
	return h
}

// Publish takes the next event of a market and writes it to every subscriber who has nothing in
// flight, or if they are a crowd, has it written; the others get it when they can. It never waits
// for a client. An event at or below the head is ignored, so overlap is harmless. An event that
// leaves a hole behind the head is taken, counted in Stats.Gaps, and the subscribers get what is
// between from History.
func (h *Hub) Publish(e Event) {
	t := h.locked(e.Market)
	if e.Seq <= t.head {
		t.mu.Unlock()
		return
	}
	var hole bool
	var stranded []*Client
	if e.Seq > t.head+1 {
		hole = t.head > 0
		stranded = t.jump(e.Seq - 1)
	}
	late := t.append(e)
	crowds, woken := t.wakeFew()
	t.mu.Unlock()

	if hole {
		h.counts.gaps.Add(1)
		h.o.Log.Warn("hole in the tape", "market", e.Market, "next", e.Seq)
	}
	for _, s := range woken {
		s.client.wake(s)
	}
	for _, c := range crowds {
		h.fanOut.announce(c, e.Seq)
	}
	for _, s := range late {
		s.tooSlow()
	}
	for _, c := range stranded {
		c.startJoins()
	}
}

// Reset says that the market's head is now this, without the events between: at the first start,
// or because the database went back to another history. Every subscriber who is not just there
// joins again with the cursor of the last event that it was sent: where the table knows it, it goes
// on from there, else from a snapshot.
func (h *Hub) Reset(market, cursor string, seq int64) {
	t := h.locked(market)
	if t.head == seq && t.cursor == cursor {
		t.mu.Unlock()
		return
	}
	kept, restarted := t.reset(seq, cursor)
	t.mu.Unlock()
	for _, s := range kept {
		s.client.wake(s)
	}
	for _, c := range restarted {
		c.startJoins()
	}
	h.forget(t)
}

// Head returns the market's last published event; ok is false if there is none.
func (h *Hub) Head(market string) (seq int64, cursor string, ok bool) {
	h.mu.RLock()
	t := h.topics[market]
	h.mu.RUnlock()
	if t == nil {
		return 0, "", false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head, t.cursor, t.head > 0
}

// Watched says whether a market has subscribers.
func (h *Hub) Watched(market string) bool {
	h.mu.RLock()
	t := h.topics[market]
	h.mu.RUnlock()
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.subs) > 0
}

// WaitFor returns once the market's head is at seq or above, or with ctx's error.
func (h *Hub) WaitFor(ctx context.Context, market string, seq int64) error {
	t := h.locked(market)
	t.waiters++
	defer func() {
		t.waiters--
		t.mu.Unlock()
		h.forget(t)
	}()
	for t.head < seq {
		if t.changed == nil {
			t.changed = make(chan struct{})
		}
		changed := t.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		t.mu.Lock()
		if t.head < seq && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// locked returns the market's topic with its lock held, making one if there is none.
func (h *Hub) locked(market string) *topic {
	for {
		h.mu.RLock()
		t := h.topics[market]
		h.mu.RUnlock()
		if t == nil {
			h.mu.Lock()
			if t = h.topics[market]; t == nil {
				t = newTopic(market, h.o.RingSize)
				h.topics[market] = t
			}
			h.mu.Unlock()
		}
		t.mu.Lock()
		if !t.dead {
			return t
		}
		t.mu.Unlock()
	}
}

// forget drops the topic of a market that was asked for and never heard of.
func (h *Hub) forget(t *topic) {
	t.mu.Lock()
	unused := t.unused()
	t.mu.Unlock()
	if !unused {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.dead && t.unused() {
		t.dead = true
		delete(h.topics, t.market)
	}
}
