package bench

import (
	"math"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
)

func frame(op string, seq int64, cursor string) client.Frame {
	return client.Frame{Op: op, Event: client.Event{Market: "m", Seq: seq, Prev: seq - 1, Cursor: cursor}}
}

// TestTheAuditFindsWhatIsWrong gives a socket what a faulty server could, and expects it to be found.
func TestTheAuditFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	tapes := map[string]tape{"m": {head: 4, cursor: "4.a", trades: map[int64]int64{2: 20, 3: 30, 4: 40}}}
	snapshot, two, three := frame("snapshot", 1, "1.a"), frame("event", 2, "2.a"), frame("event", 3, "3.a")
	four, again := frame("event", 4, "4.a"), frame("snapshot", 4, "4.a")
	reconnect := func(code string) client.Frame { return client.Frame{Op: "reconnecting", Code: code} }
	tests := []struct {
		name   string
		frames []client.Frame
		want   Delivery
	}{
		{"all of it", []client.Frame{snapshot, two, three, four}, Delivery{Delivered: 3}},
		{"all of it in two parts", []client.Frame{snapshot, two, reconnect("connection"), three, four}, Delivery{Delivered: 3, Reconnects: 1}},
		{"the last is missing", []client.Frame{snapshot, two, three}, Delivery{Delivered: 2, Lost: 1}},
		{"one in between is missing", []client.Frame{snapshot, two, four}, Delivery{Delivered: 2, Lost: 1}},
		{"a snapshot for two", []client.Frame{snapshot, two, again}, Delivery{Delivered: 1, Lost: 2}},
		{"one comes twice", []client.Frame{snapshot, two, two, three, four}, Delivery{Delivered: 4, Duplicated: 1}},
		{"one comes twice on the wire", []client.Frame{snapshot, two, reconnect("duplicate"), three, four}, Delivery{Delivered: 3, Duplicated: 1, Reconnects: 1}},
		{"one comes only on the second try", []client.Frame{snapshot, two, reconnect("gap"), three, four}, Delivery{Delivered: 3, Gaps: 1, Reconnects: 1}},
		{"another history", []client.Frame{snapshot, two, three, frame("event", 4, "4.b")}, Delivery{Delivered: 3, Forked: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &run{}
			l := newListener(r, 0, []string{"m"})
			r.listeners = []*listener{l}
			for _, f := range tt.frames {
				l.hear(f)
			}
			got := r.delivery(tapes)
			if got != tt.want {
				t.Errorf("delivery = %+v, want %+v", got, tt.want)
			}
			wantSound := tt.want.Lost+tt.want.Duplicated+tt.want.Gaps+tt.want.Forked == 0
			if sound := (Report{Delivery: got}).Sound(); sound != wantSound {
				t.Errorf("sound: %v, want %v", sound, wantSound)
			}
			if whole := l.has(tapes); whole == (tt.name == "the last is missing") {
				t.Errorf("has come to the end: %v", whole)
			}
		})
	}
}

func TestReceiptsAreLookedUpOnTheTape(t *testing.T) {
	t.Parallel()
	tapes := map[string]tape{"m": {head: 3, trades: map[int64]int64{2: 20, 3: 30}}}
	r := &run{traders: []*trader{{receipts: []receipt{{market: "m", seq: 2, id: 20}, {market: "m", seq: 3, id: 31}, {market: "m", seq: 4, id: 40}}}}}
	if n := r.unrecorded(tapes); n != 2 {
		t.Errorf("%d receipts are not on the tape, want the 2 of another trade and of none", n)
	}
}

func TestArrivalsAreThoseOfTheirEvents(t *testing.T) {
	t.Parallel()
	r := &run{}
	l := newListener(r, 0, []string{"m"})
	at := time.Unix(1000, 0)
	for _, f := range []client.Frame{frame("snapshot", 5, ""), frame("event", 6, ""), frame("event", 8, "")} {
		f.Received = at.Add(time.Duration(f.Seq) * time.Second)
		l.hear(f)
	}
	h := l.heard["m"]
	if !h.arrival(6).Equal(at.Add(6*time.Second)) || !h.arrival(7).IsZero() || !h.arrival(8).Equal(at.Add(8*time.Second)) || !h.arrival(9).IsZero() || !h.arrival(5).IsZero() {
		t.Errorf("arrivals %v", h.arrivals)
	}
}

func TestLatenciesGoBelowZero(t *testing.T) {
	t.Parallel()
	var s shards
	for i := -10; i < 90; i++ { // milliseconds
		s.record(i+10, time.Duration(i)*time.Millisecond)
	}
	got := s.merged().latency()
	want := Latency{Count: 100, Min: -10, P50: 39, P90: 79, P99: 88, P999: 89, Max: 89}
	for _, pair := range [][2]float64{
		{got.Min, want.Min}, {got.P50, want.P50}, {got.P90, want.P90}, {got.P99, want.P99}, {got.P999, want.P999}, {got.Max, want.Max},
	} {
		if math.Abs(pair[0]-pair[1]) > 0.1 || got.Count != want.Count {
			t.Fatalf("latency = %+v, want %+v", got, want)
		}
	}
	var negative latencies
	negative.record(-3 * time.Millisecond)
	negative.record(-1 * time.Millisecond)
	if l := negative.latency(); l.Min > -2.9 || l.Max < -1.1 || l.P50 > -2.9 {
		t.Errorf("latency of −3 and −1 ms = %+v", l)
	}
	if none := new(latencies).latency(); none != (Latency{}) {
		t.Errorf("latency of nothing = %+v", none)
	}
}
