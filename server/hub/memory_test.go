package hub_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgtape/pgtape/server/hub"
)

// The tests of this file measure the heap of the process, so none of them is parallel.

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestQuietMarketsAreCheap(t *testing.T) {
	const markets = 10_000
	before := heap()
	h := hub.New(newTable(nil), hub.Options{})
	for i := range markets {
		market := fmt.Sprintf("market-%d", i)
		h.Reset(market, cursor("a", market, 100), 100)
		publish(h, market, 101, 110)
	}
	each := (heap() - before) / markets
	t.Logf("%d bytes for a market that nobody follows", each)
	if each > 1000 {
		t.Error("that is too much")
	}
	runtime.KeepAlive(h)
}

func TestIdleClientsAreCheap(t *testing.T) {
	const clients = 10_000
	h := hub.New(newTable(nil), hub.Options{})
	h.Reset("rain", cursor("a", "rain", 3), 3)
	sockets := make([]*socket, 0, clients)
	before := heap()
	for range clients {
		s := connect(h)
		s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		s.written(t)
		sockets = append(sockets, s)
	}
	each := (heap() - before) / clients
	t.Logf("%d bytes for a client that waits", each)
	if each > 1500 {
		t.Error("that is too much")
	}
	runtime.KeepAlive(sockets)
}

func TestBacklogCostsNoMemory(t *testing.T) {
	h := hub.New(newTable(nil), hub.Options{})
	h.Reset("rain", cursor("a", "rain", 1), 1)
	before := heap()
	sockets := make([]*socket, 0, 200)
	for i := range 200 {
		s := connectStalled(h)
		s.client.Subscribe("rain", cursor("a", "rain", 1), hub.Mode(i%2))
		sockets = append(sockets, s)
	}
	publish(h, "rain", 2, 1000) // less than the ring: all tape clients are still there
	if grown := heap() - before; grown > 2<<20 {
		t.Errorf("200 clients a thousand events behind hold %d bytes", grown)
	}
	publish(h, "rain", 1001, 20_000)
	if grown := heap() - before; grown > 2<<20 {
		t.Errorf("after 20,000 events the hub holds %d bytes", grown)
	}
	for i, s := range sockets {
		if want := (1 - i%2) * hub.CloseTooSlow; s.closeCode() != want {
			t.Fatalf("close code %d in mode %d", s.closeCode(), i%2)
		}
	}
	runtime.KeepAlive(h)
}

func TestComingAndGoingLeavesNothingBehind(t *testing.T) {
	h := hub.New(newTable(map[string]int64{"rain": 3}), hub.Options{})
	h.Reset("rain", cursor("a", "rain", 3), 3)
	reader, stalled := connect(h), connectStalled(h)
	before := heap()
	for i := range 20_000 {
		for _, s := range []*socket{reader, stalled} {
			s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Mode(i%2))
			s.client.Unsubscribe("rain")
			s.client.Subscribe("rain", "", hub.Mode(i%2))
			s.written(t)
		}
	}
	for _, s := range []*socket{reader, stalled} {
		s.client.Unsubscribe("rain")
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("%d bytes are left of 40,000 subscriptions", grown)
	}
	runtime.KeepAlive(h)
}

func TestRingOutlivesItsLastFollowerForAWhile(t *testing.T) {
	withHub(t, map[string]int64{"rain": 3}, hub.Options{Linger: 30 * time.Second}, func(t *testing.T, h *hub.Hub, db *table) {
		go h.Run(t.Context())
		s := connect(h)
		s.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		s.client.Close()
		publish(h, "rain", 4, 9)
		db.set("rain", 9)

		time.Sleep(20 * time.Second)
		again := connect(h)
		again.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		again.expect(t, run("rain", 4, 9)...)
		again.client.Close()
		if asked := db.asked(); len(asked) > 0 {
			t.Fatalf("asked the table after 20 seconds: %v", asked)
		}

		time.Sleep(40 * time.Second)
		again = connect(h)
		again.client.Subscribe("rain", cursor("a", "rain", 3), hub.Tape)
		synctest.Wait()
		again.client.Close()
		if asked := db.asked(); len(asked) != 1 {
			t.Fatalf("asked the table after 40 seconds: %v", asked)
		}
	})
}
