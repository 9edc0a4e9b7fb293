package bench

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is a distribution of times in milliseconds, to 3 significant digits.
type Latency struct {
	Count int64   `json:"count"`
	Min   float64 `json:"min_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
}

const longest = 5 * time.Minute // what takes longer counts as this

// latencies collects times, which may be negative: one thing may come before the other, and clocks
// may differ.
type latencies struct {
	below, above *hdrhistogram.Histogram // of −t for t < 0, of t
}

func (l *latencies) init() {
	if l.above == nil {
		l.below = hdrhistogram.New(1, longest.Microseconds(), 3)
		l.above = hdrhistogram.New(1, longest.Microseconds(), 3)
	}
}

func (l *latencies) record(t time.Duration) {
	l.init()
	// Cut to what the histograms hold: they cannot refuse it.
	t = min(max(t, -longest), longest)
	if t < 0 {
		_ = l.below.RecordValue(-t.Microseconds())
	} else {
		_ = l.above.RecordValue(t.Microseconds())
	}
}

func (l *latencies) merge(other latencies) {
	if other.count() > 0 {
		l.init()
		l.below.Merge(other.below)
		l.above.Merge(other.above)
	}
}

func (l *latencies) count() int64 {
	if l.above == nil {
		return 0
	}
	return l.below.TotalCount() + l.above.TotalCount()
}

func (l *latencies) latency() Latency {
	if l.count() == 0 {
		return Latency{}
	}
	return Latency{
		Count: l.count(),
		Min:   l.at(0), P50: l.at(0.5), P90: l.at(0.9), P99: l.at(0.99), P999: l.at(0.999), Max: l.at(1),
	}
}

// at is a quantile, in milliseconds.
func (l *latencies) at(quantile float64) float64 {
	below, above := float64(l.below.TotalCount()), float64(l.above.TotalCount())
	rank := math.Ceil(quantile * (below + above))
	if below > 0 && rank <= below { // the greatest −t come first
		return -float64(l.below.ValueAtQuantile(100*(below-max(rank, 1)+1)/below)) / 1000
	}
	if above == 0 {
		return 0
	}
	return float64(l.above.ValueAtQuantile(100*max(rank-below, 1)/above)) / 1000
}

// Stopwatch collects times of many goroutines that do not wait for one another.
type Stopwatch struct {
	parts [16]struct {
		sync.Mutex
		latencies
	}
	taken latencies // by take so far, which one goroutine calls
}

// Record notes a time; who is any number of the one who does.
func (s *Stopwatch) Record(who int, t time.Duration) {
	shard := &s.parts[who%len(s.parts)]
	shard.Lock()
	defer shard.Unlock()
	shard.latencies.record(t)
}

// take returns what was recorded since it was last called.
func (s *Stopwatch) take() *latencies {
	var news latencies
	for i := range s.parts {
		s.parts[i].Lock()
		if part := &s.parts[i].latencies; part.count() > 0 {
			news.merge(*part)
			part.below.Reset()
			part.above.Reset()
		}
		s.parts[i].Unlock()
	}
	s.taken.merge(news)
	return &news
}

// Latency is the distribution of all that was recorded. One goroutine calls it.
func (s *Stopwatch) Latency() Latency { return s.sum().latency() }

// sum is all that was recorded, taken or not.
func (s *Stopwatch) sum() *latencies {
	s.take()
	return &s.taken
}
