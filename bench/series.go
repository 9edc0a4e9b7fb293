package bench

import (
	"fmt"
	"time"
)

// Point is what happened in one interval of a run.
type Point struct {
	Seconds   float64 `json:"seconds"` // since trading began, at the interval's end
	Trades    float64 `json:"trades_per_second"`
	Delivered float64 `json:"delivered_per_second"`
	HTTP50    float64 `json:"http_p50_ms"`
	HTTP99    float64 `json:"http_p99_ms"`
	Socket50  float64 `json:"socket_p50_ms"`
	Socket99  float64 `json:"socket_p99_ms"`
}

// interval is that of the points: enough of them for a chart, and not so many that taking them
// shows in what they tell.
func interval(d time.Duration) time.Duration {
	return min(max(d/100, 100*time.Millisecond), 5*time.Second)
}

// watch takes the points, and writes a line each second.
func (r *run) watch(ended <-chan struct{}) {
	tick := time.NewTicker(interval(r.Duration))
	defer tick.Stop()
	var before, delivered int64
	var second, socket latencies
	written, traded := r.start, int64(0)
	for last := r.start; ; {
		select {
		case <-ended:
			return
		case now := <-tick.C:
			accepted, rejected, failed := r.counts.soFar()
			arrived := r.delivered.Load()
			http, sockets := r.http.take(), r.toSocket.take()
			h, s, passed := http.latency(), sockets.latency(), now.Sub(last).Seconds()
			r.series = append(r.series, Point{
				Seconds: now.Sub(r.start).Seconds(),
				Trades:  float64(accepted-before) / passed, Delivered: float64(arrived-delivered) / passed,
				HTTP50: h.P50, HTTP99: h.P99, Socket50: s.P50, Socket99: s.P99,
			})
			before, delivered, last = accepted, arrived, now
			second.merge(*http)
			socket.merge(*sockets)
			if now.Sub(written) < 990*time.Millisecond {
				continue
			}
			h, s = second.latency(), socket.latency()
			fmt.Fprintf(r.Progress, "%4.0f s  %7.0f trades/s  %d rejected  %d failed  HTTP p99 %.1f ms  commit→socket p50 %.1f ms  p99 %.1f ms\n",
				now.Sub(r.start).Seconds(), float64(accepted-traded)/now.Sub(written).Seconds(), rejected, failed, h.P99, s.P50, s.P99)
			written, traded = now, accepted
			second, socket = latencies{}, latencies{}
		}
	}
}
