package hub_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

const crowd = 100

// crowdOf connects many who have joined.
func crowdOf(t *testing.T, h *hub.Hub, mode hub.Mode) []*socket {
	t.Helper()
	sockets := make([]*socket, crowd)
	for i := range sockets {
		sockets[i] = connect(h)
		sockets[i].client.Subscribe("rain", cursor("a", "rain", 3), mode)
		sockets[i].expect(t, "subscribed rain 3")
	}
	return sockets
}

// each expects the same of all, in that many frames.
func each(t *testing.T, sockets []*socket, frames int, want ...string) {
	t.Helper()
	synctest.Wait()
	for _, s := range sockets {
		s.mu.Lock()
		got := len(s.frames)
		s.mu.Unlock()
		if got != frames {
			t.Fatalf("%d frames, want %d", got, frames)
		}
		s.expect(t, want...)
	}
}

func TestACrowdHearsALoneEventAtOnceAndJoinedWhatFollowsClosely(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		sockets := crowdOf(t, h, hub.Tape)
		publish(h, "rain", 4, 4)
		each(t, sockets, 1, "event rain 4")
		publish(h, "rain", 5, 7)
		each(t, sockets, 0)
		time.Sleep(5 * time.Millisecond)
		each(t, sockets, 1, run("rain", 5, 7)...)
		time.Sleep(5 * time.Millisecond)
		publish(h, "rain", 8, 8)
		each(t, sockets, 1, "event rain 8")
	})
}

func TestABurstDoesNotOvertakeACrowd(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{RingSize: 400}, func(t *testing.T, h *hub.Hub, _ *table) {
		sockets := crowdOf(t, h, hub.Tape)
		for seq := int64(4); seq < 4000; seq += 50 { // no time passes
			publish(h, "rain", seq, seq+49)
			synctest.Wait()
		}
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		for _, s := range sockets {
			if got := s.got(t); len(got) != 4000 || s.closeCode() != 0 {
				t.Fatalf("%d events, closed with %d", len(got), s.closeCode())
			}
		}
	})
}

func TestACrowdIsToldTheNewestQuoteOfEachTurn(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		sockets := crowdOf(t, h, hub.Quote)
		publish(h, "rain", 4, 4)
		each(t, sockets, 1, "quote rain 4")
		publish(h, "rain", 5, 500)
		each(t, sockets, 0)
		time.Sleep(20 * time.Millisecond)
		each(t, sockets, 1, "quote rain 500")
		time.Sleep(time.Second)
		each(t, sockets, 0)
	})
}

func TestACrowdIsServedAfterRunHasEnded(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		sockets := crowdOf(t, h, hub.Tape)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Run(ctx); err != nil {
			t.Fatal(err)
		}
		publish(h, "rain", 4, 5)
		time.Sleep(5 * time.Millisecond)
		each(t, sockets, 2, run("rain", 4, 5)...)
	})
}

// costly is a socket whose frames each take the hub a millisecond to write.
type costly struct {
	client *hub.Client

	mu     sync.Mutex
	frames int
	last   time.Time
}

func (c *costly) attach(client *hub.Client) hub.Conn { c.client = client; return c }
func (c *costly) Close(int, string)                  {}
func (c *costly) Write(hub.Messages) error {
	time.Sleep(time.Millisecond)
	c.mu.Lock()
	c.frames++
	c.last = time.Now()
	c.mu.Unlock()
	c.client.Sent()
	return nil
}

// Quotes are for people to look at: they have their rests, and wait for the tape.
func TestQuotesLeaveRoomForTheTape(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3, "snow": 3}, hub.Options{}, func(t *testing.T, h *hub.Hub, _ *table) {
		const watchers = 500 // so many that there is work for all workers
		quotes := make([]*costly, watchers)
		for i := range quotes {
			quotes[i] = &costly{}
			h.Connect(fairqueue.Client{}, quotes[i].attach)
			quotes[i].client.Subscribe("rain", cursor("a", "rain", 3), hub.Quote)
		}
		var sockets []*socket
		for range crowd {
			s := connect(h)
			s.client.Subscribe("snow", cursor("a", "snow", 3), hub.Tape)
			s.expect(t, "subscribed snow 3")
			sockets = append(sockets, s)
		}
		began := time.Now()
		publish(h, "rain", 4, 4)
		synctest.Wait()
		publish(h, "snow", 4, 4)
		time.Sleep(40 * time.Millisecond) // one handful's time, in which every worker has looked
		each(t, sockets, 1, "event snow 4")

		for seq := int64(5); time.Since(began) < 10*time.Second; seq++ {
			publish(h, "rain", seq, seq)
			time.Sleep(time.Millisecond)
		}
		turns := 0
		for _, q := range quotes {
			q.mu.Lock()
			turns = max(turns, q.frames)
			if age := time.Since(q.last); age > 1200*time.Millisecond {
				t.Errorf("the newest quote is %v old", age)
			}
			q.mu.Unlock()
		}
		t.Logf("%d turns in 10 s", turns)
	})
}
