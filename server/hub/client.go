package hub

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pgtape/pgtape/fairqueue"
)

// Close codes of the hub.
const (
	CloseInternal   = 1011 // a frame could not be written
	CloseRestarting = 1012 // the server is about to stop; for CloseAll
	CloseTooSlow    = 4001 // resume from your cursor
	CloseProtocol   = 4002 // asks on and on without reading the answers
)

const (
	maxReplies = 256 // unwritten
	maxJoins   = 4   // of one client at a time; each holds at most one page of events
)

// Conn is one connection. Write starts to send messages and returns at once; they must not be
// changed, and when they have left, Client.Sent is called, be it from within Write. If Write fails,
// the hub closes the connection (1011). Close returns at once too, comes at most once and not after
// Client.Close; a write may be in flight then, and a Write of another goroutine overlap.
type Conn interface {
	Write(messages Messages) error
	Close(code int, reason string)
}

// Client is who sits at the other end of a Conn. Its methods return at once.
type Client struct {
	hub  *Hub
	conn Conn
	from fairqueue.Client // whose turns its joins wait for
	turn int              // of the heartbeat

	mu       sync.Mutex
	subs     map[string]*subscription
	queue    queue
	replies  int  // in the queue
	beating  bool // a heartbeat is in the queue
	inFlight bool
	pumping  bool // some goroutine is in pump
	closed   bool
	joins    []*subscription // to be taken up by a joiner
	joiners  int             // goroutines that join
}

// Connect takes up a connection of somebody who may have several. Heartbeats may be written before it
// returns, so attach is called first: it lets the socket know which client's Sent to call, and returns
// its Conn.
func (h *Hub) Connect(from fairqueue.Client, attach func(*Client) Conn) *Client {
	c := &Client{hub: h, from: from, subs: make(map[string]*subscription)}
	c.conn = attach(c)
	h.counts.clients.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	c.turn = h.turn
	h.turn = (h.turn + 1) % turns
	h.clients[c] = struct{}{}
	return c
}

// Subscribe starts a subscription, or replaces the one that the client has of this market: after
// the new acknowledgement nothing of the old one is written. The acknowledgement is a snapshot if
// after is empty, not of this history or too far behind; else what is behind it, or a `subscribed`
// frame if that is nothing. A refused request leaves everything as it was.
func (c *Client) Subscribe(market, after string, mode Mode) {
	pos, ok := parseCursor(after)
	if after != "" && !ok {
		c.Reply(errorFrame(codeInvalidRequest, "malformed cursor: want <seq>.<16 hex digits>", market))
		return
	}
	if refused := c.enter(market, after, pos, mode); refused != nil {
		c.Reply(errorFrame(refused.Code, refused.Message, market))
		return
	}
	c.startJoins()
	c.pump()
}

// Unsubscribe ends a subscription, if there is one: nothing more of it is written.
func (c *Client) Unsubscribe(market string) {
	c.mu.Lock()
	s := c.subs[market]
	if s != nil {
		c.drop(s)
	}
	c.mu.Unlock()
	if s != nil {
		c.hub.leave(s)
	}
}

// Reply writes a frame in order with the rest. A client that lets too many of them gather loses
// its connection (4002).
func (c *Client) Reply(frame []byte) {
	c.mu.Lock()
	full := c.replies >= maxReplies
	if !full && !c.closed {
		c.replies++
		c.queue.push(item{message: Message(frame)})
	}
	c.mu.Unlock()
	if full {
		c.shut(CloseProtocol, "too many unread replies")
		return
	}
	c.pump()
}

// Close forgets the client, whose socket is gone, and stops its joins.
func (c *Client) Close() { c.close() }

// enter registers a subscription and decides how it begins, or says why not. A join that needs History
// is left in c.joins.
func (c *Client) enter(market, after string, pos int64, mode Mode) *Refusal {
	t := c.hub.locked(market)
	defer c.hub.forget(t)
	defer t.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()

	old := c.subs[market]
	if c.closed {
		return nil
	}
	if most := c.hub.o.MaxSubscriptions; old == nil && len(c.subs) >= most {
		return &Refusal{codeInvalidRequest, fmt.Sprintf("too many subscriptions: at most %d", most)}
	}
	s := &subscription{client: c, topic: t, mode: mode, pos: pos, cursor: after, seen: pos, has: after, waitsAt: -1, drained: make(chan struct{}, 1)}
	s.joined = t.holds(s)
	if !s.joined {
		replaces := old != nil && old.counted
		if s.counted = replaces || c.hub.countWaiting(c.from); !s.counted {
			return &Refusal{codeTooManyRequests, fmt.Sprintf("%d subscriptions from here wait to be read already: subscribe again in a while", c.hub.o.MaxWaiting)}
		}
		if replaces {
			old.counted = false
		}
	}
	if old != nil {
		c.drop(old)
		t.remove(old, time.Now())
	}
	c.subs[market] = s
	t.add(s)
	c.hub.counts.subscriptions.Add(1)
	if !s.joined {
		c.joins = append(c.joins, s)
		return nil
	}
	if s.pos >= t.head {
		s.acknowledge()
	}
	c.push(s)
	return nil
}

// countWaiting counts one more subscription that waits to be read, unless they are too many of one
// client's.
func (h *Hub) countWaiting(from fairqueue.Client) bool {
	h.waitingMu.Lock()
	defer h.waitingMu.Unlock()
	if h.waiting[from] >= h.o.MaxWaiting {
		return false
	}
	h.waiting[from]++
	return true
}

// uncount says that a subscription waits no more. Called with client.mu held.
func (s *subscription) uncount() {
	if !s.counted {
		return
	}
	s.counted = false
	h, from := s.client.hub, s.client.from
	h.waitingMu.Lock()
	defer h.waitingMu.Unlock()
	if h.waiting[from]--; h.waiting[from] == 0 {
		delete(h.waiting, from)
	}
}

// holds says whether the cursor that a subscriber comes with can be gone on from without asking
// History. Called with topic.mu held.
func (t *topic) holds(s *subscription) bool {
	known, ok := t.cursorAt(s.pos)
	if ok && known == s.cursor {
		wide := t.head-s.pos > s.client.hub.o.ReplayLimit // more than is replayed from the table
		return t.takesOver(s.mode, s.pos) || wide && t.serves(s.mode, s.pos)
	}
	return false
}

// acknowledge makes a `subscribed` frame the first of s. Called with both locks held.
func (s *subscription) acknowledge() {
	s.parts = []part{{messages: Message(subscribedFrame(s.topic.market, s.pos, s.cursor)), seq: s.pos, cursor: s.cursor}}
}

// drop takes a subscription away from the client; leave or topic.remove does so from the topic.
// Called with c.mu held.
func (c *Client) drop(s *subscription) {
	delete(c.subs, s.topic.market)
	s.gone = true
	s.uncount()
	s.parts = nil
	c.queue.remove(s)
	c.joins = slices.DeleteFunc(c.joins, func(waits *subscription) bool { return waits == s })
	if s.cancel != nil {
		s.cancel()
	}
	c.hub.counts.subscriptions.Add(-1)
}

func (h *Hub) leave(s *subscription) {
	s.topic.mu.Lock()
	s.topic.remove(s, time.Now())
	s.topic.mu.Unlock()
	h.forget(s.topic)
}

// shut closes the connection.
func (c *Client) shut(code int, reason string) {
	if c.close() {
		c.conn.Close(code, reason)
	}
}

// tooSlow closes the connection, if the client still wants what it was too slow for.
func (s *subscription) tooSlow() {
	s.client.mu.Lock()
	gone := s.gone
	s.client.mu.Unlock()
	if !gone {
		s.client.tooSlow()
	}
}

func (c *Client) tooSlow() {
	if c.close() {
		c.hub.counts.slowCloses.Add(1)
		c.conn.Close(CloseTooSlow, "too slow: resume from your cursor")
	}
}

// close forgets the client and says whether it was still there.
func (c *Client) close() bool {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false
	}
	c.closed = true
	c.queue, c.joins = queue{}, nil
	left := make([]*subscription, 0, len(c.subs))
	for _, s := range c.subs {
		c.drop(s)
		left = append(left, s)
	}
	c.mu.Unlock()

	for _, s := range left {
		c.hub.leave(s)
	}
	c.hub.mu.Lock()
	delete(c.hub.clients, c)
	c.hub.mu.Unlock()
	c.hub.counts.clients.Add(-1)
	return true
}
