package hub

import (
	"encoding/json"
	"sync"
	"time"
)

// topic is one market: its head, the ring of its newest events and who is where in it. The ring
// is kept for tape subscribers, and a while after the last one left so that it may come back to it.
type topic struct {
	market string
	key    []byte // the market as a JSON string with the colon of an object's key

	mu       sync.Mutex
	dead     bool // no longer in the hub: look it up again
	head     int64
	cursor   string // of the head
	quote    []byte
	quoted   Messages // the quote as it goes out; nil until somebody is sent it
	quoteSeq int64
	ring     ring
	keeps    bool // whether the ring takes events
	subs     map[*subscription]struct{}
	tapes    int                // how many of them are in tape mode
	left     time.Time          // when the last of those left, or somebody joined
	waiting  [2][]*subscription // by mode, for the next event
	crowds   [2]*crowd          // nil: there was none yet
	waiters  int                // calls of WaitFor
	changed  chan struct{}      // closed when the head moves; nil if nobody waits
}

// subscription is a client's place in a market. It has no queue of events.
type subscription struct {
	client *Client
	topic  *topic
	mode   Mode

	// Guarded by topic.mu.
	pos     int64  // seq of the last event taken for the client
	cursor  string // of that event; empty: the join begins with a snapshot
	waitsAt int    // index in topic.waiting, -1 if not there
	member  bool   // of topic.subs

	// Written under topic.mu and client.mu, read under either.
	joined bool // pos is served by the ring; else a join is under way
	epoch  int  // counts the joins: what an older one reads is void

	// Guarded by client.mu.
	parts   []part // what a join read, before anything of the ring
	replied bool   // the join under way has read some
	seen    int64  // seq of the last event written to the client,
	has     string // and its cursor; before the first, those that it came with
	taking  bool   // somebody reads the ring for it, without the lock
	begun   bool   // the acknowledgement is written
	queued  bool   // in the client's queue
	counted bool   // among those that wait to be read
	gone    bool   // unsubscribed or replaced: nothing more of it is written
	drained chan struct{}
	cancel  func() // stops the join under way
}

func newTopic(market string, ringSize int) *topic {
	name, err := json.Marshal(market)
	if err != nil {
		name = []byte(`""`)
	}
	return &topic{
		market: market,
		key:    append(name, ':'),
		ring:   ring{size: ringSize, first: 1},
	}
}

// The methods below are called with topic.mu held, but for read.

// moved tells those who wait for the head.
func (t *topic) moved() {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// append takes the event behind the head and returns whom the ring's end has overtaken.
func (t *topic) append(e Event) (late []*subscription) {
	t.head, t.cursor = e.Seq, e.Cursor
	if e.Quote != nil {
		t.quote, t.quoted, t.quoteSeq = e.Quote, nil, e.Seq
	}
	if !t.keeps {
		t.ring.restart(e.Seq, e.Cursor)
	} else if t.ring.add(e) {
		for s := range t.subs {
			if s.mode == Tape && s.joined && s.pos < t.ring.first-1 {
				late = append(late, s)
			}
		}
	}
	t.moved()

	return late
}

// crowded says whether the subscribers of a mode are more than a few.
func (t *topic) crowded(mode Mode) bool {
	if mode == Tape {
		return t.tapes > few
	}
	return len(t.subs)-t.tapes > few
}

// wakeFew returns the crowds that there is news for, and wakes who is of none.
func (t *topic) wakeFew() (crowds []*crowd, woken []*subscription) {
	for _, mode := range []Mode{Tape, Quote} {
		switch {
		case len(t.waiting[mode]) == 0:
		case t.crowded(mode):
			if t.crowds[mode] == nil {
				t.crowds[mode] = &crowd{topic: t, mode: mode}
			}
			crowds = append(crowds, t.crowds[mode])
		default:
			woken = append(woken, t.wakeAll(mode)...)
		}
	}
	return crowds, woken
}

// wakeAll returns who waits in that mode; they do no more.
func (t *topic) wakeAll(mode Mode) []*subscription {
	woken := t.waiting[mode]
	t.waiting[mode] = make([]*subscription, 0, len(woken))
	for _, s := range woken {
		s.waitsAt = -1
	}
	return woken
}

// add makes s a subscriber.
func (t *topic) add(s *subscription) {
	if t.subs == nil {
		t.subs = make(map[*subscription]struct{})
	}
	t.subs[s] = struct{}{}
	s.member = true
	if s.mode == Tape {
		t.tapes++
	}
	t.keep(time.Now())
}

// keep makes the ring take events, for a while at least: who joins compares what it has read with
// them, and whoever is gone may be back.
func (t *topic) keep(now time.Time) {
	t.left = now
	if !t.keeps {
		t.keeps = true
		t.ring.restart(t.head, t.cursor)
	}
}

func (t *topic) remove(s *subscription, now time.Time) {
	if !s.member {
		return
	}
	delete(t.subs, s)
	s.member = false
	t.unwait(s)
	if s.mode == Tape {
		t.tapes--
		t.left = now
	}
}

// sweep forgets the ring of a market that nobody has followed for that long, and what the
// subscribers left behind.
func (t *topic) sweep(now time.Time, linger time.Duration) {
	if len(t.subs) == 0 {
		t.subs, t.waiting = nil, [2][]*subscription{}
	}
	if t.keeps && t.tapes == 0 && now.Sub(t.left) >= linger {
		t.keeps = false
		t.ring.restart(t.head, t.cursor)
	}
}

// unused says that forgetting the topic loses nothing.
func (t *topic) unused() bool {
	return t.head == 0 && len(t.subs) == 0 && t.waiters == 0
}

func (t *topic) wait(s *subscription) {
	if s.waitsAt < 0 {
		s.waitsAt = len(t.waiting[s.mode])
		t.waiting[s.mode] = append(t.waiting[s.mode], s)
	}
}

func (t *topic) unwait(s *subscription) {
	if s.waitsAt < 0 {
		return
	}
	waiting := t.waiting[s.mode]
	end := len(waiting) - 1
	waiting[s.waitsAt] = waiting[end]
	waiting[s.waitsAt].waitsAt = s.waitsAt
	waiting[end] = nil
	t.waiting[s.mode] = waiting[:end]
	s.waitsAt = -1
}

// cursorAt returns the cursor of an event that the topic remembers.
func (t *topic) cursorAt(seq int64) (cursor string, ok bool) {
	if seq == t.head {
		return t.cursor, t.cursor != ""
	}
	return t.ring.cursorAt(seq)
}

// serves says whether a subscriber at that position can be served from here on: every event
// behind it is in the ring or still to come, or in quote mode, the newest quote is.
func (t *topic) serves(mode Mode, pos int64) bool {
	if mode == Quote {
		return pos >= t.head || t.quoteSeq > pos
	}
	return pos >= t.ring.first-1
}

// takesOver says whether a join is better over at that position: half of a full ring stays between
// it and the ring's end, so that nobody is overtaken who has only just come.
func (t *topic) takesOver(mode Mode, pos int64) bool {
	return t.serves(mode, pos) && (mode == Quote || t.head-pos <= int64(max(t.ring.size/2, 1)))
}

// What a read came to.
type verdict int

const (
	upToDate  verdict = iota // nothing more; s waits for the next event
	more                     // there is more behind what was returned
	noRoom                   // there is something, but the write is full
	overtaken                // the ring has gone past s
)

// read takes what s has not been given, within the room of a write.
func (t *topic) read(s *subscription, maxBytes, maxEvents int) (part, verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !s.member || !s.joined:
		return part{}, upToDate
	case s.pos >= t.head:
		t.wait(s)
		return part{}, upToDate
	case s.mode == Quote:
		return t.readQuote(s, maxBytes, maxEvents)
	case s.pos < t.ring.first-1:
		return part{}, overtaken
	}
	messages, events, cursor := t.ring.after(s.pos, maxBytes, maxEvents)
	if events == 0 {
		return part{}, noRoom
	}
	s.pos, s.cursor = s.pos+int64(events), cursor
	if s.pos < t.head {
		return part{messages, events, s.pos, cursor}, more
	}
	t.wait(s)
	return part{messages, events, s.pos, cursor}, upToDate
}

func (t *topic) readQuote(s *subscription, maxBytes, maxEvents int) (part, verdict) {
	var p part
	if t.quoteSeq > s.pos {
		if t.quoted == nil {
			t.quoted = Message(t.quote)
		}
		if maxEvents < 1 || (len(t.quoted) > maxBytes && maxBytes < maxWriteBytes) {
			return part{}, noRoom
		}
		p = part{t.quoted, 1, t.quoteSeq, t.cursor}
	}
	s.pos, s.cursor = t.head, t.cursor
	t.wait(s)
	return p, upToDate
}
