package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/pgtape/pgtape/client"
)

// tape is a market's whole history, as the server tells it after the run.
type tape struct {
	head   int64
	cursor string          // names the history up to head
	trades map[int64]int64 // seq: trade id
	at     map[int64]int64 // seq: microseconds since 1970; for quotes, which do not say
	broken int64           // events that do not follow the one before
}

const pageSize = 1000

// readTapes reads the tapes of the run's markets.
func (r *run) readTapes(ctx context.Context) (map[string]tape, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	c := client.New(r.URL)
	defer c.Close()
	tapes := map[string]tape{}
	for _, market := range r.markets {
		t := tape{trades: map[int64]int64{}, at: map[int64]int64{}}
		for {
			events, next, err := c.Tape(ctx, market, t.cursor, pageSize)
			if err != nil {
				return nil, fmt.Errorf("reading the tape of %s: %w", market, err)
			}
			for _, e := range events {
				t.add(e, r.Mode == client.Latest)
			}
			t.cursor = next
			if len(events) < pageSize {
				break
			}
		}
		tapes[market] = t
	}
	return tapes, nil
}

func (t *tape) add(e client.Event, timed bool) {
	if e.Seq != t.head+1 {
		t.broken++
	}
	t.head = e.Seq
	if e.Trade != nil {
		t.trades[e.Seq] = e.Trade.ID
	}
	if timed {
		t.at[e.Seq] = e.At.UnixMicro()
	}
}

func headsOf(tapes map[string]tape) map[string]int64 {
	heads := map[string]int64{}
	for market, t := range tapes {
		heads[market] = t.head
	}
	return heads
}

// unrecorded counts receipts whose trade is not on the tape at the version that they tell.
func (r *run) unrecorded(tapes map[string]tape) (n int64) {
	for _, t := range r.traders {
		for _, receipt := range t.receipts {
			if id, ok := tapes[receipt.market].trades[receipt.seq]; !ok || id != receipt.id {
				n++
			}
		}
	}
	return n
}

// delivery holds what the sockets have heard against the tapes.
func (r *run) delivery(tapes map[string]tape) (d Delivery) {
	for _, l := range r.listeners {
		d.Gaps += l.gaps
		d.Duplicated += l.duplicates
		d.Reconnects += l.reconnects
		for market, h := range l.heard {
			seq, tape := h.seq.Load(), tapes[market]
			d.Delivered += h.delivered
			d.Duplicated += h.duplicated
			if r.Mode == client.Latest { // versions may be skipped, but not the last
				d.Lost += min(max(tape.head-seq, 0), 1)
				continue
			}
			d.Lost += h.skipped + max(tape.head-seq, 0)
			if seq == tape.head && h.cursor != tape.cursor {
				d.Forked++
			}
		}
	}
	return d
}

// sinceReceipts compares, on the sockets that remember, when an event came with when its trade was
// due and when it was answered.
func (r *run) sinceReceipts() (sinceDue, sinceAnswer *latencies) {
	sinceDue, sinceAnswer = &latencies{}, &latencies{}
	for _, t := range r.traders {
		for _, receipt := range t.receipts {
			for _, l := range r.listeners[:min(sampled, len(r.listeners))] {
				h := l.heard[receipt.market]
				if h == nil {
					continue
				}
				if arrival := h.arrival(receipt.seq); !arrival.IsZero() {
					sinceDue.record(arrival.Sub(receipt.due))
					sinceAnswer.record(arrival.Sub(receipt.answered))
				}
			}
		}
	}
	return sinceDue, sinceAnswer
}

// quoteAges tells, for each quote that came, how old the oldest version is that it was the first to
// show.
func (r *run) quoteAges(tapes map[string]tape) *latencies {
	var all latencies
	for _, l := range r.listeners {
		for market, h := range l.heard {
			at := tapes[market].at
			for _, q := range h.quotes {
				if then := at[q.from]; then != 0 {
					all.record(time.Duration(q.at-then) * time.Microsecond)
				}
			}
		}
	}
	return &all
}
