package hub_test

import (
	"context"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgtape/pgtape/server/hub"
)

// withRunningHub is withHub with heartbeats.
func withRunningHub(t *testing.T, heads map[string]int64, test func(t *testing.T, h *hub.Hub, db *table)) {
	t.Helper()
	withHub(t, heads, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		defer func() { // after t.Fatal too: the bubble must have no one left in it
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}()
		test(t, h, db)
	})
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	type heads = map[string]int64

	t.Run("comes each second, to a client without subscriptions too", func(t *testing.T) {
		withRunningHub(t, heads{}, func(t *testing.T, h *hub.Hub, _ *table) {
			sockets := []*socket{connect(h), connect(h), connect(h)}
			time.Sleep(10*time.Second + time.Millisecond)
			for _, s := range sockets {
				synctest.Wait()
				got := s.got(t)
				if len(got) != 10 {
					t.Fatalf("%d heartbeats in 10 seconds", len(got))
				}
				for i, m := range got {
					if m.String() != "heartbeat map[] live" || !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(m.At) {
						t.Fatalf("heartbeat %v at %q", m, m.At)
					}
					at, _ := time.Parse(time.RFC3339, m.At)
					if i > 0 {
						before, _ := time.Parse(time.RFC3339, got[i-1].At)
						if at.Sub(before) != time.Second {
							t.Errorf("%v after the one before", at.Sub(before))
						}
					}
				}
			}
		})
	})
	t.Run("has the heads of the markets that are joined", func(t *testing.T) {
		withRunningHub(t, heads{"rain": 3, `sn"ow`: 7}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait() // the two snapshots are read side by side otherwise
			s.client.Subscribe(`sn"ow`, "", hub.Quote)
			synctest.Wait()
			release := db.holdReads()
			s.client.Subscribe("none", "", hub.Tape) // still being read
			publish(h, "rain", 4, 4)
			time.Sleep(time.Second + time.Millisecond)
			s.expect(t, "snapshot rain 3", `snapshot sn"ow 7`, "event rain 4", `heartbeat map[rain:4 sn"ow:7] live`)
			s.client.Unsubscribe("rain")
			release()
			time.Sleep(time.Second)
			s.expect(t, "error not_found none", `heartbeat map[sn"ow:7] live`)
		})
	})
	t.Run("waits for a frame in flight, one and the latest", func(t *testing.T) {
		withRunningHub(t, heads{"rain": 3}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connectStalled(h)
			s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
			time.Sleep(5 * time.Second)
			publish(h, "rain", 4, 4)
			h.SetState(hub.CatchingUp)
			time.Sleep(500 * time.Millisecond)
			sent := time.Now()
			s.unstall()
			synctest.Wait()
			got := s.got(t)
			var lines []string
			for _, m := range got {
				lines = append(lines, m.String())
				if at, _ := time.Parse(time.RFC3339, m.At); m.Op == "heartbeat" && !at.Equal(sent.Truncate(time.Millisecond)) {
					t.Errorf("is of %v, written at %v", at, sent)
				}
			}
			if want := 3; len(got) != want {
				t.Fatalf("%d messages, want %d: %v", len(got), want, lines)
			}
		})
	})
	t.Run("never has a head whose events were not written before it", func(t *testing.T) {
		withRunningHub(t, heads{"rain": 0, "snow": 0}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connectStalled(h)
			for _, market := range []string{"rain", "snow"} {
				s.client.Subscribe(market, "", hub.Tape)
			}
			var rain, snow int64
			has := heads{}
			beats := 0
			for step := range 400 {
				time.Sleep(100 * time.Millisecond)
				publish(h, "rain", rain+1, rain+3)
				rain += 3
				if step%2 == 0 {
					publish(h, "snow", snow+1, snow+1)
					snow++
				}
				if step%5 == 0 {
					s.send()
				}
				synctest.Wait()
				for _, m := range s.got(t) {
					if m.Op != "heartbeat" {
						has[m.Market] = m.Seq
						continue
					}
					beats++
					for market, head := range m.Heads {
						if head != has[market] {
							t.Fatalf("head of %s is %d, has %d", market, head, has[market])
						}
					}
				}
			}
			if beats < 30 {
				t.Errorf("%d heartbeats in 40 seconds", beats)
			}
		})
	})
	t.Run("tells a change of state at once", func(t *testing.T) {
		withRunningHub(t, heads{}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connect(h)
			for _, state := range []hub.State{hub.Lost, hub.Lost, hub.CatchingUp, hub.Live} {
				h.SetState(state)
				if h.State() != state {
					t.Errorf("state is %v, want %v", h.State(), state)
				}
			}
			s.expect(t, "heartbeat map[] lost", "heartbeat map[] catching_up", "heartbeat map[] live")
		})
	})
}

func TestRunEndsTheJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := newTable(map[string]int64{"rain": 3})
		defer db.holdReads()()
		h := hub.New(db, hub.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- h.Run(ctx) }()
		s := connect(h)
		s.client.Subscribe("rain", "", hub.Tape)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := h.Stats().Joins; n != 0 {
			t.Errorf("%d joins go on", n)
		}
		s.client.Subscribe("rain", "", hub.Tape)
		s.expect(t)
	})
}
