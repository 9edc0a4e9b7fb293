// Package fairqueue shares out turns among clients: those who wait for the same scarce thing, hashing a
// password or reading a market, take it by turns, however much one of them asks for.
package fairqueue

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrBusy is what a caller gets whose client has as many waiting as it may, or who gave way to others
// when the queue was full.
var ErrBusy = errors.New("too many are waiting")

// Client is whose turn it is: an address, or an account or a device that is known. Turns go round among
// clients, and by turns to those that are known and those that are not, so that somebody who asks for
// very much, or from many addresses, holds up others for a few turns only.
type Client struct {
	Name  string
	Known bool
}

type clientKey struct{}

// WithClient has what is done under the context wait for a client's turns. All who have none share one.
func WithClient(ctx context.Context, client Client) context.Context {
	return context.WithValue(ctx, clientKey{}, client)
}

// ClientOf returns the client of a context.
func ClientOf(ctx context.Context) Client {
	client, _ := ctx.Value(clientKey{}).(Client)
	return client
}

// Options of a queue. What is zero has no bound.
type Options struct {
	AtOnce int // turns at a time; 1 if it is 0
	Each   int // that may wait of one client
	All    int // that may wait in all; more take the place of the last of the client that has most
}

// Queue hands out turns. Its methods may be called by many goroutines.
type Queue struct {
	o Options

	mu      sync.Mutex
	free    int
	waiting int
	known   bool // whether the next turn goes to a client that is known, if one waits
	lines   map[Client]*line
	turns   map[bool]*list.List // the lines of those that are known, and of the others, in their turn
}

// line is those of one client who wait.
type line struct {
	client  Client
	waiting []waiter
	turn    *list.Element
}

// waiter hears true when it is its turn, and false when it has to give way.
type waiter chan bool

// New makes a queue.
func New(o Options) *Queue {
	return &Queue{
		o: o, free: max(1, o.AtOnce), lines: make(map[Client]*line),
		turns: map[bool]*list.List{true: list.New(), false: list.New()},
	}
}

// Take waits for a turn of the context's client, which ends with Give.
// Errors: ErrBusy, or the context's.
func (q *Queue) Take(ctx context.Context) error {
	client := ClientOf(ctx)
	w, err := q.join(client)
	if w == nil {
		return err
	}
	select {
	case mine := <-w:
		if !mine {
			return ErrBusy
		}
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	left := q.leave(client, w)
	q.mu.Unlock()
	if !left && <-w { // its turn came meanwhile
		q.Give()
	}
	return ctx.Err()
}

// join takes a turn that is free, or a place in the client's line.
func (q *Queue) join(client Client) (waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return nil, nil
	}
	l := q.lines[client]
	if l == nil {
		l = &line{client: client}
	}
	full := q.o.All > 0 && q.waiting >= q.o.All
	if q.o.Each > 0 && len(l.waiting) >= q.o.Each || full && !q.makeRoom(len(l.waiting)+1) {
		return nil, ErrBusy
	}
	if len(l.waiting) == 0 {
		q.lines[client] = l
		l.turn = q.turns[client.Known].PushBack(l)
	}
	w := make(waiter, 1)
	l.waiting = append(l.waiting, w)
	q.waiting++
	return w, nil
}

// makeRoom has the last of the longest line give way, if that is longer than a line would be.
func (q *Queue) makeRoom(length int) bool {
	var longest *line
	for _, l := range q.lines {
		if len(l.waiting) > length {
			longest, length = l, len(l.waiting)
		}
	}
	if longest == nil {
		return false
	}
	last := longest.waiting[length-1]
	last <- false
	return q.leave(longest.client, last)
}

// leave takes a waiter out of its line, if it is there still.
func (q *Queue) leave(client Client, w waiter) bool {
	l := q.lines[client]
	if l == nil {
		return false
	}
	i := slices.Index(l.waiting, w)
	if i < 0 {
		return false
	}
	q.waiting--
	if i == 0 {
		l.waiting = l.waiting[1:]
	} else {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	if len(l.waiting) == 0 {
		delete(q.lines, client)
		q.turns[client.Known].Remove(l.turn)
	}
	return true
}

// Give ends a turn: the next one begins.
func (q *Queue) Give() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 {
		q.free++
		return
	}
	known := q.known
	if q.turns[known].Len() == 0 {
		known = !known
	}
	q.known = !known
	l := q.turns[known].Front().Value.(*line)
	next := l.waiting[0]
	q.turns[known].MoveToBack(l.turn) // the client's others wait until all clients have had a turn
	q.leave(l.client, next)
	next <- true
}
