// Package orders hands the orders of each market to the database in batches.
//
// A market's orders wait for its one row anyway: here they wait outside the database. While the
// orders of a market are being carried out, those that arrive gather, and go next, together: in one
// call, one transaction, one commit. An order that finds nobody before it goes at once and alone, so
// a quiet market is as fast as without a queue, and no clock decides when a batch is full.
package orders

import (
	"context"
	"sync"
	"time"

	"github.com/pgtape/pgtape/db"
)

const (
	maxBatch  = 64   // orders of one call; what comes next need not wait longer than for so many
	maxQueue  = 4096 // orders that wait for one market
	callLimit = 15 * time.Second
)

// Book is what carries orders out: a *db.DB.
type Book interface {
	Trade(context.Context, db.Order) (db.Receipt, error)
	TradeBatch(ctx context.Context, market string, orders []db.Order) ([]db.Placed, error)
}

// Queue takes orders of all markets. Its methods may be called by many goroutines.
type Queue struct {
	book Book

	mu    sync.Mutex
	lines map[string]*line // of markets whose orders are being carried out
}

// line is the orders of one market that wait, in their turn.
type line struct {
	waiting []*ticket
}

// ticket is one order and who waits for it.
type ticket struct {
	ctx   context.Context // of who waits
	order db.Order
	done  chan db.Placed // has room for the answer
}

// New makes a queue.
func New(book Book) *Queue { return &Queue{book: book, lines: make(map[string]*line)} }

// Trade carries an order out in its turn, or refuses it. When ctx ends first, nobody knows what
// became of it, except that an order whose turn had not come is not carried out any more.
// Errors: those of db.Trade; Unavailable when the queue is full, or ctx has ended.
func (q *Queue) Trade(ctx context.Context, o db.Order) (db.Receipt, error) {
	t := &ticket{ctx: ctx, order: o, done: make(chan db.Placed, 1)}
	if err := q.enter(t); err != nil {
		return db.Receipt{}, err
	}
	select {
	case p := <-t.done:
		return p.Receipt, p.Err
	case <-ctx.Done():
		return db.Receipt{}, db.Errorf(db.Unavailable, "no answer in time; it may or may not be done: %w", ctx.Err())
	}
}

func (q *Queue) enter(t *ticket) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	market := t.order.Market
	l := q.lines[market]
	if l == nil {
		l = &line{}
		q.lines[market] = l
		go q.serve(market, l)
	}
	if len(l.waiting) >= maxQueue {
		return db.Errorf(db.Unavailable, "%d orders wait for %s already", maxQueue, market)
	}
	l.waiting = append(l.waiting, t)
	return nil
}

// serve carries out the orders of a market until none waits.
func (q *Queue) serve(market string, l *line) {
	for {
		batch := q.next(market, l)
		if len(batch) == 0 {
			return
		}
		q.carryOut(market, batch)
	}
}

// next takes the orders whose turn it is, without those that nobody waits for any more. If there are
// none, the line is closed.
func (q *Queue) next(market string, l *line) (batch []*ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(batch) == 0 && len(l.waiting) > 0 {
		n := min(len(l.waiting), maxBatch)
		for _, t := range l.waiting[:n] {
			if t.ctx.Err() == nil {
				batch = append(batch, t)
			}
		}
		l.waiting = l.waiting[n:]
	}
	if len(batch) == 0 {
		delete(q.lines, market)
	}
	return batch
}

func (q *Queue) carryOut(market string, batch []*ticket) {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit) // of nobody who may leave
	defer cancel()
	if len(batch) == 1 {
		batch[0].answer(q.book.Trade(ctx, batch[0].order))
		return
	}
	orders := make([]db.Order, len(batch))
	for i, t := range batch {
		orders[i] = t.order
	}
	placed, err := q.book.TradeBatch(ctx, market, orders)
	switch {
	case err == nil:
		for i, t := range batch {
			t.done <- placed[i]
		}
	case db.CodeOf(err) == db.Unavailable || db.CodeOf(err) == db.Internal:
		for _, t := range batch {
			t.answer(db.Receipt{}, err)
		}
	default: // one of them cannot even be read: it must not be the ruin of the others
		for _, t := range batch {
			t.answer(q.book.Trade(ctx, t.order))
		}
	}
}

func (t *ticket) answer(receipt db.Receipt, err error) {
	t.done <- db.Placed{Receipt: receipt, Err: err}
}

// Waiting is how many orders of a market wait for their turn.
func (q *Queue) Waiting(market string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lines[market]; l != nil {
		return len(l.waiting)
	}
	return 0
}
