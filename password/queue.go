package password

import (
	"context"
	"errors"
	"sync"
)

// ErrBusy is what a caller gets whose lane is full, or who gave way to others when the queue was.
var ErrBusy = errors.New("too many passwords are waiting to be hashed")

// Lane is who waits for a turn to hash: an address, or a device that has signed in before. Turns go
// round among lanes, and by turns to those that are known and those that are not, so that somebody with
// many passwords, or with many addresses, holds up others for a few turns only.
type Lane struct {
	Name  string
	Known bool
}

type laneKey struct{}

// InLane has what is hashed under the context wait in a lane. All who have none share one.
func InLane(ctx context.Context, lane Lane) context.Context {
	return context.WithValue(ctx, laneKey{}, lane)
}

const (
	laneLength = 8   // that may wait in one lane
	maxWaiting = 512 // in all; more take the place of the last of the longest lane
)

// queue hands out turns.
type queue struct {
	mu      sync.Mutex
	free    int
	waiting int
	known   bool // whether the next turn goes to a known lane, if one waits
	classes map[bool]*class
}

// class is the lanes of one kind, in the order of their turns.
type class struct {
	order []string
	lanes map[string][]waiter
}

// waiter hears true when it is its turn, and false when it has to give way.
type waiter chan bool

func newQueue(atATime int) *queue {
	return &queue{free: atATime, classes: map[bool]*class{true: {lanes: map[string][]waiter{}}, false: {lanes: map[string][]waiter{}}}}
}

// take waits for a turn, which ends with give.
// Errors: ErrBusy, or the context's.
func (q *queue) take(ctx context.Context) error {
	lane, _ := ctx.Value(laneKey{}).(Lane)
	w, err := q.join(lane)
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
	left := q.leave(lane, w)
	q.mu.Unlock()
	if !left && <-w { // its turn came meanwhile
		q.give()
	}
	return ctx.Err()
}

// join takes a turn that is free, or a place in a lane.
func (q *queue) join(lane Lane) (waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return nil, nil
	}
	c := q.classes[lane.Known]
	if len(c.lanes[lane.Name]) >= laneLength || q.waiting >= maxWaiting && !q.makeRoom(len(c.lanes[lane.Name])+1) {
		return nil, ErrBusy
	}
	w := make(waiter, 1)
	if len(c.lanes[lane.Name]) == 0 {
		c.order = append(c.order, lane.Name)
	}
	c.lanes[lane.Name] = append(c.lanes[lane.Name], w)
	q.waiting++
	return w, nil
}

// makeRoom has the last of the longest lane give way, if that is longer than a lane would be.
func (q *queue) makeRoom(length int) bool {
	var longest Lane
	for known, c := range q.classes {
		for name, lane := range c.lanes {
			if len(lane) > length {
				longest, length = Lane{name, known}, len(lane)
			}
		}
	}
	lane := q.classes[longest.Known].lanes[longest.Name]
	if len(lane) == 0 || len(lane) < length {
		return false
	}
	last := lane[len(lane)-1]
	last <- false
	return q.leave(longest, last)
}

// leave takes a waiter out of its lane, if it is there still.
func (q *queue) leave(lane Lane, w waiter) bool {
	c := q.classes[lane.Known]
	for i, other := range c.lanes[lane.Name] {
		if other != w {
			continue
		}
		q.waiting--
		c.lanes[lane.Name] = append(c.lanes[lane.Name][:i:i], c.lanes[lane.Name][i+1:]...)
		if len(c.lanes[lane.Name]) == 0 {
			delete(c.lanes, lane.Name)
			for k, name := range c.order {
				if name == lane.Name {
					c.order = append(c.order[:k:k], c.order[k+1:]...)
					break
				}
			}
		}
		return true
	}
	return false
}

// give ends a turn: the next one begins.
func (q *queue) give() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 {
		q.free++
		return
	}
	known := q.known
	if len(q.classes[known].order) == 0 {
		known = !known
	}
	q.known = !known
	c := q.classes[known]
	name := c.order[0]
	next := c.lanes[name][0]
	more := len(c.lanes[name]) > 1
	q.leave(Lane{name, known}, next)
	if more { // the others of the lane wait until all lanes have had a turn
		c.order = append(c.order[1:len(c.order):len(c.order)], name)
	}
	next <- true
}
