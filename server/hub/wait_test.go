package hub_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

// slowly is a table that takes its time to answer.
type slowly struct{ *table }

func (s slowly) Since(ctx context.Context, market, after string, limit int) ([]hub.Event, error) {
	time.Sleep(20 * time.Millisecond)
	return s.table.Since(ctx, market, after, limit)
}

// narrow is a socket that takes 50 ms for each frame, as a slow line does.
type narrow struct {
	client *hub.Client

	mu     sync.Mutex
	frames [][]byte
	closed int
}

func (n *narrow) attach(c *hub.Client) hub.Conn { n.client = c; return n }

func (n *narrow) Write(frame hub.Messages) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frames = append(n.frames, frame)
	time.AfterFunc(50*time.Millisecond, n.client.Sent)
	return nil
}

func (n *narrow) Close(code int, _ string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = code
}

// TestPublishWaitsForNobody replays 10,000 events to clients on slow lines, from a slow table,
// while trading goes on. The bubble's clock stands still as long as nothing waits: whatever
// Publish waited for would show on it.
func TestPublishWaitsForNobody(t *testing.T) {
	t.Parallel()
	const before, after = 10_001, 11_501
	withHub(t, map[string]int64{"rain": before}, hub.Options{ReplayLimit: 12_000}, func(t *testing.T, _ *hub.Hub, db *table) {
		h := hub.New(slowly{db}, hub.Options{ReplayLimit: 12_000})
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- h.Run(ctx) }()
		defer func() { cancel(); <-ran }()
		h.Reset("rain", cursor("a", "rain", before), before)

		quick := connect(h)
		quick.client.Subscribe("rain", cursor("a", "rain", before), hub.Tape)
		slow := make([]*narrow, 10)
		for i := range slow {
			slow[i] = &narrow{}
			h.Connect(fairqueue.Client{}, slow[i].attach)
			slow[i].client.Subscribe("rain", cursor("a", "rain", 1), hub.Tape)
		}
		time.Sleep(time.Millisecond) // so that no heartbeat falls on an event
		replayed := false
		for seq := int64(before + 1); seq <= after; seq++ {
			time.Sleep(5 * time.Millisecond)
			db.set("rain", seq)
			quick.got(t)
			start := time.Now()
			h.Publish(event("a", "rain", seq))
			if waited := time.Since(start); waited != 0 {
				t.Fatalf("event %d: Publish waited %v", seq, waited)
			}
			if got := quick.got(t); len(got) != 1 || got[0].Seq != seq {
				t.Fatalf("event %d: when Publish returns, a client without a frame in flight was written %v", seq, got)
			}
			replayed = replayed || h.Stats().Joins > 0
		}
		if !replayed {
			t.Error("no replay was under way")
		}
		time.Sleep(5 * time.Second)
		for i, n := range slow {
			n.mu.Lock()
			last := int64(1)
			for _, frame := range n.frames {
				for _, m := range parse(t, frame) {
					if m.Op == "event" && m.Prev != last {
						t.Fatalf("client %d: %v follows %d", i, m, last)
					}
					if m.Op == "event" {
						last = m.Seq
					}
				}
			}
			if last != after || n.closed != 0 {
				t.Errorf("client %d has %d of %d events, close code %d", i, last, after, n.closed)
			}
			n.mu.Unlock()
		}
		t.Logf("%+v", h.Stats())
	})
}
