// Package orders hands orders to the database in batches.
//
// A market's orders wait for its one row anyway: here they wait outside the database. While the
// orders of a market are being carried out, those that arrive gather, and go next, together: in one
// call, one transaction, one commit. When all lanes are taken, orders of several markets go together
// too. An order that finds a lane free and nobody before it goes at once and alone, so a quiet market
// is as fast as without a queue, and no clock decides when a batch is full.
//
//	Trade ─► line of its market ─► lane ─┬─ one market:      TradeBatch (or Trade), which waits its turn
//	                                     └─ several markets: TradeFree, which waits for nobody
//	                                        └─ what it left: a call of its own for each market
//
// A market that somebody keeps locked in the database so holds up no other.
package orders

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pgtape/pgtape/db"
)

const (
	maxBatch  = 64   // orders of one call; what comes next need not wait longer than for so many
	maxQueue  = 4096 // orders that wait for one market
	callLimit = 15 * time.Second

	// maxLanes is how many calls are under way before orders of several markets are put together.
	maxLanes     = 4
	lanePatience = 50 * time.Millisecond
)

// Book is what carries orders out: a *db.DB.
type Book interface {
	Trade(context.Context, db.Order) (db.Receipt, error)
	TradeBatch(ctx context.Context, market string, orders []db.Order) ([]db.Placed, error)
	TradeFree(ctx context.Context, orders []db.Order) (placed map[int]db.Placed, left []int, err error)
}

// Queue takes orders of all markets. Its methods may be called by many goroutines.
type Queue struct {
	book     Book
	patience time.Duration // how long a call may keep others from a lane

	mu    sync.Mutex
	lanes int
	lines map[string]*line // of markets that have orders waiting, or under way
	turns []*line          // those that have orders waiting, in their turn
}

// line is the orders of one market that wait.
type line struct {
	market   string
	waiting  []*ticket
	underWay bool // some are being carried out
}

// ticket is one order and who waits for it.
type ticket struct {
	ctx   context.Context // of who waits
	order db.Order
	done  chan db.Placed // has room for the answer
}

// New makes a queue.
func New(book Book) *Queue {
	return &Queue{book: book, patience: lanePatience, lines: make(map[string]*line)}
}

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
		l = &line{market: market}
		q.lines[market] = l
	}
	if len(l.waiting) >= maxQueue {
		return db.Errorf(db.Unavailable, "%d orders wait for %s already", maxQueue, market)
	}
	l.waiting = append(l.waiting, t)
	if len(l.waiting) == 1 {
		q.turns = append(q.turns, l)
	}
	q.start()
	return nil
}

// ready says whether a call may take orders of the line: its market has one at a time.
func (l *line) ready() bool { return !l.underWay }

// serve is one lane: it carries out what is ready until nothing is. A call that takes too long, be it
// that somebody keeps its market locked, gives the lane to another.
func (q *Queue) serve() {
	for c := q.next(); c != nil; c = q.next() {
		slow := time.AfterFunc(q.patience, q.replace)
		q.carryOut(c)
		if !slow.Stop() { // what has become ready with this call may be for nobody else
			q.wake()
			return
		}
	}
}

// replace lets another lane begin, if there is something for it.
func (q *Queue) replace() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lanes--
	q.start()
}

// start begins a lane, if there may be one more and something is ready. Called with q.mu held.
func (q *Queue) start() {
	if q.lanes < maxLanes && slices.ContainsFunc(q.turns, (*line).ready) {
		q.lanes++
		go q.serve()
	}
}

// call is orders that go to the database together: of one line, or of several.
type call struct {
	lines   []*line
	tickets []*ticket
}

// next takes the orders whose turn it is, without those that nobody waits for any more; nil if there
// are none: the lane ends.
func (q *Queue) next() *call {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := &call{}
	var later []*line // whose turn it is not
	for i, l := range q.turns {
		if len(c.tickets) >= maxBatch {
			later = append(later, q.turns[i:]...)
			break
		}
		full := len(l.waiting) >= maxBatch // goes alone
		if !l.ready() || full && len(c.lines) > 0 {
			later = append(later, l)
			continue
		}
		if c.take(l); len(l.waiting) > 0 {
			later = append(later, l)
		} else if !l.underWay {
			delete(q.lines, l.market)
		}
	}
	q.turns = later
	if len(c.lines) == 0 {
		q.lanes--
		return nil
	}
	return c
}

// take takes what there is room for. A line of which nobody waits any more is none of the call's.
func (c *call) take(l *line) {
	before := len(c.tickets)
	n := min(len(l.waiting), maxBatch-before)
	for _, t := range l.waiting[:n] {
		if t.ctx.Err() == nil {
			c.tickets = append(c.tickets, t)
		}
	}
	l.waiting = slices.Delete(l.waiting, 0, n)
	if len(c.tickets) > before {
		l.underWay = true
		c.lines = append(c.lines, l)
	}
}

func (q *Queue) carryOut(c *call) {
	if len(c.lines) == 1 {
		q.carryOutAlone(c.lines[0], c.tickets)
		q.leave(c.lines[0])
		return
	}
	ctx, cancel := limited()
	defer cancel()
	placed, left, err := q.book.TradeFree(ctx, ordersOf(c.tickets))
	if err != nil && !unknown(err) {
		// One of them cannot even be read: it must not be the ruin of the others.
		for i := range c.tickets {
			left = append(left, i)
		}
		err = nil
	}
	rest := make(map[*line][]*ticket)
	for _, i := range left {
		l := c.lineOf(c.tickets[i])
		rest[l] = append(rest[l], c.tickets[i])
	}
	for i, t := range c.tickets {
		if p, done := placed[i]; done || err != nil {
			t.answer(p.Receipt, cmp.Or(err, p.Err))
		}
	}
	for _, l := range c.lines {
		if tickets := rest[l]; len(tickets) > 0 {
			go func() {
				q.carryOutAlone(l, tickets)
				q.leave(l)
				q.wake()
			}()
		} else {
			q.leave(l)
		}
	}
}

// limited is a context of nobody who may leave. A call ends no earlier than what it asked of the
// database: until then no more orders of its markets are sent.
func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(db.UntilEnd(context.Background()), callLimit)
}

func (c *call) lineOf(t *ticket) *line {
	return c.lines[slices.IndexFunc(c.lines, func(l *line) bool { return l.market == t.order.Market })]
}

// carryOutAlone carries out orders of one market, waiting for it if need be.
func (q *Queue) carryOutAlone(l *line, tickets []*ticket) {
	ctx, cancel := limited()
	defer cancel()
	if len(tickets) == 1 {
		tickets[0].answer(q.book.Trade(ctx, tickets[0].order))
		return
	}
	placed, err := q.book.TradeBatch(ctx, l.market, ordersOf(tickets))
	switch {
	case err == nil:
		for i, t := range tickets {
			t.done <- placed[i]
		}
	case unknown(err):
		for _, t := range tickets {
			t.answer(db.Receipt{}, err)
		}
	default: // as above
		for _, t := range tickets {
			t.answer(q.book.Trade(ctx, t.order))
		}
	}
}

// unknown says whether an error leaves it open what became of the orders.
func unknown(err error) bool {
	code := db.CodeOf(err)
	return code == db.Unavailable || code == db.Internal
}

// leave is called when a call that had orders of a line has ended.
func (q *Queue) leave(l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.underWay = false; len(l.waiting) == 0 {
		delete(q.lines, l.market)
	}
}

// wake begins a lane for what has become ready.
func (q *Queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.start()
}

func ordersOf(tickets []*ticket) []db.Order {
	orders := make([]db.Order, len(tickets))
	for i, t := range tickets {
		orders[i] = t.order
	}
	return orders
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
