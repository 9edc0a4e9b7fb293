package hub

import (
	"slices"
	"sort"
)

// Bounds of one write, and so of one chunk of a ring.
const (
	maxWriteBytes  = 64 << 10
	maxWriteEvents = 256
)

// ring holds the newest events of one market without a hole, as the bytes that go out: a chunk is
// a run of messages, so the events between two positions are a slice of it, shared by all who need
// them. Written bytes never change; a slice outlives its chunk's place in the ring.
//
// A position is the seq of the last event somebody has: the ring serves those from first-1 on.
type ring struct {
	size   int    // events kept at least, once there are as many
	first  int64  // seq of the oldest event held; one above the newest when there is none
	base   string // cursor of the event before it; empty if not known
	chunks []chunk
}

type chunk struct {
	first   int64
	joined  Messages
	ends    []int // where each message ends in joined
	cursors []string
}

func (c *chunk) last() int64 { return c.first + int64(len(c.ends)) - 1 }

// restart empties the ring: the next event is the one behind the given head.
func (r *ring) restart(head int64, cursor string) {
	r.first, r.base, r.chunks = head+1, cursor, nil
}

// add appends the event behind the newest and says whether the oldest ones had to go.
func (r *ring) add(e Event) (dropped bool) {
	c := r.room(e)
	c.joined = append(appendHeader(c.joined, len(e.Frame)), e.Frame...)
	c.ends = append(c.ends, len(c.joined))
	c.cursors = append(c.cursors, e.Cursor)

	oldest := &r.chunks[0]
	if e.Seq-oldest.last() < int64(r.size) {
		return false
	}
	r.first, r.base = oldest.last()+1, oldest.cursors[len(oldest.cursors)-1]
	r.chunks = slices.Delete(r.chunks, 0, 1)
	return true
}

// room returns the chunk that takes the event. Chunks of a small ring are small, so that what is
// held beyond its size stays a quarter of it.
func (r *ring) room(e Event) *chunk {
	if n := len(r.chunks); n > 0 {
		c := &r.chunks[n-1]
		if len(c.ends) < max(1, min(maxWriteEvents, r.size/4)) && len(c.joined)+maxHeader+len(e.Frame) <= maxWriteBytes {
			return c
		}
	}
	r.chunks = append(r.chunks, chunk{first: e.Seq})
	return &r.chunks[len(r.chunks)-1]
}

// after returns events behind a position that the ring serves, joined: as many as one chunk has
// and the limits allow. What is longer than a whole write may be is returned alone.
func (r *ring) after(pos int64, maxBytes, maxEvents int) (messages Messages, events int, cursor string) {
	c, i := r.find(pos + 1)
	if c == nil {
		return nil, 0, ""
	}
	start := 0
	if i > 0 {
		start = c.ends[i-1]
	}
	ends := c.ends[i:]
	ends = ends[:min(len(ends), maxEvents)]
	events = sort.Search(len(ends), func(k int) bool { return ends[k]-start > maxBytes })
	if events == 0 && maxBytes >= maxWriteBytes {
		events = 1
	}
	if events == 0 {
		return nil, 0, ""
	}
	end := ends[events-1]
	return c.joined[start:end:end], events, c.cursors[i+events-1]
}

// cursorAt returns the cursor of the event with that seq, if the ring knows it.
func (r *ring) cursorAt(seq int64) (cursor string, ok bool) {
	if seq == r.first-1 {
		return r.base, r.base != ""
	}
	if c, i := r.find(seq); c != nil {
		return c.cursors[i], true
	}
	return "", false
}

// find looks from the newest chunk backwards, where nearly everybody is.
func (r *ring) find(seq int64) (c *chunk, i int) {
	for n := len(r.chunks) - 1; n >= 0; n-- {
		c := &r.chunks[n]
		if seq > c.last() {
			return nil, 0
		}
		if seq >= c.first {
			return c, int(seq - c.first)
		}
	}
	return nil, 0
}
