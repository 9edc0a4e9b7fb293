package hub_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

var seed = flag.Uint64("hub.seed", 0, "seed of the stress test; 0 takes one from the clock")

const (
	stressMarkets = 5
	stressStart   = 700  // head before the test
	stressEnd     = 1300 // and after it
)

// watcher is a socket that holds what it is written against what the hub promises.
type watcher struct {
	client *hub.Client
	random *rand.Rand
	frames chan []byte
	stop   chan struct{}

	mu     sync.Mutex
	modes  map[string]hub.Mode
	seqs   map[string]int64          // what it has of a market
	fresh  map[string]bool           // a snapshot is due
	starts map[string]map[int64]bool // where a restless one has asked to go on from; else nil
	events int
	errs   []string
	closed int
}

func newWatcher(h *hub.Hub, seed uint64, restless bool) *watcher {
	w := &watcher{
		random: rand.New(rand.NewPCG(seed, 1)),
		frames: make(chan []byte, 1),
		stop:   make(chan struct{}),
		modes:  map[string]hub.Mode{},
		seqs:   map[string]int64{},
		fresh:  map[string]bool{},
	}
	if restless {
		w.starts = map[string]map[int64]bool{}
	}
	h.Connect(fairqueue.Client{}, w.attach)
	return w
}

func (w *watcher) attach(c *hub.Client) hub.Conn {
	w.client = c
	return w
}

func (w *watcher) Write(frame hub.Messages) error {
	select {
	case w.frames <- frame:
	default:
		w.complain("a second frame while one was in flight")
	}
	return nil
}

func (w *watcher) Close(code int, _ string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = code
}

func (w *watcher) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, fmt.Sprintf(format, args...))
}

// read takes frames and says that they have left.
func (w *watcher) read(t *testing.T) {
	for {
		select {
		case <-w.stop:
			return
		case frame := <-w.frames:
			for _, m := range parse(t, frame) {
				if why := w.check(m); why != "" {
					w.complain("%v %s; has %d", m, why, w.seqs[m.Market])
				}
			}
			w.client.Sent()
		}
	}
}

// check takes a message and says what is wrong with it.
func (w *watcher) check(m message) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	has, restless := w.seqs[m.Market], w.starts != nil
	switch m.Op {
	case "snapshot":
		if !restless && !w.fresh[m.Market] && w.modes[m.Market] == hub.Tape {
			return "was not asked for"
		}
		if !restless && m.Seq < has {
			return "goes back"
		}
		w.fresh[m.Market] = false
	case "subscribed":
		if !restless {
			return "has skipped a replay"
		}
	case "event":
		w.events++
		if w.fresh[m.Market] && !restless {
			return "comes before the snapshot"
		}
		if m.Prev != has && !w.starts[m.Market][m.Prev] {
			return "leaves a gap or comes twice"
		}
	case "quote":
		w.events++
		if !restless && m.Seq <= has {
			return "goes back"
		}
	case "heartbeat":
		for market, head := range m.Heads {
			if !restless && w.modes[market] == hub.Tape && head != w.seqs[market] {
				return fmt.Sprintf("is not what was written of %s: %d", market, w.seqs[market])
			}
		}
		return ""
	default:
		return "is not expected"
	}
	if m.Cursor != "" && m.Cursor != cursor("a", m.Market, m.Seq) {
		return "is not of this history"
	}
	w.seqs[m.Market] = m.Seq
	return ""
}

func (w *watcher) subscribe(market string, after int64, mode hub.Mode) {
	c := ""
	w.mu.Lock()
	w.modes[market] = mode
	switch {
	case after < 0:
		w.fresh[market] = true
	case w.starts == nil:
		w.seqs[market] = after
	default:
		if w.starts[market] == nil {
			w.starts[market] = map[int64]bool{}
		}
		w.starts[market][after] = true
	}
	w.mu.Unlock()
	if after >= 0 {
		c = cursor("a", market, after)
	}
	w.client.Subscribe(market, c, mode)
}

// settle subscribes to some markets, once each.
func (w *watcher) settle() {
	for _, m := range w.random.Perm(stressMarkets)[:1+w.random.IntN(stressMarkets)] {
		after := int64(-1)
		if w.random.IntN(2) == 0 {
			after = w.random.Int64N(stressStart)
		}
		w.subscribe(stressMarket(m), after, hub.Mode(w.random.IntN(4)/3))
		pause(w.random)
	}
}

// roam subscribes, replaces and unsubscribes, and leaves once it has seen something: its turns may
// be over before a busy machine has given one to the hub.
func (w *watcher) roam() {
	for range 60 {
		market := stressMarket(w.random.IntN(stressMarkets))
		switch w.random.IntN(3) {
		case 0:
			w.client.Unsubscribe(market)
		case 1:
			w.subscribe(market, w.random.Int64N(stressStart), hub.Mode(w.random.IntN(2)))
		case 2:
			w.subscribe(market, -1, hub.Mode(w.random.IntN(2)))
		}
		pause(w.random)
	}
	w.subscribe(stressMarket(0), w.random.Int64N(stressStart), hub.Tape)
	for deadline := time.Now().Add(30 * time.Second); !w.sawEvents(); pause(w.random) {
		if time.Now().After(deadline) {
			w.complain("saw nothing")
			break
		}
	}
	w.client.Close()
}

func (w *watcher) sawEvents() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events > 0
}

// complete says that the watcher has the head of everything it subscribed to.
func (w *watcher) complete() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for market := range w.modes {
		if w.seqs[market] != stressEnd {
			return false
		}
	}
	return true
}

func stressMarket(i int) string { return fmt.Sprintf("market-%d", i) }

// TestEveryWatcherSeesEveryEventOnce publishes to several markets at once, and now and then only
// says where a head is, while watchers join, some with a snapshot, some from old cursors and some in quote mode; while others subscribe,
// replace and leave all the time, and one never reads.
func TestEveryWatcherSeesEveryEventOnce(t *testing.T) {
	t.Parallel()
	seed := *seed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)

	db := newTable(map[string]int64{})
	h := hub.New(db, hub.Options{RingSize: stressEnd, Heartbeat: 20 * time.Millisecond})
	var publishers, readers, crowd sync.WaitGroup
	for i := range stressMarkets {
		market := stressMarket(i)
		db.set(market, stressStart)
		h.Reset(market, cursor("a", market, stressStart), stressStart)
		r := rand.New(rand.NewPCG(seed, uint64(100+i)))
		publishers.Go(func() { trade(h, db, market, r) })
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- h.Run(ctx) }()
	connectStalled(h).client.Subscribe(stressMarket(0), "", hub.Tape)

	var all []*watcher
	for i := range 24 {
		w := newWatcher(h, seed+uint64(i), i%4 == 3)
		all = append(all, w)
		readers.Go(func() { w.read(t) })
		if w.starts != nil {
			crowd.Go(w.roam)
		} else {
			crowd.Go(w.settle)
		}
	}
	publishers.Wait()
	crowd.Wait()
	awaitComplete(t, all)
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	for _, w := range all {
		close(w.stop)
	}
	readers.Wait()
	judge(t, all)
	t.Logf("%+v", h.Stats())
}

// awaitComplete waits until the watchers who stayed have everything.
func awaitComplete(t *testing.T, all []*watcher) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for _, w := range all {
		for w.starts == nil && !w.complete() {
			if time.Now().After(deadline) {
				w.complain("still waits for events")
				return
			}
			pause(w.random)
		}
	}
}

func judge(t *testing.T, all []*watcher) {
	t.Helper()
	for i, w := range all {
		for _, e := range w.errs[:min(3, len(w.errs))] {
			t.Errorf("watcher %d: %s", i, e)
		}
		if w.closed != 0 {
			t.Errorf("watcher %d was closed with %d", i, w.closed)
		}
	}
}

// trade commits events and publishes them; the table shows them now a little before, now a little
// after the stream does.
func trade(h *hub.Hub, db *table, market string, r *rand.Rand) {
	for head := int64(stressStart); head < stressEnd; {
		n := min(stressEnd-head, 1+r.Int64N(4))
		if r.IntN(30) == 0 { // as at the start of a reader
			db.set(market, head+n)
			h.Reset(market, cursor("a", market, head+n), head+n)
		} else if early := r.IntN(2) == 0; early {
			db.set(market, head+n)
			publish(h, market, head+1, head+n)
		} else {
			publish(h, market, head+1, head+n)
			db.set(market, head+n)
		}
		publish(h, market, head-2, head) // overlap
		head += n
		if r.IntN(4) == 0 {
			pause(r)
		}
	}
}

// pause gives the others a turn, for no time that anything depends on.
func pause(r *rand.Rand) {
	<-time.After(time.Duration(r.IntN(1000)) * time.Microsecond)
}
