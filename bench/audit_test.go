package bench

import (
	"math"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
)

func frameOf(op string, seq int64, cursor string) frame {
	return frame{op: op, market: []byte("m"), seq: seq, prev: seq - 1, cursor: []byte(cursor)}
}

// TestTheAuditFindsWhatIsWrong gives a socket what a faulty server could, and expects it to be found.
func TestTheAuditFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	tapes := map[string]tape{"m": {head: 4, cursor: "4.a", trades: map[int64]int64{2: 20, 3: 30, 4: 40}}}
	snapshot, two, three := frameOf("snapshot", 1, "1.a"), frameOf("event", 2, "2.a"), frameOf("event", 3, "3.a")
	four, again := frameOf("event", 4, "4.a"), frameOf("snapshot", 4, "4.a")
	skipping := frameOf("event", 3, "3.a")
	skipping.prev = 1
	tests := []struct {
		name   string
		frames []frame
		want   Delivery
		whole  bool // it has come to the end
	}{
		{"all of it", []frame{snapshot, two, three, four}, Delivery{Delivered: 3}, true},
		{"the last is missing", []frame{snapshot, two, three}, Delivery{Delivered: 2, Lost: 1}, false},
		{"one in between is missing", []frame{snapshot, two, four}, Delivery{Delivered: 1, Lost: 2, Gaps: 1}, false},
		{"one does not say what it follows", []frame{snapshot, two, skipping}, Delivery{Delivered: 1, Lost: 2, Gaps: 1}, false},
		{"one comes only on the second try", []frame{snapshot, two, four, three, four}, Delivery{Delivered: 3, Gaps: 1}, true},
		{"a snapshot for two", []frame{snapshot, two, again}, Delivery{Delivered: 1, Lost: 2}, true},
		{"one comes twice", []frame{snapshot, two, two, three, four}, Delivery{Delivered: 3, Duplicated: 1}, true},
		{"another history", []frame{snapshot, two, three, frameOf("event", 4, "4.b")}, Delivery{Delivered: 3, Forked: 1}, true},
		{"it goes on somewhere else", []frame{snapshot, two, frameOf("subscribed", 3, "3.a"), three, four}, Delivery{Delivered: 3, Gaps: 1}, true},
		{"it goes on where it was", []frame{snapshot, two, frameOf("subscribed", 2, "2.a"), three, four}, Delivery{Delivered: 3}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &run{Options: Options{Mode: client.Tape}}
			l := newListener(r, 0, []string{"m"})
			r.listeners = []*listener{l}
			wrong := 0
			for _, f := range tt.frames {
				if l.hear(f, time.Now()) != nil {
					wrong++
				}
			}
			got := r.delivery(tapes)
			if got != tt.want {
				t.Errorf("delivery = %+v, want %+v", got, tt.want)
			}
			if want := int(tt.want.Gaps + tt.want.Duplicated); wrong != want {
				t.Errorf("the connection was to be given up %d times, want %d", wrong, want)
			}
			wantSound := tt.want.Lost+tt.want.Duplicated+tt.want.Gaps+tt.want.Forked == 0
			if sound := (Report{Delivery: got}).Sound(); sound != wantSound {
				t.Errorf("sound: %v, want %v", sound, wantSound)
			}
			if whole := l.has(headsOf(tapes)); whole != tt.whole {
				t.Errorf("has come to the end: %v", whole)
			}
		})
	}
}

func TestTheAuditOfQuotes(t *testing.T) {
	t.Parallel()
	tapes := map[string]tape{"m": {head: 4, at: map[int64]int64{2: 1_000_000, 3: 2_000_000, 4: 3_000_000}}}
	quote := func(seq int64) frame { return frameOf("quote", seq, "") }
	tests := []struct {
		name   string
		frames []frame
		want   Delivery
		ages   Latency // in seconds here: when a quote came less when its oldest version was made
	}{
		{"each version", []frame{quote(2), quote(3), quote(4)}, Delivery{Delivered: 3}, Latency{Count: 3, Min: 8, Max: 9}},
		{"the newest only", []frame{quote(4)}, Delivery{Delivered: 1}, Latency{Count: 1, Min: 9, Max: 9}},
		{"not the newest", []frame{quote(3)}, Delivery{Delivered: 1, Lost: 1}, Latency{Count: 1, Min: 9, Max: 9}},
		{"it goes back", []frame{quote(4), quote(3)}, Delivery{Delivered: 1, Duplicated: 1}, Latency{Count: 1, Min: 9, Max: 9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &run{Options: Options{Mode: client.Latest}}
			l := newListener(r, 0, []string{"m"})
			r.listeners = []*listener{l}
			for i, f := range append([]frame{frameOf("snapshot", 1, "1.a")}, tt.frames...) {
				at := time.UnixMicro(10_000_000)
				if i > 1 {
					at = at.Add(time.Duration(i-1) * 500 * time.Millisecond)
				}
				if err := l.hear(f, at); err != nil {
					t.Fatal(err)
				}
			}
			if got := r.delivery(tapes); got != tt.want {
				t.Errorf("delivery = %+v, want %+v", got, tt.want)
			}
			got := r.quoteAges(tapes).latency()
			if got.Count != tt.ages.Count || math.Abs(got.Min/1000-tt.ages.Min) > 0.1 || math.Abs(got.Max/1000-tt.ages.Max) > 0.1 {
				t.Errorf("ages %+v, want %+v s", got, tt.ages)
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
	r := &run{Options: Options{Mode: client.Tape}}
	l := newListener(r, 0, []string{"m"})
	at := time.Unix(1000, 0)
	for _, f := range []frame{frameOf("snapshot", 5, ""), frameOf("event", 6, ""), frameOf("snapshot", 7, ""), frameOf("event", 8, "")} {
		if err := l.hear(f, at.Add(time.Duration(f.seq)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	h := l.heard["m"]
	if !h.arrival(6).Equal(at.Add(6*time.Second)) || !h.arrival(7).IsZero() || !h.arrival(8).Equal(at.Add(8*time.Second)) || !h.arrival(9).IsZero() || !h.arrival(5).IsZero() {
		t.Errorf("arrivals %v", h.arrivals)
	}
}

func TestLatenciesGoBelowZero(t *testing.T) {
	t.Parallel()
	var s Stopwatch
	for i := -10; i < 90; i++ { // milliseconds
		s.Record(i+10, time.Duration(i)*time.Millisecond)
		if i == 40 {
			if taken := s.take().latency(); taken.Count != 51 || taken.Min > -9.9 || math.Abs(taken.Max-40) > 0.1 {
				t.Errorf("taken so far: %+v", taken)
			}
		}
	}
	if taken := s.take().latency(); taken.Count != 49 || math.Abs(taken.Min-41) > 0.1 {
		t.Errorf("taken then: %+v", taken)
	}
	got := s.sum().latency()
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
