package hub

import (
	"runtime"
	"sync"
	"time"
)

const (
	// few are woken by the goroutine that publishes; more are a crowd, which is left to workers, so
	// that it does not hold up the events behind.
	few = 16

	// handful is how many of a crowd a worker wakes before it looks what else there is, and lets
	// other goroutines run.
	handful = 32
)

// pace is how often a crowd may have its turn. A turn that nothing went before for a while comes at
// once; under load, what gathers until the next one goes out joined, or as one quote. Quotes are to
// be looked at: however many look, they take half of a worker, unless that made them old.
type pace struct {
	every time.Duration // from the beginning of a turn to that of the next, at least
	rest  float64       // from its end, as a part of the time that it took,
	most  time.Duration // but no longer
}

var paces = [...]pace{
	Tape:  {every: 4 * time.Millisecond},
	Quote: {every: 20 * time.Millisecond, rest: 1, most: 200 * time.Millisecond},
}

// crowd is the subscribers of one mode of a market, if they are more than a few. Guarded by fanOut.mu.
type crowd struct {
	topic *topic
	mode  Mode

	busy bool      // its turn is under way, or queued, or a timer will bring it
	news bool      // something came that this turn may be too early for
	free time.Time // when the next turn may begin
	head int64     // of the topic, when the last one began

	timer *time.Timer // brings the next one; nil when it has

	// Of the turn under way.
	began time.Time
	took  time.Duration // of all workers
	subs  []*subscription
	next  int
	left  int // of subs that are not yet
}

// fanOut gives crowds their turns with few goroutines. A worker writes to one client after the other:
// that costs less than to wake a goroutine for each.
type fanOut struct {
	hub *Hub
	max int // workers: half of the processors; the others are for those who trade

	mu      sync.Mutex
	workers int
	queues  [2][]*crowd // by mode: who follows the tape goes first
}

func newFanOut(h *Hub) *fanOut {
	return &fanOut{hub: h, max: max(1, runtime.GOMAXPROCS(0)/2)}
}

// announce says that there is news for a crowd. If so much has gathered that the ring's end comes
// closer, the turn does not wait.
func (f *fanOut) announce(c *crowd, seq int64) {
	f.mu.Lock()
	wait := time.Until(c.free)
	if c.mode == Tape && seq-c.head > int64(f.hub.o.RingSize/4) {
		wait = 0
	}
	if c.busy && (wait > 0 || c.timer == nil || !c.timer.Stop()) {
		c.news = true
		f.mu.Unlock()
		return
	}
	c.busy = true
	f.mu.Unlock()
	f.begin(c, wait)
}

// begin gives a crowd its turn, after a while.
func (f *fanOut) begin(c *crowd, wait time.Duration) {
	if wait > 0 {
		f.mu.Lock()
		c.timer = time.AfterFunc(wait, func() { f.begin(c, 0) })
		f.mu.Unlock()
		return
	}
	woken, head := f.wake(c)
	if woken == nil {
		return
	}
	f.mu.Lock()
	c.began, c.took, c.subs, c.next, c.left = time.Now(), 0, woken, 0, len(woken)
	c.head = head
	f.queues[c.mode] = append(f.queues[c.mode], c)
	more := f.workers < f.max
	if more {
		f.workers++
	}
	f.mu.Unlock()
	if more && !f.hub.spawn(f.work) {
		f.work() // Run has ended, and with it the workers
	}
}

// wake takes who waits for news; if nobody does, the turn is over.
func (f *fanOut) wake(c *crowd) (woken []*subscription, head int64) {
	for {
		f.mu.Lock()
		c.news, c.timer = false, nil // whatever comes from here on
		f.mu.Unlock()
		c.topic.mu.Lock()
		woken, head = c.topic.wakeAll(c.mode), c.topic.head
		c.topic.mu.Unlock()
		if len(woken) > 0 {
			return woken, head
		}
		f.mu.Lock()
		c.busy = c.news
		over := !c.busy
		f.mu.Unlock()
		if over {
			return nil, 0
		}
	}
}

// work wakes subscribers until there is no turn left.
func (f *fanOut) work() {
	for {
		c, some := f.take()
		if c == nil {
			return
		}
		began := time.Now()
		for _, s := range some {
			s.client.wake(s)
		}
		f.done(c, len(some), time.Since(began))
		runtime.Gosched()
	}
}

// take returns some of a crowd whose turn it is, or nil: then the worker has ended.
func (f *fanOut) take() (*crowd, []*subscription) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for mode, queue := range f.queues {
		if len(queue) == 0 {
			continue
		}
		c := queue[0]
		some := c.subs[c.next:min(c.next+handful, len(c.subs))]
		if c.next += len(some); c.next == len(c.subs) {
			queue[0] = nil
			f.queues[mode] = queue[1:]
		} else if f.workers < f.max && f.hub.spawn(f.work) {
			f.workers++
		}
		return c, some
	}
	f.workers--
	return nil, nil
}

// done notes that so many of a crowd have been woken; the last of them end its turn.
func (f *fanOut) done(c *crowd, woken int, took time.Duration) {
	f.mu.Lock()
	c.took += took
	if c.left -= woken; c.left > 0 {
		f.mu.Unlock()
		return
	}
	c.subs = nil
	now, p := time.Now(), paces[c.mode]
	rest := min(time.Duration(p.rest*float64(c.took)), p.most)
	c.free = now.Add(max(rest, p.every-now.Sub(c.began)))
	c.busy, c.news = c.news, false
	again := c.busy
	wait := c.free.Sub(now)
	f.mu.Unlock()
	if again {
		f.begin(c, wait)
	}
}
