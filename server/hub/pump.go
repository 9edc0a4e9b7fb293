package hub

import "slices"

// item is one turn in a client's queue: a reply, what a subscription has, or, if neither, a
// heartbeat.
type item struct {
	message Messages
	sub     *subscription
}

// queue is first in, first out, and keeps its array. It holds each subscription and the heartbeat
// at most once, and a bounded number of replies.
type queue struct {
	items []item
	next  int
}

func (q *queue) empty() bool { return q.next == len(q.items) }
func (q *queue) peek() item  { return q.items[q.next] }

func (q *queue) push(i item) {
	if q.next > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.next:])
		clear(q.items[n:])
		q.items, q.next = q.items[:n], 0
	}
	q.items = append(q.items, i)
}

func (q *queue) pop() {
	q.items[q.next] = item{}
	q.next++
	if q.empty() {
		q.items, q.next = q.items[:0], 0
	}
}

// remove takes out a subscription's turn, if it has one.
func (q *queue) remove(s *subscription) {
	if s.queued {
		s.queued = false
		q.items = append(q.items[:q.next], slices.DeleteFunc(q.items[q.next:], func(i item) bool { return i.sub == s })...)
	}
}

// Sent says that the write in flight is done: the next one may go.
func (c *Client) Sent() {
	c.mu.Lock()
	c.inFlight = false
	c.mu.Unlock()
	c.pump()
}

// wake gives a subscription its turn.
func (c *Client) wake(s *subscription) {
	c.mu.Lock()
	c.push(s)
	busy := c.inFlight
	c.mu.Unlock()
	if !busy {
		c.pump()
	}
}

// push puts a subscription into the queue. Called with c.mu held.
func (c *Client) push(s *subscription) {
	if !s.queued && !s.gone {
		s.queued = true
		c.queue.push(item{sub: s})
	}
}

// pump writes what there is, unless a write is in flight. One goroutine at a time does so; what
// others bring meanwhile it sees before it leaves. A loop, not a recursion, when Write calls Sent.
func (c *Client) pump() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pumping {
		return
	}
	c.pumping = true
	for !c.inFlight && !c.closed {
		b, ok := c.gather()
		if !ok {
			c.mu.Unlock()
			c.tooSlow()
			c.mu.Lock()
			break
		}
		if b.parts == 0 || c.closed {
			break
		}
		c.inFlight = true
		c.mu.Unlock()
		c.write(b)
		c.mu.Lock()
	}
	c.pumping = false
}

func (c *Client) write(b batch) {
	c.hub.counts.frames.Add(1)
	c.hub.counts.events.Add(int64(b.events))
	if err := c.conn.Write(b.messages); err != nil {
		c.shut(CloseInternal, "write failed")
	}
}

// gather fills a write from the queue; ok is false if a subscription cannot go on because the
// client was too slow. Called with c.mu held, which it gives away while it reads a ring.
func (c *Client) gather() (b batch, ok bool) {
	for !c.queue.empty() && !c.closed {
		i := c.queue.peek()
		room, ok := true, true
		switch {
		case i.message != nil:
			if room = b.add(i.message, 0); room {
				c.replies--
				c.queue.pop()
			}
		case i.sub == nil:
			if room = b.add(c.heartbeat(), 0); room {
				c.beating = false
				c.queue.pop()
			}
		default:
			room, ok = c.take(i.sub, &b)
		}
		if !room || !ok {
			return b, ok
		}
	}
	return b, true
}

// take adds what a subscription has, once: if there is more, it queues up again behind the
// others. The subscription is first in the queue.
func (c *Client) take(s *subscription, b *batch) (room, ok bool) {
	if len(s.parts) > 0 {
		p := s.parts[0]
		if !b.add(p.messages, p.events) {
			return false, true
		}
		s.written(p)
		if s.parts = s.parts[1:]; len(s.parts) == 0 {
			s.parts = nil
			s.signalDrained()
		}
		c.queue.pop()
		s.queued = false
		c.push(s)
		return true, true
	}
	c.queue.pop()
	s.queued = false
	if s.gone || !s.joined {
		return true, true
	}
	maxBytes, maxEvents := b.room(), maxWriteEvents-b.events
	s.taking = true
	c.mu.Unlock()
	p, v := s.topic.read(s, maxBytes, maxEvents)
	c.mu.Lock()
	if s.taking = false; !s.joined {
		s.signalDrained() // a join waits for this
	}
	if s.gone {
		return true, true
	}
	if p.messages != nil {
		b.add(p.messages, p.events)
		s.written(p)
	}
	if v == more || v == noRoom {
		c.push(s)
	}
	return v != noRoom, v != overtaken
}

// written notes what the client has, as far as its connection tells. Called with client.mu held.
func (s *subscription) written(p part) {
	s.seen, s.has, s.begun = p.seq, p.cursor, true
}

// signalDrained lets a join read on.
func (s *subscription) signalDrained() {
	select {
	case s.drained <- struct{}{}:
	default:
	}
}
