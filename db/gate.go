package db

import (
	"container/list"
	"context"
	"math"
	"sync"
	"time"
)

// work is a kind of work that connections are for. Each has a budget, so that none starves another.
type work int

const (
	reading   work = iota // what people look at; all that is not said to be something else
	trading               // orders
	reporting             // what counts up much: the leaderboard, track records, whole histories
	operating             // what those do who run markets, and signs of life
	kinds
)

var workNames = [kinds]string{"read", "trade", "insight", "operate"}

type workKey struct{}

// as says what the statements of a context are for.
func as(ctx context.Context, k work) context.Context { return context.WithValue(ctx, workKey{}, k) }

func workOf(ctx context.Context) work {
	k, _ := ctx.Value(workKey{}).(work)
	return k
}

// gate lets statements in to the connections of a pool. A kind has some for sure, which nobody else
// gets, and never more than most; the others go to who has waited longest. Who waits too long, or
// would be one too many to wait, is turned away.
type gate struct {
	within time.Duration // that one waits at most
	room   int           // of a kind, to wait
	conns  int           // of the pool

	mu    sync.Mutex
	free  int // below 0: more are inside than Postgres gives connections for now
	held  int // of the pool's connections that Postgres does not give at the moment
	grow  *time.Timer
	turns uint64
	lines [kinds]line
}

type line struct {
	sure, most int
	inside     int
	waiting    list.List // of *waiter

	admitted, full, late int64
}

type waiter struct {
	turn uint64
	in   chan struct{} // closed when he is let in
}

// newGate divides so many connections: a quarter is sure to trades, another to reads; reports never
// have more than a quarter, and what operators do always has one.
func newGate(conns int, within time.Duration, room int) *gate {
	g := &gate{within: within, room: room, conns: conns, free: conns}
	quarter := max(1, conns/4)
	g.lines[operating].sure, g.lines[operating].most = 1, conns
	g.lines[trading].sure, g.lines[trading].most = quarter, conns
	g.lines[reading].sure, g.lines[reading].most = quarter, conns
	g.lines[reporting].sure, g.lines[reporting].most = min(1, conns/8), quarter
	return g
}

// enter waits for a connection to be free for the kind of work of ctx; whoever enters leaves.
// Errors: Unavailable when too many wait, or it takes too long; ctx's.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	k := workOf(ctx)
	leave = func() { g.leave(k) }
	g.mu.Lock()
	l := &g.lines[k]
	if l.waiting.Len() == 0 && g.may(k) {
		g.admit(l)
		g.mu.Unlock()
		return leave, nil
	}
	if l.waiting.Len() >= g.room {
		l.full++
		g.mu.Unlock()
		return nil, busy("too many wait for the database already")
	}
	g.turns++
	w := &waiter{turn: g.turns, in: make(chan struct{})}
	place := l.waiting.PushBack(w)
	g.mu.Unlock()

	timer := time.NewTimer(g.within)
	defer timer.Stop()
	select {
	case <-w.in:
		return leave, nil
	case <-timer.C:
		err = busy("the database had no time for this within " + g.within.String())
	case <-ctx.Done():
		err = ctx.Err()
	}
	return g.giveUp(k, w, place, err)
}

func busy(message string) *Error {
	return &Error{Code: Unavailable, Message: message, Hint: "try again in a moment", Reason: ReasonBusy, RetryAfter: time.Second}
}

// relearn is how long the gate believes that Postgres gives no more connections than it did.
const relearn = 10 * time.Second

// shrink lets no more in at a time than there are connections, for a while: the pool could have more,
// but Postgres gives none.
func (g *gate) shrink(conns int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns = max(1, conns)
	if held := g.conns - conns; held > g.held {
		g.free -= held - g.held
		g.held = held
	}
	if g.grow != nil {
		g.grow.Stop()
	}
	g.grow = time.AfterFunc(relearn, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.free += g.held
		g.held, g.grow = 0, nil
		g.admitNext()
	})
}

// giveUp takes a waiter away, unless he has been let in at this moment.
func (g *gate) giveUp(k work, w *waiter, place *list.Element, err error) (leave func(), _ error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.in:
		return func() { g.leave(k) }, nil
	default:
	}
	g.lines[k].waiting.Remove(place)
	if CodeOf(err) == Unavailable {
		g.lines[k].late++
	}
	return nil, err
}

func (g *gate) leave(k work) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines[k].inside--
	g.free++
	g.admitNext()
}

// admitNext lets in whoever waits and may enter by now. Called with g.mu held.
func (g *gate) admitNext() {
	for next := g.next(); next != nil; next = g.next() {
		w, _ := next.waiting.Remove(next.waiting.Front()).(*waiter)
		g.admit(next)
		close(w.in)
	}
}

// next is the line whose first has waited longest of those that may enter. Called with g.mu held.
func (g *gate) next() (first *line) {
	oldest := uint64(math.MaxUint64)
	for k := range kinds {
		l := &g.lines[k]
		if front := l.waiting.Front(); front != nil && g.may(k) {
			if w, _ := front.Value.(*waiter); w.turn < oldest {
				oldest, first = w.turn, l
			}
		}
	}
	return first
}

// may says whether one more of a kind may enter: within what is sure to it, or if more is free than
// what is sure to the others. Called with g.mu held.
func (g *gate) may(k work) bool {
	l := &g.lines[k]
	if g.free <= 0 || l.inside >= l.most {
		return false
	}
	promised := 0
	for other := range kinds {
		if other != k {
			promised += max(0, g.lines[other].sure-g.lines[other].inside)
		}
	}
	return l.inside < l.sure || g.free > promised
}

func (g *gate) admit(l *line) {
	l.inside++
	l.admitted++
	g.free--
}

// Budget is how the connections of one kind of work are used. A pool without a gate has none.
type Budget struct {
	Kind    string // trade, read, insight, operate
	Most    int    // connections at a time
	InUse   int
	Waiting int
	// Since the pool was opened: statements let in, turned away because too many waited, and because
	// they had waited too long.
	Admitted, Full, Late int64
}

// Budgets tells how the connections are used.
func (d *DB) Budgets() []Budget {
	g := d.pool.gate
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	budgets := make([]Budget, kinds)
	for k := range kinds {
		l := &g.lines[k]
		budgets[k] = Budget{workNames[k], l.most, l.inside, l.waiting.Len(), l.admitted, l.full, l.late}
	}
	return budgets
}
