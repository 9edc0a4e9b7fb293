package audit

import (
	"context"
	"hash/maphash"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a replay. The zero value is good.
type Options struct {
	Workers  int                     // goroutines that replay markets; 0: one for each CPU
	Total    int64                   // events to come, for Progress
	Progress func(done, total int64) // called now and then, by the caller's goroutine, and at the end
}

// Stats tell what a replay did.
type Stats struct {
	Events    int64
	Markets   int
	Fallbacks int // charges and prices that took decimal arithmetic
	Elapsed   time.Duration

	// ClockSetBack says that the times of a market run backwards. Balances are then held only to
	// what they came to, not to what they were at each time.
	ClockSetBack bool
}

const (
	batchSize = 512 // events handed to a worker at once
	queued    = 4   // batches that may wait for a worker
)

// Replay rebuilds the book from the whole tape: the events of each market, and those of the house,
// in the order of their seq; streams may come one after the other or mixed. It keeps no event, but
// an event's memory must not be reused. What is wrong with the tape is in the Book, not an error.
// Errors: that of events, or of ctx.
func Replay(ctx context.Context, events iter.Seq2[Event, error], o Options) (*Book, error) {
	began := time.Now()
	workers := make([]*worker, max(o.Workers, 0))
	if len(workers) == 0 {
		workers = make([]*worker, runtime.GOMAXPROCS(0))
	}
	var done atomic.Int64
	var running sync.WaitGroup
	for i := range workers {
		workers[i] = &worker{batches: make(chan []Event, queued), markets: map[string]*market{}}
		running.Go(func() { workers[i].run(&done) })
	}
	err := deal(ctx, events, workers, func() {
		if o.Progress != nil {
			o.Progress(done.Load(), o.Total)
		}
	})
	running.Wait()
	if err != nil {
		return nil, err
	}
	if o.Progress != nil {
		o.Progress(done.Load(), o.Total)
	}
	book := assemble(workers)
	book.stats.Events = done.Load()
	book.stats.Elapsed = time.Since(began)
	return book, nil
}

// deal hands the events out, all of one market to the same worker, and then ends the workers.
func deal(ctx context.Context, events iter.Seq2[Event, error], workers []*worker, dealt func()) error {
	defer func() {
		for _, w := range workers {
			close(w.batches)
		}
	}()
	seed := maphash.MakeSeed()
	for e, err := range events {
		if err != nil {
			return err
		}
		w := workers[maphash.String(seed, e.Market)%uint64(len(workers))]
		w.next = append(w.next, e)
		if len(w.next) < batchSize {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		w.send()
		dealt()
	}
	for _, w := range workers {
		w.send()
	}
	return ctx.Err()
}

// worker replays some of the streams.
type worker struct {
	next    []Event // gathered by deal
	batches chan []Event

	markets map[string]*market
	house   *house
}

func (w *worker) send() {
	w.batches <- w.next
	w.next = make([]Event, 0, batchSize)
}

func (w *worker) run(done *atomic.Int64) {
	for batch := range w.batches {
		for _, e := range batch {
			w.apply(e)
		}
		done.Add(int64(len(batch)))
	}
}

func (w *worker) apply(e Event) {
	if e.Market == houseStream {
		if w.house == nil {
			w.house = newHouse()
		}
		w.house.apply(e)
		return
	}
	m := w.markets[e.Market]
	if m == nil {
		m = newMarket(e.Market)
		w.markets[m.slug] = m
	}
	m.apply(e)
}
