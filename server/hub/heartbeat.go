package hub

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"
)

// turns is how many times a heartbeat goes round: each client has its turn once in it, so that
// many clients are not written to all at once.
const turns = 8

// Run sends every client a heartbeat each Options.Heartbeat until ctx ends. It returns when the
// joins have ended, which are not taken up after that; connections stay as they are.
func (h *Hub) Run(ctx context.Context) error {
	defer h.stopTasks()
	ticker := time.NewTicker(h.o.Heartbeat / turns)
	defer ticker.Stop()
	for turn := 0; ; turn = (turn + 1) % turns {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			for _, c := range h.clientsOf(func(c *Client) bool { return c.turn == turn }) {
				c.beat()
			}
			if turn == 0 {
				h.sweep(now)
			}
		}
	}
}

// SetState says how fresh the tape is. A change is told to every client at once.
func (h *Hub) SetState(s State) {
	if State(h.state.Swap(int32(s))) == s {
		return
	}
	for _, c := range h.clientsOf(func(*Client) bool { return true }) {
		c.beat()
	}
}

// State returns what SetState said last.
func (h *Hub) State() State { return State(h.state.Load()) }

// CloseAll closes every connection there is now.
func (h *Hub) CloseAll(code int, reason string) {
	for _, c := range h.clientsOf(func(*Client) bool { return true }) {
		c.shut(code, reason)
	}
}

// CloseOver closes every connection there is now, in random order and evenly over a time, so that
// those who come back somewhere else are no crowd there.
func (h *Hub) CloseOver(over time.Duration, code int, reason string) {
	clients := h.clientsOf(func(*Client) bool { return true })
	rand.Shuffle(len(clients), func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
	began := time.Now()
	for i, c := range clients {
		time.Sleep(time.Until(began.Add(over / time.Duration(len(clients)) * time.Duration(i))))
		c.shut(code, reason)
	}
}

func (h *Hub) clientsOf(pick func(*Client) bool) []*Client {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var picked []*Client
	for c := range h.clients {
		if pick(c) {
			picked = append(picked, c)
		}
	}
	return picked
}

// sweep forgets the rings that nobody has needed for a while.
func (h *Hub) sweep(now time.Time) {
	h.mu.RLock()
	topics := make([]*topic, 0, len(h.topics))
	for _, t := range h.topics {
		topics = append(topics, t)
	}
	h.mu.RUnlock()
	for _, t := range topics {
		t.mu.Lock()
		t.sweep(now, h.o.Linger)
		t.mu.Unlock()
	}
}

// beat queues a heartbeat behind what waits already, unless one is there.
func (c *Client) beat() {
	c.mu.Lock()
	if !c.beating && !c.closed {
		c.beating = true
		c.queue.push(item{})
	}
	c.mu.Unlock()
	c.pump()
}

// heartbeat is made when it is written, so its heads are what the client has been sent: they say
// "you have everything up to here", and no event comes after a head that counts it. A market
// that is still being joined is left out. Called with c.mu held.
func (c *Client) heartbeat() Messages {
	frame := make([]byte, maxHeader, maxHeader+96+32*len(c.subs))
	frame = append(frame, `{"op":"heartbeat","at":"`...)
	frame = time.Now().UTC().AppendFormat(frame, "2006-01-02T15:04:05.000Z")
	frame = append(frame, `","heads":{`...)
	first := true
	for _, s := range c.subs {
		if !s.joined || !s.begun || len(s.parts) > 0 {
			continue
		}
		if !first {
			frame = append(frame, ',')
		}
		first = false
		frame = append(frame, s.topic.key...)
		frame = strconv.AppendInt(frame, s.seen, 10)
	}
	frame = append(frame, `},"source":"`...)
	frame = append(frame, c.hub.State().String()...)
	return inPlace(append(frame, `"}`...))
}
