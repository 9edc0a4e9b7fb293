package hub_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgtape/pgtape/server/hub"
)

func TestJoinWithoutCursor(t *testing.T) {
	t.Parallel()
	type heads = map[string]int64

	t.Run("begins with a snapshot and goes on with the next event", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			s.expect(t, "snapshot rain 3")
			publish(h, "rain", 4, 5)
			s.expect(t, "event rain 4", "event rain 5")
		})
	})
	t.Run("misses nothing that is published while the snapshot is read", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			release := db.holdReads()
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait()
			publish(h, "rain", 4, 5)
			s.expect(t)
			release()
			s.expect(t, "snapshot rain 3", "event rain 4", "event rain 5")
		})
	})
	t.Run("skips what the table knew before the stream brought it", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("rain", 5)
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			s.expect(t, "snapshot rain 5")
			publish(h, "rain", 4, 6)
			s.expect(t, "event rain 6")
		})
	})
	t.Run("waits for a table that does not yet show what was published", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			publish(h, "rain", 4, 5) // nobody listens: only the head is kept
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			s.expect(t) // a snapshot of 3 would be older than what others have seen
			publish(h, "rain", 6, 6)
			db.set("rain", 4)
			time.Sleep(time.Second)
			s.expect(t)
			db.set("rain", 5)
			time.Sleep(time.Second)
			s.expect(t, "snapshot rain 5", "event rain 6")
			if reads := len(db.asked()); reads > 20 {
				t.Errorf("%d reads in two seconds", reads)
			}
		})
	})
	t.Run("gives a market that the hub has not heard of", func(t *testing.T) {
		withHub(t, heads{}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("new", 7)
			s := connect(h)
			s.client.Subscribe("new", "", hub.Tape)
			s.expect(t, "snapshot new 7")
			publish(h, "new", 7, 8) // the first that the stream brings
			s.expect(t, "event new 8")
		})
	})
	t.Run("refuses a market that does not exist, and forgets its name", func(t *testing.T) {
		withHub(t, heads{}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connect(h)
			s.client.Subscribe("none", "", hub.Tape)
			s.client.Subscribe("none too", cursor("a", "none too", 3), hub.Quote)
			s.expect(t, "error not_found none", "error not_found none too")
			if n := h.Stats().Subscriptions; n != 0 {
				t.Errorf("%d subscriptions are left", n)
			}
			db.set("none", 1)
			s.client.Subscribe("none", "", hub.Tape)
			s.expect(t, "snapshot none 1")
		})
	})
}

func TestJoinWithCursor(t *testing.T) {
	t.Parallel()
	at := func(seq int64) string { return cursor("a", "rain", seq) }
	type heads = map[string]int64

	t.Run("at the head has nothing to replay and asks nobody", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connect(h)
			s.client.Subscribe("rain", at(3), hub.Tape)
			s.expect(t, "subscribed rain 3")
			publish(h, "rain", 4, 4)
			s.expect(t, "event rain 4")
			if asked := db.asked(); len(asked) > 0 {
				t.Errorf("asked the table: %v", asked)
			}
		})
	})
	t.Run("inside the ring is served from memory", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			first := connect(h)
			first.client.Subscribe("rain", at(3), hub.Tape)
			publish(h, "rain", 4, 9)
			for _, after := range []int64{3, 6, 9} {
				s := connect(h)
				s.client.Subscribe("rain", at(after), hub.Tape)
				if after == 9 {
					s.expect(t, "subscribed rain 9")
				} else {
					s.expect(t, run("rain", after+1, 9)...)
				}
			}
			if asked := db.asked(); len(asked) > 0 {
				t.Errorf("asked the table: %v", asked)
			}
		})
	})
	t.Run("is replayed from the table in pages, and trading goes on meanwhile", func(t *testing.T) {
		withHub(t, heads{"rain": 1200}, hub.Options{RingSize: 100}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connectStalled(h)
			s.client.Subscribe("rain", at(10), hub.Tape)
			synctest.Wait()
			for seq := int64(1201); seq <= 1300; seq++ {
				db.set("rain", seq)
				publish(h, "rain", seq, seq)
			}
			if asked := db.asked(); !slices.Equal(asked, []string{"since 10"}) {
				t.Fatalf("read ahead of a client that takes nothing: %v", asked)
			}
			s.unstall()
			s.expect(t, run("rain", 11, 1300)...)
			publish(h, "rain", 1301, 1301)
			s.expect(t, "event rain 1301")
		})
	})
	t.Run("ahead of the hub is at the end of the table", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("rain", 5)
			s := connect(h)
			s.client.Subscribe("rain", at(5), hub.Tape)
			s.expect(t, "subscribed rain 5")
			publish(h, "rain", 4, 6)
			s.expect(t, "event rain 6")
		})
	})
	t.Run("of a market new to the hub is replayed to the end", func(t *testing.T) {
		withHub(t, heads{}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.set("rain", 1700)
			s := connect(h)
			s.client.Subscribe("rain", at(100), hub.Tape)
			s.expect(t, run("rain", 101, 1700)...)
		})
	})
	t.Run("behind which the table shows nothing yet waits for it", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			publish(h, "rain", 4, 5)
			s := connect(h)
			s.client.Subscribe("rain", at(3), hub.Tape)
			s.expect(t)
			db.set("rain", 5)
			time.Sleep(time.Second)
			s.expect(t, "event rain 4", "event rain 5")
		})
	})

	t.Run("that has no place in the history starts from a snapshot", func(t *testing.T) {
		for name, after := range map[string]string{
			"other hash at the head":  cursor("b", "rain", 8),
			"other hash in the ring":  cursor("b", "rain", 7),
			"other hash in the table": cursor("b", "rain", 2),
			"not yet":                 at(90),
		} {
			t.Run(name, func(t *testing.T) {
				withHub(t, heads{"rain": 4}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
					first := connect(h)
					first.client.Subscribe("rain", "", hub.Tape)
					synctest.Wait()
					publish(h, "rain", 5, 8)
					db.set("rain", 8)
					s := connect(h)
					s.client.Subscribe("rain", after, hub.Tape)
					s.expect(t, "snapshot rain 8")
					publish(h, "rain", 9, 9)
					s.expect(t, "event rain 9")
				})
			})
		}
	})
	t.Run("further back than the limit starts from a snapshot", func(t *testing.T) {
		withHub(t, heads{"rain": 1000}, hub.Options{ReplayLimit: 600}, func(t *testing.T, h *hub.Hub, db *table) {
			s := connect(h)
			s.client.Subscribe("rain", at(399), hub.Tape)
			s.expect(t, "snapshot rain 1000")
			s.client.Subscribe("rain", at(400), hub.Tape)
			s.expect(t, run("rain", 401, 1000)...)
			if asked := db.asked(); asked[0] != "snapshot rain" {
				t.Errorf("asked for more than the snapshot: %v", asked)
			}
		})
	})
	t.Run("that is no cursor is refused, and the subscription there was goes on", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			s.expect(t, "snapshot rain 3")
			s.client.Subscribe("rain", "3", hub.Tape)
			s.client.Subscribe("rain", "3.xyz", hub.Quote)
			s.expect(t, "error invalid_request rain", "error invalid_request rain")
			publish(h, "rain", 4, 4)
			s.expect(t, "event rain 4")
		})
	})
}

func TestJoinThatCannotRead(t *testing.T) {
	t.Parallel()
	type heads = map[string]int64
	down := errors.New("connection refused")

	t.Run("tries on for as long as the reader is lost, and says nothing", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			h.SetState(hub.Lost)
			db.fail(down)
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			time.Sleep(time.Minute)
			s.expect(t)
			if reads := len(db.asked()); reads < 30 || reads > 80 {
				t.Errorf("%d reads in a minute", reads)
			}
			db.fail(nil)
			time.Sleep(2 * time.Second)
			s.expect(t, "snapshot rain 3")
		})
	})
	t.Run("tells the client when only it has trouble", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			db.fail(down)
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			time.Sleep(5 * time.Second)
			s.expect(t, "error internal rain")
			db.fail(nil)
			s.client.Subscribe("rain", "", hub.Tape)
			s.expect(t, "snapshot rain 3")
		})
	})
	t.Run("has no event of two histories", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			first := connect(h)
			first.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait()
			publish(h, "rain", 4, 6)
			db.rewind("b", heads{"rain": 5}) // restored; the reader has not noticed yet
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			time.Sleep(3 * time.Second)
			s.expect(t)
			h.Reset("rain", cursor("b", "rain", 5), 5)
			time.Sleep(3 * time.Second)
			s.expect(t, "snapshot rain 5")
			h.Publish(event("b", "rain", 6))
			s.expect(t, "event rain 6")
		})
	})
}

func TestJoinIsNotWanted(t *testing.T) {
	t.Parallel()
	type heads = map[string]int64

	t.Run("after an unsubscribe", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			release := db.holdReads()
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait()
			s.client.Unsubscribe("rain")
			synctest.Wait()
			if n := h.Stats().Joins; n != 0 {
				t.Errorf("%d joins go on", n)
			}
			release()
			publish(h, "rain", 4, 4)
			s.expect(t)
		})
	})
	t.Run("after the socket is gone", func(t *testing.T) {
		withHub(t, heads{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
			defer db.holdReads()()
			s := connect(h)
			s.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait()
			s.client.Close()
			s.client.Close()
			s.client.Subscribe("rain", "", hub.Tape)
			synctest.Wait()
			if got := h.Stats(); got.Joins != 0 || got.Clients != 0 || got.Subscriptions != 0 {
				t.Errorf("left: %+v", got)
			}
			s.expect(t)
		})
	})
	t.Run("after it was replaced by another one", func(t *testing.T) {
		withHub(t, heads{"rain": 900}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
			s := connectStalled(h)
			s.client.Subscribe("rain", cursor("a", "rain", 100), hub.Tape) // a page is in flight
			synctest.Wait()
			s.client.Subscribe("rain", cursor("a", "rain", 898), hub.Tape)
			synctest.Wait()
			frames := s.written(t)
			if len(frames) != 1 || !strings.Contains(string(frames[0]), `"seq":101,`) {
				t.Fatalf("%d frames in flight", len(frames))
			}
			s.unstall()
			s.expect(t, "event rain 899", "event rain 900")
			publish(h, "rain", 901, 901)
			s.expect(t, "event rain 901")
		})
	})
}

func TestManyJoinsOfOneClientTakeTurns(t *testing.T) {
	t.Parallel()
	heads := map[string]int64{}
	for _, market := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		heads[market] = 2
	}
	withHub(t, heads, hub.Options{}, func(t *testing.T, h *hub.Hub, db *table) {
		release := db.holdReads()
		s := connect(h)
		for market := range heads {
			s.client.Subscribe(market, "", hub.Tape)
		}
		synctest.Wait()
		if n := len(db.asked()); n != 4 {
			t.Errorf("%d reads at a time, want 4", n)
		}
		release()
		synctest.Wait()
		seen := map[string]int64{}
		for _, m := range s.got(t) {
			if m.Op != "snapshot" || seen[m.Market] != 0 {
				t.Fatalf("got %v", m)
			}
			seen[m.Market] = m.Seq
		}
		if len(seen) != len(heads) {
			t.Errorf("%d of %d markets joined", len(seen), len(heads))
		}
	})
}

func TestTooManySubscriptions(t *testing.T) {
	t.Parallel()
	heads := map[string]int64{"a": 1, "b": 1, "c": 1}
	withHub(t, heads, hub.Options{MaxSubscriptions: 2}, func(t *testing.T, h *hub.Hub, _ *table) {
		s := connect(h)
		s.client.Subscribe("a", "", hub.Tape)
		s.client.Subscribe("b", "", hub.Tape)
		synctest.Wait()
		s.got(t)
		s.client.Subscribe("c", "", hub.Tape)
		s.expect(t, "error invalid_request c")
		s.client.Subscribe("b", "", hub.Tape) // replaces, so there are no more of them
		s.expect(t, "snapshot b 1")
		s.client.Unsubscribe("a")
		s.client.Subscribe("c", "", hub.Tape)
		s.expect(t, "snapshot c 1")
	})
}
