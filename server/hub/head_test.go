package hub_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgtape/pgtape/server/hub"
)

func TestPublishIgnoresWhatIsNotNew(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		s := connect(h)
		s.client.Subscribe("rain", "", hub.Tape)
		s.expect(t, "snapshot rain 3")
		publish(h, "rain", 1, 5)
		publish(h, "rain", 2, 6)
		s.expect(t, run("rain", 4, 6)...)
		if seq, c, ok := h.Head("rain"); seq != 6 || c != cursor("a", "rain", 6) || !ok {
			t.Errorf("head: %d %s %v", seq, c, ok)
		}
		if _, _, ok := h.Head("none"); ok {
			t.Error("a market never heard of has a head")
		}
	})
}

func TestHoleInTheTapeIsFilledFromTheTable(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
		tape, quote := connect(h), connect(h)
		tape.client.Subscribe("rain", "", hub.Tape)
		quote.client.Subscribe("rain", "", hub.Quote)
		tape.expect(t, "snapshot rain 3")
		quote.expect(t, "snapshot rain 3")
		publish(h, "rain", 4, 4)
		db.set("rain", 9)
		publish(h, "rain", 8, 9)
		publish(h, "rain", 10, 10)
		tape.expect(t, run("rain", 4, 10)...)
		quote.expect(t, "quote rain 4", "quote rain 8", "quote rain 9", "quote rain 10")
		if n := h.Stats().Gaps; n != 1 {
			t.Errorf("%d gaps counted, want 1", n)
		}
	})
}

func TestHoleTooWideToReplayIsJumpedByASnapshot(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{ReplayLimit: 100}, func(t *testing.T, h *hub.Hub, db *table) {
		s := connect(h)
		s.client.Subscribe("rain", "", hub.Tape)
		s.expect(t, "snapshot rain 3")
		db.set("rain", 500)
		publish(h, "rain", 500, 500)
		s.expect(t, "snapshot rain 500")
		publish(h, "rain", 501, 501)
		s.expect(t, "event rain 501")
	})
}

// A database that was put back is read by joins before the reader has found out.
func TestRewoundBeforeTheReset(t *testing.T) {
	t.Parallel()
	for mode, news := range map[hub.Mode]string{hub.Tape: "event", hub.Quote: "quote"} {
		for _, to := range []int64{3, 8, 12} { // behind the head, at it, past it
			t.Run(fmt.Sprintf("%s, to %d", news, to), func(t *testing.T) {
				withHub(t, map[string]int64{"rain": 5}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
					publish(h, "rain", 6, 8)
					db.rewind("b", map[string]int64{"rain": to})
					fresh, old := connect(h), connect(h)
					fresh.client.Subscribe("rain", "", mode)
					old.client.Subscribe("rain", cursor("a", "rain", 7), mode)
					time.Sleep(time.Second)
					early := fresh.got(t) // past the head nothing tells yet that it is another history
					h.Reset("rain", cursor("b", "rain", to), to)
					time.Sleep(5 * time.Second)
					h.Publish(event("b", "rain", to+1))
					want := []string{fmt.Sprintf("snapshot rain %d", to), fmt.Sprintf("%s rain %d", news, to+1)}
					if len(early) > 0 {
						fresh.expect(t, want[1])
					} else {
						fresh.expect(t, want...)
					}
					old.expect(t, want...)
				})
			})
		}
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	type heads = map[string]int64

	t.Run("to another history gives every subscriber a fresh snapshot", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			tape, quote, stalled := connect(h), connect(h), connectStalled(h)
			tape.client.Subscribe("rain", "", hub.Tape)
			quote.client.Subscribe("rain", "", hub.Quote)
			stalled.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait()
			publish(h, "rain", 4, 8)
			synctest.Wait()
			tape.got(t)
			quote.got(t)

			db.rewind("b", heads{"rain": 5})
			h.Reset("rain", cursor("b", "rain", 5), 5)
			h.Publish(event("b", "rain", 6))
			tape.expect(t, "snapshot rain 5", "event rain 6")
			quote.expect(t, "snapshot rain 5", "quote rain 6")
			stalled.unstall() // what it had not been written yet is of no history any more
			stalled.expect(t, "snapshot rain 3", "snapshot rain 5", "event rain 6")

			again := connect(h)
			again.client.Subscribe("rain", cursor("a", "rain", 6), hub.Tape)
			db.set("rain", 6)
			again.expect(t, "snapshot rain 6")
		})
	})
	t.Run("to another hash of the same seq is another history", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			s.expect(t, "snapshot rain 3")
			db.rewind("b", heads{"rain": 3})
			h.Reset("rain", cursor("b", "rain", 3), 3)
			s.expect(t, "snapshot rain 3")
			s.client.Subscribe("rain", cursor("b", "rain", 3), hub.Tape)
			s.expect(t, "subscribed rain 3")
		})
	})
	t.Run("forgets the quote of the old history", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			publish(h, "rain", 4, 8)
			db.rewind("b", heads{"rain": 5})
			h.Reset("rain", cursor("b", "rain", 5), 5)
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Quote)
			s.expect(t, "snapshot rain 5")
			s.client.Subscribe("rain", cursor("a", "rain", 4), hub.Quote)
			s.expect(t, "snapshot rain 5")
		})
	})
	t.Run("voids what a join has read of the old history", func(t *testing.T) {
		withHub(t, heads{"rain": 900}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			release := db.holdReads()
			fresh, replaying := connect(h), connect(h)
			fresh.client.Subscribe("rain", "", hub.Tape)
			replaying.client.Subscribe("rain", cursor("a", "rain", 5), hub.Tape)
			synctest.Wait()
			db.rewind("b", heads{"rain": 950})
			h.Reset("rain", cursor("b", "rain", 950), 950)
			release()
			fresh.expect(t, "snapshot rain 950")
			replaying.expect(t, "snapshot rain 950")
		})
	})
	t.Run("stops a replay of the old history", func(t *testing.T) {
		withHub(t, heads{"rain": 900}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connectStalled(h)
			s.client.Subscribe("rain", cursor("a", "rain", 5), hub.Tape)
			synctest.Wait()
			inFlight := len(s.got(t))
			db.rewind("b", heads{"rain": 950})
			h.Reset("rain", cursor("b", "rain", 950), 950)
			s.unstall()
			s.expect(t, "snapshot rain 950")
			if inFlight == 0 || inFlight > 256 {
				t.Errorf("%d events were in flight", inFlight)
			}
		})
	})
	t.Run("at the start of the reader lets everybody go on from where he is", func(t *testing.T) {
		withHub(t, heads{}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("rain", 900)
			tape, behind, quote := connect(h), connectStalled(h), connect(h)
			tape.client.Subscribe("rain", cursor("a", "rain", 898), hub.Tape)
			behind.client.Subscribe("rain", cursor("a", "rain", 5), hub.Tape)
			quote.client.Subscribe("rain", cursor("a", "rain", 898), hub.Quote)
			tape.expect(t, run("rain", 899, 900)...)
			quote.expect(t, "snapshot rain 900")

			db.set("rain", 950)
			h.Reset("rain", cursor("a", "rain", 950), 950)
			publish(h, "rain", 951, 952)
			db.set("rain", 952)
			behind.unstall()
			tape.expect(t, run("rain", 901, 952)...)
			behind.expect(t, run("rain", 6, 952)...)
			synctest.Wait()
			if got := quote.got(t); got[len(got)-1].Seq != 952 {
				t.Errorf("quotes: %v", got)
			}
		})
	})
	t.Run("to a head that the subscriber is ahead of says nothing twice", func(t *testing.T) {
		withHub(t, heads{}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("rain", 9)
			s := connect(h)
			s.client.Subscribe("rain", cursor("a", "rain", 9), hub.Tape)
			s.expect(t, "subscribed rain 9")
			h.Reset("rain", cursor("a", "rain", 7), 7) // it was read a little before
			publish(h, "rain", 8, 10)
			db.set("rain", 10)
			s.expect(t, "event rain 10")
		})
	})
	t.Run("to where a subscriber is leaves it in peace", func(t *testing.T) {
		withHub(t, heads{}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("rain", 7)
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape) // before the reader has said where it starts
			s.expect(t, "snapshot rain 7")
			h.Reset("rain", cursor("a", "rain", 7), 7)
			h.Reset("rain", cursor("a", "rain", 7), 7)
			publish(h, "rain", 8, 8)
			s.expect(t, "event rain 8")
		})
	})
}

func TestWaitFor(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		wait := func(market string, seq int64) { results <- h.WaitFor(ctx, market, seq) }

		wait("rain", 3)
		if err := <-results; err != nil {
			t.Errorf("waiting for the head: %v", err)
		}
		go wait("rain", 5)
		go wait("new", 1)
		synctest.Wait()
		publish(h, "rain", 4, 4)
		connect(h).client.Subscribe("new", "", hub.Tape) // refused: the table has no such market
		synctest.Wait()
		if len(results) > 0 {
			t.Fatal("returned before the head was there")
		}
		publish(h, "rain", 5, 5)
		publish(h, "new", 1, 1)
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		go wait("rain", 99)
		go wait("none", 1)
		synctest.Wait()
		cancel()
		for range 2 {
			if err := <-results; !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v", err)
			}
		}
	})
}
