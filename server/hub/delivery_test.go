package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgtape/pgtape/server/hub"
)

func TestLoneEventIsWrittenWithinPublish(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		s := connect(h)
		s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		s.got(t)
		publish(h, "rain", 4, 4)
		if got := s.got(t); len(got) != 1 || got[0].String() != "event rain 4" {
			t.Errorf("when Publish returned, %v was written", got)
		}
	})
}

func TestWhatGathersDuringAFlightGoesOutJoined(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3, "snow": 7}, hub.Options{RingSize: 2000}, func(t *testing.T, h *hub.Hub, _ *table) {
		s := connect(h)
		s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		s.client.Subscribe("snow", cursor("a", "snow", 7), hub.Tape)
		s.got(t)
		s.open = false
		publish(h, "rain", 4, 6)
		publish(h, "snow", 8, 9)
		publish(h, "rain", 7, 7)
		if frames := s.written(t); len(frames) != 1 {
			t.Fatalf("%d frames in flight", len(frames))
		}
		s.send()
		frames := s.written(t)
		if len(frames) != 1 {
			t.Fatalf("%d frames in flight", len(frames))
		}
		got := fmt.Sprint(parse(t, frames[0]))
		if want := "[event rain 5 event rain 6 event rain 7 event snow 8 event snow 9]"; got != want {
			t.Errorf("joined: %s, want %s", got, want)
		}
	})
}

func TestJoinedFrameIsBounded(t *testing.T) {
	t.Parallel()
	for name, bytesEach := range map[string]int{
		"in events":                      30,
		"in bytes":                       1000,
		"by one event if that is longer": 70_000,
	} {
		frame := []byte(`{"op":"event","x":"` + strings.Repeat("x", bytesEach) + `"}`)
		t.Run(name, func(t *testing.T) {
			withHub(t, map[string]int64{"rain": 3}, hub.Options{RingSize: 4000}, func(t *testing.T, h *hub.Hub, _ *table) {
				s := connectStalled(h)
				s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
				for seq := int64(4); seq <= 503; seq++ {
					e := event("a", "rain", seq)
					e.Frame = frame
					h.Publish(e)
				}
				s.unstall()
				events := 0
				for _, f := range s.written(t)[1:] {
					n := len(slices.Collect(f.Texts()))
					events += n
					if n > 256 || (n > 1 && len(f) > 64<<10) {
						t.Errorf("%d events in %d bytes", n, len(f))
					}
				}
				if events != 500 {
					t.Errorf("%d events written, want 500", events)
				}
			})
		})
	}
}

func TestClientsAtTheSamePlaceAreWrittenTheSameBytes(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		a, b := connectStalled(h), connectStalled(h)
		for _, s := range []*socket{a, b} {
			s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
			s.written(t)
		}
		publish(h, "rain", 4, 20)
		a.send()
		b.send()
		fa, fb := a.written(t), b.written(t)
		if len(fa) != 1 || len(fb) != 1 || &fa[0][0] != &fb[0][0] || len(fa[0]) != len(fb[0]) {
			t.Error("the joined frame was made twice")
		}
	})
}

func TestSlowTapeClientLosesItsConnectionAndNobodyElse(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{RingSize: 100}, func(t *testing.T, h *hub.Hub, _ *table) {
		slow, fast := connectStalled(h), connect(h)
		for _, s := range []*socket{slow, fast} {
			s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		}
		fast.expect(t, "subscribed rain 3")
		publish(h, "rain", 4, 103)
		if code := slow.closeCode(); code != 0 {
			t.Fatalf("closed (%d) although the ring has all it lacks", code)
		}
		publish(h, "rain", 104, 150)
		if code := slow.closeCode(); code != hub.CloseTooSlow {
			t.Fatalf("close code %d, want %d", code, hub.CloseTooSlow)
		}
		fast.expect(t, run("rain", 4, 150)...)
		slow.expect(t, "subscribed rain 3")
		slow.unstall() // the socket drains what it had
		slow.expect(t)
		if got := h.Stats(); got.SlowCloses != 1 || got.Clients != 1 || got.Subscriptions != 1 {
			t.Errorf("stats: %+v", got)
		}

		again := connect(h)
		again.client.Subscribe("rain", cursor("a", "rain", 110), hub.Tape)
		again.expect(t, run("rain", 111, 150)...)
	})
}

func TestReplayThatNeverGetsToTheEndIsClosed(t *testing.T) {
	t.Parallel()
	o := hub.Options{RingSize: 10, ReplayLimit: 2000}
	withHub(t, map[string]int64{"rain": 1500}, o, func(t *testing.T, h *hub.Hub, db *table) {
		s := connectStalled(h)
		s.client.Subscribe("rain", cursor("a", "rain", 1), hub.Tape)
		synctest.Wait()
		db.set("rain", 5000)
		publish(h, "rain", 1501, 5000)
		for s.send() {
			synctest.Wait()
		}
		if code := s.closeCode(); code != hub.CloseTooSlow {
			t.Errorf("close code %d, want %d", code, hub.CloseTooSlow)
		}
	})
}

func TestQuoteMode(t *testing.T) {
	t.Parallel()
	type heads = map[string]int64

	t.Run("skips to the newest and never goes back", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{RingSize: 10}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Quote)
			s.expect(t, "snapshot rain 3")
			publish(h, "rain", 4, 4)
			s.expect(t, "quote rain 4")
			s.open = false
			publish(h, "rain", 5, 500)
			s.unstall()
			s.expect(t, "quote rain 5", "quote rain 500")
			publish(h, "rain", 400, 500)
			s.expect(t)
		})
	})
	t.Run("skips what the snapshot was ahead of", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("rain", 6)
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Quote)
			s.expect(t, "snapshot rain 6")
			publish(h, "rain", 4, 7)
			s.expect(t, "quote rain 7")
		})
	})
	t.Run("waits for a table behind the head", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			publish(h, "rain", 4, 5)
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Quote)
			s.expect(t) // what the table has may be another history
			db.set("rain", 5)
			time.Sleep(time.Second)
			s.expect(t, "snapshot rain 5")
		})
	})
	t.Run("is told nothing of an event without a quote", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Quote)
			s.expect(t, "snapshot rain 3")
			publish(h, "rain", 4, 4)
			silent := event("a", "rain", 5)
			silent.Quote = nil
			h.Publish(silent)
			publish(h, "rain", 6, 6)
			s.expect(t, "quote rain 4", "quote rain 6")
		})
	})
	t.Run("with a cursor is given the newest quote or told there is none", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connect(h)
			s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Quote)
			s.expect(t, "subscribed rain 3")
			publish(h, "rain", 4, 8)
			s.got(t)
			s.client.Subscribe("rain", cursor("a", "rain", 5), hub.Quote)
			s.expect(t, "quote rain 8")
			s.client.Subscribe("rain", cursor("a", "rain", 8), hub.Quote)
			s.expect(t, "subscribed rain 8")
			if asked := db.asked(); len(asked) > 0 {
				t.Errorf("asked the table: %v", asked)
			}
			db.set("rain", 9)
			s.client.Subscribe("rain", cursor("a", "rain", 9), hub.Quote)
			s.expect(t, "snapshot rain 9")
		})
	})
}

func TestSubscribingAgainReplaces(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
		s := connect(h)
		s.client.Subscribe("rain", "", hub.Tape)
		s.expect(t, "snapshot rain 3")
		publish(h, "rain", 4, 5)
		s.expect(t, "event rain 4", "event rain 5")

		s.client.Subscribe("rain", "", hub.Quote)
		publish(h, "rain", 6, 6)
		s.expect(t, "snapshot rain 3", "quote rain 6")

		s.client.Subscribe("rain", cursor("a", "rain", 6), hub.Tape)
		publish(h, "rain", 7, 7)
		s.expect(t, "subscribed rain 6", "event rain 7")

		s.client.Unsubscribe("rain")
		s.client.Unsubscribe("rain")
		publish(h, "rain", 8, 8)
		s.expect(t)
		if n := h.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

func TestSubscribingAgainDropsWhatWaitedForTheOldOne(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		s := connectStalled(h)
		s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		publish(h, "rain", 4, 9)
		s.client.Subscribe("rain", cursor("a", "rain", 9), hub.Tape)
		publish(h, "rain", 10, 10)
		s.unstall()
		s.expect(t, "subscribed rain 3", "subscribed rain 9", "event rain 10")
	})
}

func TestReplies(t *testing.T) {
	t.Parallel()
	type heads = map[string]int64

	t.Run("are written in order with the rest", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connectStalled(h)
			s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
			s.client.Reply([]byte(`{"op":"error","code":"first"}`))
			publish(h, "rain", 4, 4)
			s.client.Reply([]byte(`{"op":"error","code":"second"}`))
			s.unstall()
			s.expect(t, "subscribed rain 3", "error first ", "event rain 4", "error second ")
		})
	})
	t.Run("that nobody reads end the connection", func(t *testing.T) {
		withHub(t, heads{}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
			s, reader := connectStalled(h), connect(h)
			for range 1000 {
				s.client.Reply([]byte(`{"op":"error"}`))
				reader.client.Reply([]byte(`{"op":"error"}`))
			}
			if code := s.closeCode(); code != hub.CloseProtocol {
				t.Errorf("close code %d, want %d", code, hub.CloseProtocol)
			}
			if n := len(reader.got(t)); n != 1000 || reader.closeCode() != 0 {
				t.Errorf("who reads got %d replies, closed %d", n, reader.closeCode())
			}
		})
	})
}

func TestSocketThatFailsIsClosed(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		s, other := connect(h), connect(h)
		for _, s := range []*socket{s, other} {
			s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
			s.expect(t, "subscribed rain 3")
		}
		s.err = errors.New("broken pipe")
		publish(h, "rain", 4, 5)
		other.expect(t, "event rain 4", "event rain 5")
		if code := s.closeCode(); code != hub.CloseInternal {
			t.Errorf("close code %d, want %d", code, hub.CloseInternal)
		}
		if n := h.Stats().Clients; n != 1 {
			t.Errorf("%d clients, want 1", n)
		}
	})
}

// Clients that are sent away over a time go one by one, in no order that tells who came first, and
// are sent events until it is their turn.
func TestCloseOver(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		sockets := make([]*socket, 40)
		for i := range sockets {
			sockets[i] = connect(h)
			sockets[i].client.Subscribe("rain", "", hub.Tape)
		}
		go h.CloseOver(4*time.Second, hub.CloseRestarting, "restarting")
		closed := func() (which []int) {
			for i, s := range sockets {
				if s.closeCode() == hub.CloseRestarting {
					which = append(which, i)
				}
			}
			return which
		}
		for second := range 4 {
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			which := closed()
			if want := 5 + 10*second; len(which) < want || len(which) > want+1 {
				t.Errorf("after %d.5 s %d are closed, want %d", second, len(which), want)
			}
			if second == 1 && which[len(which)-1] < 20 {
				t.Errorf("closed in the order in which they came: %v", which)
			}
			time.Sleep(500 * time.Millisecond)
		}
		synctest.Wait()
		if got := h.Stats(); len(closed()) != len(sockets) || got.Clients != 0 || got.Subscriptions != 0 {
			t.Errorf("left: %+v", got)
		}
	})
}

func TestCloseAll(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		sockets := []*socket{connect(h), connectStalled(h), connect(h)}
		for _, s := range sockets {
			s.client.Subscribe("rain", "", hub.Tape)
		}
		synctest.Wait()
		h.CloseAll(hub.CloseRestarting, "restarting")
		for _, s := range sockets {
			if code := s.closeCode(); code != hub.CloseRestarting {
				t.Errorf("close code %d, want %d", code, hub.CloseRestarting)
			}
		}
		if got := h.Stats(); got.Clients != 0 || got.Subscriptions != 0 {
			t.Errorf("left: %+v", got)
		}
	})
}
