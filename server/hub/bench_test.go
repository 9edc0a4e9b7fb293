package hub_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

// discard is a socket that sends at once; stall one that sends nothing.
type discard struct{ client *hub.Client }

func (d *discard) attach(c *hub.Client) hub.Conn { d.client = c; return d }
func (d *discard) Write(hub.Messages) error      { d.client.Sent(); return nil }
func (d *discard) Close(int, string)             {}

type stall struct{ client *hub.Client }

func (s *stall) attach(c *hub.Client) hub.Conn { s.client = c; return s }
func (s *stall) Write(hub.Messages) error      { return nil }
func (s *stall) Close(int, string)             {}

// BenchmarkPublish is the hub's share of a fan-out, per event: to clients who take each event,
// and to those who have a frame in flight, who must cost next to nothing.
func BenchmarkPublish(b *testing.B) {
	for _, clients := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprintf("to %d clients", clients), func(b *testing.B) {
			h := hub.New(newTable(nil), hub.Options{})
			h.Reset("rain", cursor("a", "rain", 1), 1)
			for range clients {
				var d discard
				h.Connect(fairqueue.Client{}, d.attach)
				d.client.Subscribe("rain", cursor("a", "rain", 1), hub.Tape)
			}
			publishAll(b, h, clients)
			if n := h.Stats().Events; n != int64(clients*b.N) {
				b.Fatalf("%d events delivered", n)
			}
		})
	}
	b.Run("to 10000 busy quote clients", func(b *testing.B) {
		h := hub.New(newTable(nil), hub.Options{})
		h.Reset("rain", cursor("a", "rain", 1), 1)
		for range 10_000 {
			var s stall
			h.Connect(fairqueue.Client{}, s.attach)
			s.client.Subscribe("rain", cursor("a", "rain", 1), hub.Quote)
		}
		publishAll(b, h, 0)
	})
}

// publishAll goes on when so many clients are less than a part of the ring behind.
func publishAll(b *testing.B, h *hub.Hub, clients int) {
	const behind = 200
	delivered := func(events int) {
		for h.Stats().Events < int64(clients*events) {
			if h.Stats().SlowCloses > 0 {
				b.Fatal("the ring's end has overtaken a client")
			}
			runtime.Gosched()
		}
	}
	e := event("a", "rain", 2)
	e.Frame = append(e.Frame, make([]byte, 200)...)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		e.Seq = int64(2 + i)
		h.Publish(e)
		delivered(i - behind)
	}
	delivered(b.N)
	b.StopTimer()
}

// BenchmarkHeartbeat is a change of state told to 10,000 clients.
func BenchmarkHeartbeat(b *testing.B) {
	h := hub.New(newTable(nil), hub.Options{Heartbeat: time.Hour})
	h.Reset("rain", cursor("a", "rain", 1), 1)
	for range 10_000 {
		var d discard
		h.Connect(fairqueue.Client{}, d.attach)
		d.client.Subscribe("rain", cursor("a", "rain", 1), hub.Tape)
	}
	b.ResetTimer()
	for i := range b.N {
		h.SetState(hub.State(1 + i%2))
	}
}
