package client

import (
	"fmt"
	"strconv"
	"strings"
)

// Modes of a subscription.
const (
	Tape   = "tape"  // every event
	Latest = "quote" // the latest prices only
)

// Subscription asks for one market.
type Subscription struct {
	Market string
	After  string // a cursor: what has happened since then; empty: a snapshot, then what follows
	Mode   string // Tape by default
}

// track is where one subscription stands: what the next event must follow.
type track struct {
	mode   string
	seq    int64
	cursor string // to resume from
	known  bool   // seq is: nothing may be left out from here on
	ended  bool   // the server has refused it for good

	acknowledged bool // since polling began
}

func newTracks(subscriptions []Subscription) (map[string]*track, error) {
	tracks := map[string]*track{}
	for _, s := range subscriptions {
		if tracks[s.Market] != nil {
			return nil, fmt.Errorf("market %s is subscribed to twice", s.Market)
		}
		mode := s.Mode
		if mode == "" {
			mode = Tape
		}
		if mode != Tape && mode != Latest {
			return nil, fmt.Errorf("mode %q: want %s or %s", mode, Tape, Latest)
		}
		tracks[s.Market] = &track{mode: mode, cursor: s.After}
	}
	if len(tracks) == 0 {
		return nil, fmt.Errorf("no market to watch")
	}
	return tracks, nil
}

// resume says where to go on from, and expects that. Prices alone need no history.
func (t *track) resume() (after string) {
	if t.mode == Latest && t.known {
		t.cursor, t.known = "", false
	}
	seq, _, _ := strings.Cut(t.cursor, ".")
	n, err := strconv.ParseInt(seq, 10, 64)
	t.seq, t.known = n, err == nil
	return t.cursor
}

// take checks a frame of the subscription against what came before, and moves on. An outdated
// quote is left out; anything else that does not follow is a lapse of the server.
func (t *track) take(f Frame) (deliver bool, lapse *lost) {
	switch f.Op {
	case OpSnapshot:
		// In between it says that the history is another now.
	case OpSubscribed:
		if t.known && f.Cursor != t.cursor {
			return false, &lost{code: LostGap, market: f.Market, message: fmt.Sprintf("%s was to go on behind %s, and goes on behind %s", f.Market, t.cursor, f.Cursor)}
		}
	case OpEvent:
		switch {
		case t.known && f.Seq <= t.seq:
			return false, &lost{code: LostDuplicate, market: f.Market, message: fmt.Sprintf("event %d of %s came again after %d", f.Seq, f.Market, t.seq)}
		case !t.known || f.Prev != t.seq || f.Seq != f.Prev+1:
			return false, &lost{code: LostGap, market: f.Market, message: fmt.Sprintf("event %d of %s (behind %d) came after %d", f.Seq, f.Market, f.Prev, t.seq)}
		}
	case OpQuote:
		if t.known && f.Seq < t.seq {
			return false, nil
		}
		t.seq, t.known = f.Seq, true
		return true, nil
	default:
		return true, nil
	}
	t.seq, t.cursor, t.known = f.Seq, f.Cursor, true
	return true, nil
}
