package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/e2e/link"
	"github.com/pgtape/pgtape/server"
)

// linkedSite is a site whose tape reader goes through a link.
func linkedSite(t *testing.T, mode tape.Mode) (s *site, l *link.Link) {
	t.Helper()
	var reader *tape.Reader
	s = open(t, func(c *server.Config) {
		var through string
		through, l = dbtest.Linked(t, c.DB.URL())
		reader = tape.NewReader(tape.Options{URL: through, Mode: mode, Reconcile: 200 * time.Millisecond})
		c.Reader = reader
	})
	s.reader = reader
	return s, l
}

// heartbeat waits for one that says how the tape reader is doing.
func (w *wire) heartbeat(source string) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for w.next("heartbeat").Source != source {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", source)
		}
	}
}

// buyOne trades without the server.
func (s *site) buyOne(t *testing.T, account, market string) db.Receipt {
	t.Helper()
	receipt, err := s.Trade(t.Context(), db.Order{
		Account: account, Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1",
	})
	must(t, err)
	return receipt
}

// backTo takes a market back to an event, as a failover does that has lost its tail.
func (s *site) backTo(t *testing.T, market string, seq int64) {
	t.Helper()
	must(t, pgx.BeginFunc(t.Context(), s.Pool(), func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`alter table pgtape_core.tape disable trigger append_only`)
		batch.Queue(`alter table pgtape_core.trade disable trigger append_only`)
		batch.Queue(`delete from pgtape_core.tape where market = $1 and seq > $2`, market, seq)
		batch.Queue(`delete from pgtape_core.trade t using pgtape_core.market m
			where m.slug = $1 and t.market_id = m.id and t.seq > $2`, market, seq)
		batch.Queue(`update pgtape_core.book b set version = t.seq, head = t.hash from pgtape_core.tape t, pgtape_core.market m
			where m.slug = $1 and b.market_id = m.id and t.market = $1 and t.seq = $2`, market, seq)
		return tx.SendBatch(context.WithoutCancel(t.Context()), batch).Close()
	}))
}

// onwards reads from a snapshot to a seq: nothing may come before, and each event is of the history
// that the table has now.
func (w *wire) onwards(s *site, market string, to int64) {
	w.t.Helper()
	stored, err := s.TapeAfter(w.t.Context(), market, "", 1000)
	must(w.t, err)
	at := int64(0)
	for at < to {
		f, err := w.any()
		must(w.t, err)
		switch f.Op {
		case "heartbeat":
			continue
		case "subscribed": // from the ring, by a reader that has not heard yet
			if at == 0 {
				continue
			}
			w.t.Fatalf("subscribed at %d", at)
		case "snapshot":
		case "event":
			if f.Prev != at || at == 0 {
				w.t.Fatalf("at %d, want a snapshot or the event behind it, got %+v", at, f)
			}
		default:
			w.t.Fatalf("at %d: %+v", at, f)
		}
		if at = f.Seq; f.Cursor != stored[at-1].Head().String() {
			w.t.Fatalf("%s %s is of another history, want %s", f.Op, f.Cursor, stored[at-1].Head())
		}
	}
}

func TestNoSocketIsSentTwoHistories(t *testing.T) {
	t.Parallel()
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		for _, lost := range []bool{true, false} {
			name := string(mode) + " while connected"
			if lost {
				name = string(mode) + " while lost"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s, l := linkedSite(t, mode)
				market, ana := s.Market(t), s.Account(t, "1000")
				s.follow(t)
				watching := s.dial(t)
				watching.subscribe(market, "", "tape")
				watching.next("snapshot")
				var old string
				for range 5 {
					s.buyOne(t, ana, market)
					old = watching.next("event").Cursor
				}

				// The last three events are gone, and others go further than they did.
				if lost {
					l.Cut()
					watching.heartbeat("lost")
				}
				s.backTo(t, market, 3)
				for range 8 {
					s.buyOne(t, ana, market)
				}
				early := s.dial(t) // when the reader need not know yet
				early.subscribe(market, old, "tape")
				l.Mend()
				waitUntil(t, "a live reader that knows", func() bool {
					status := s.reader.Status()
					return status.State == tape.Live && status.Resets > 0
				})
				late := s.dial(t)
				late.subscribe(market, old, "tape")
				var last int64
				for range 3 {
					last = s.buyOne(t, ana, market).Version
				}
				watching.onwards(s, market, last)
				early.onwards(s, market, last)
				late.onwards(s, market, last)
				if n := s.reader.Status().Resets; n != 1 {
					t.Errorf("%d markets were reset, want 1", n)
				}
			})
		}
	}
}

func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
