package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// history is what one state of the database holds: every event of every market by its seq, and
// every trade by its idempotency key.
type history struct {
	events map[string][]entry
	trades map[string]trade
}

// entry is an event, as short as can be: there are many.
type entry struct {
	hash   uint64 // the 16 hex digits of its cursor
	body   uint64 // digest of all else that it says
	prices uint64 // digest of the prices after it; 0: it has none
}

type trade struct {
	market, amount string
	id, seq        int64
}

// at returns the event of a seq.
func (h history) at(market string, seq int64) (entry, bool) {
	events := h.events[market]
	if seq < 1 || seq > int64(len(events)) {
		return entry{}, false
	}
	return events[seq-1], true
}

// knows says whether a cursor is a point of the history, the start included.
func (h history) knows(market string, seq int64, hash uint64) bool {
	e, ok := h.at(market, seq)
	return seq == 0 || ok && e.hash == hash
}

// readHistory reads the tables. Trades that an earlier history has as well are dropped there.
func (w *world) readHistory() history {
	w.t.Helper()
	ctx := context.Background()
	conn, err := w.admin(ctx)
	must(w.t, err)
	defer conn.Close(ctx)
	h := history{events: map[string][]entry{}, trades: map[string]trade{}}

	rows, err := conn.Query(ctx, "select market, seq, cursor, kind, body from pgtape.tape where market <> 'house' order by market, seq")
	must(w.t, err)
	var market, cursor, kind, body, key string
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&market, &seq, &cursor, &kind, &body}, func() error {
		if seq != int64(len(h.events[market]))+1 {
			return fmt.Errorf("the tape of %s has seq %d after %d", market, seq, len(h.events[market]))
		}
		e, err := newEntry(kind, cursor, []byte(body))
		h.events[market] = append(h.events[market], e)
		return err
	})
	must(w.t, err)

	var t trade
	rows, err = conn.Query(ctx, `select m.slug, t.idempotency_key, t.id, t.seq, t.amount::text
		from pgtape_core.trade t join pgtape_core.market m on m.id = t.market_id where t.idempotency_key is not null`)
	must(w.t, err)
	_, err = pgx.ForEachRow(rows, []any{&t.market, &key, &t.id, &t.seq, &t.amount}, func() error {
		if _, twice := h.trades[key]; twice {
			return fmt.Errorf("two trades of the key %s", key)
		}
		h.trades[key] = t
		return nil
	})
	must(w.t, err)
	for _, earlier := range w.histories {
		for key, t := range earlier.trades {
			if h.trades[key] == t {
				delete(earlier.trades, key)
			}
		}
	}
	return h
}

// newEntry digests an event from its kind, cursor and body: the object of the tape, or a frame, of
// which everything else is left out.
func newEntry(kind, cursor string, body []byte) (e entry, err error) {
	if e.hash, err = hashOf(cursor); err != nil {
		return e, err
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		return e, err
	}
	for _, name := range []string{"op", "market", "seq", "prev", "cursor", "at", "kind"} {
		delete(members, name)
	}
	if prices := members["prices"]; prices != nil {
		e.prices = digest(prices)
	}
	members["kind"] = kind
	e.body = digest(members)
	return e, nil
}

func hashOf(cursor string) (uint64, error) {
	_, hash, _ := strings.Cut(cursor, ".")
	return strconv.ParseUint(hash, 16, 64)
}

// digest is the same for the same value: encoding/json sorts the members of a map.
func digest(value any) uint64 {
	text, err := json.Marshal(value)
	if err != nil {
		return 0 // it came from JSON
	}
	h := fnv.New64a()
	_, _ = h.Write(text) // never fails
	return h.Sum64()
}

// What a watcher was told.
const (
	toldSnapshot   = 's'
	toldSubscribed = 'a'
	toldEvent      = 'e'
	toldQuote      = 'q'
)

// record is one thing that a watcher was told of a market.
type record struct {
	op       byte
	seq      int64
	entry    entry // as far as the frame tells
	restores int32 // how many there had been when it was told
}

// judge compares what a watcher was told of a market, in order, with the histories of the database,
// in order, and returns all that it should not have been told, or should have been.
//
// Every event follows the one before and is of the same history, which is never an earlier one than
// before. A snapshot is for a gap wider than the replay limit or for another history: there are no
// more of those than there were restores. A watcher of quotes, who needs no history, gets one with
// each connection.
func judge(histories []history, market string, told []record) (wrong []string) {
	complain := func(i int, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("record %d: %c %d: %s", i, told[i].op, told[i].seq, fmt.Sprintf(format, args...)))
	}
	if len(told) == 0 {
		return []string{"was told nothing"}
	}
	if op := told[0].op; op != toldSnapshot && (op != toldEvent || told[0].seq != 1) {
		complain(0, "the first is neither a snapshot nor the first event")
	}
	var last record
	quotes := !slices.ContainsFunc(told, func(r record) bool { return r.op == toldEvent })
	now := 0 // the history that the watcher is in, the earliest that it can be
	unasked := int32(0)
	for i, r := range told {
		fits := func(h history) bool { return h.knows(market, r.seq, r.entry.hash) }
		switch r.op {
		case toldSnapshot:
			if i > 0 && r.seq-last.seq <= replayLimit && !quotes {
				if unasked++; unasked > r.restores {
					complain(i, "snapshot after %d, the %d. with %d restores", last.seq, unasked, r.restores)
				}
			}
		case toldSubscribed:
			if r.seq != last.seq || r.entry.hash != last.entry.hash {
				complain(i, "subscribed, but the watcher is at %d", last.seq)
			}
		case toldEvent:
			if r.seq != last.seq+1 {
				complain(i, "event after %d", last.seq)
			}
			fits = func(h history) bool {
				e, _ := h.at(market, r.seq)
				return e == r.entry && (i == 0 || h.knows(market, r.seq-1, last.entry.hash))
			}
		case toldQuote:
			if r.seq <= last.seq {
				complain(i, "quote after %d", last.seq)
			}
			fits = func(h history) bool {
				e, _ := h.at(market, r.seq)
				return e.prices == r.entry.prices
			}
		}
		h := now
		for h < len(histories) && !fits(histories[h]) {
			h++
		}
		if h < len(histories) {
			now = h
		} else {
			complain(i, "after %c %d, is in no history from the %d. on, or goes on from another, with %d restores", max(last.op, ' '), last.seq, now+1, r.restores)
		}
		last = r
	}
	final := histories[len(histories)-1]
	if head := int64(len(final.events[market])); last.seq != head {
		complain(len(told)-1, "is the last, but the market is at %d", head)
	} else if last.op != toldQuote && !final.knows(market, last.seq, last.entry.hash) {
		complain(len(told)-1, "is the last, and of another history")
	}
	return wrong
}
