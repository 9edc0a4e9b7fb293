package cache

import (
	"math"

	"github.com/pgtape/pgtape/db"
)

// maxRecent bounds the events that are remembered for fills. Those that every fill to come will see
// are forgotten with the next fill, so there are more only while nobody reads, or a commit is held.
const maxRecent = 4096

// recent is what fills have to have seen. It is guarded by the cache's lock.
type recent struct {
	published int64 // events so far
	fills     int64 // begun so far
	underWay  map[*fill]struct{}
	events    []event
	lost      lost
}

// event is one that was published, or a write of this node's that has been acknowledged.
type event struct {
	number int64  // of published
	market string // empty: a write of this node's
	xid    uint64 // 0: whoever began later sees it
	keys   []Key  // nil: all

	// seenBy is the last of the fills that had begun when some snapshot saw it: all later ones see it.
	// 0: none has seen it yet.
	seenBy int64
}

// lost is what did not fit into recent: fills that began before the last of it are not kept, nor those
// that do not see all its transactions.
type lost struct {
	number    int64
	low, high uint64 // of the transactions; 0: there are none, or all are seen
	seenBy    int64
}

// begin notes a fill that is about to read.
func (r *recent) begin(f *fill) {
	r.fills++
	f.number, f.published = r.fills, r.published
	r.underWay[f] = struct{}{}
}

func (r *recent) add(e event) {
	r.published++
	e.number = r.published
	if e.xid == 0 {
		e.seenBy = r.fills
		if len(r.underWay) == 0 {
			return // there is nobody who could have missed it
		}
	}
	if len(r.events) >= maxRecent { // some at once, as the others have to be moved
		const some = maxRecent / 8
		for _, e := range r.events[:some] {
			r.lose(e)
		}
		r.events = append(r.events[:0], r.events[some:]...)
	}
	r.events = append(r.events, e)
}

func (r *recent) lose(e event) {
	l := &r.lost
	l.number = e.number
	if e.xid == 0 {
		return
	}
	if l.seenBy = 0; l.high == 0 {
		l.low = e.xid
	}
	l.low, l.high = min(l.low, e.xid), max(l.high, e.xid)
}

// hasSeen says whether a fill that depends on keys has seen all that was published, as its snapshot shows.
func (r *recent) hasSeen(f *fill, s db.Snapshot, keys []Key, sees func(db.Snapshot, uint64) bool) bool {
	if r.lost.number > f.published || r.lost.high > 0 && !s.SeesAll(r.lost.low, r.lost.high) {
		return false
	}
	mine := make(map[Key]struct{}, len(keys))
	for _, k := range keys {
		mine[k] = struct{}{}
	}
	for _, e := range r.events {
		if !e.touches(mine) {
			continue
		}
		if e.xid == 0 && e.number > f.published || e.xid != 0 && !sees(s, e.xid) {
			return false
		}
	}
	return true
}

func (e event) touches(keys map[Key]struct{}) bool {
	if e.keys == nil {
		return true
	}
	for _, k := range e.keys {
		if _, ok := keys[k]; ok {
			return true
		}
	}
	return false
}

// end forgets a fill, and the events that all fills see that are under way or to come. What one
// snapshot has seen, all see that are taken later; but a fill may be under way whose was taken before.
func (r *recent) end(f *fill, s db.Snapshot, sees func(db.Snapshot, uint64) bool) {
	delete(r.underWay, f)
	oldest := int64(math.MaxInt64)
	for other := range r.underWay {
		oldest = min(oldest, other.number)
	}
	rest := r.events[:0]
	for _, e := range r.events {
		if e.seenBy == 0 && sees(s, e.xid) {
			e.seenBy = r.fills
		}
		if e.seenBy == 0 || e.seenBy >= oldest {
			rest = append(rest, e)
		}
	}
	clear(r.events[len(rest):])
	r.events = rest
	if l := &r.lost; l.high > 0 {
		if l.seenBy == 0 && s.SeesAll(l.low, l.high) {
			l.seenBy = r.fills
		}
		if l.seenBy > 0 && l.seenBy < oldest {
			l.low, l.high, l.seenBy = 0, 0, 0
		}
	}
}

// forget drops what a market's former history had.
func (r *recent) forget(market string) {
	rest := r.events[:0]
	for _, e := range r.events {
		if e.market != market {
			rest = append(rest, e)
		}
	}
	clear(r.events[len(rest):])
	r.events = rest
}
