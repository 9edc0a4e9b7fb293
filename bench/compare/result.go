package compare

import (
	"math"
	"slices"
)

// Result is what a comparison measured: each round's figures, by name.
type Result struct {
	Machine  string               `json:"machine"`
	Versions []string             `json:"versions"`
	Date     string               `json:"date"` // UTC
	Rounds   int                  `json:"rounds"`
	Seconds  float64              `json:"seconds"` // of each measurement
	Figures  []map[string]float64 `json:"figures"` // by round
	Notes    []string             `json:"notes"`   // what was left out, or found wrong
}

// spread is what several rounds gave; not known when none of them has the figure.
type spread struct {
	median, low, high float64
	known             bool
}

// of computes something in every round that has what it is made of.
func (r Result) of(compute func(round) float64) spread {
	var values []float64
	for _, figures := range r.Figures {
		if v := compute(figures); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	return spread{(values[(len(values)-1)/2] + values[len(values)/2]) / 2, values[0], values[len(values)-1], true}
}

// round is the figures of one round.
type round map[string]float64

// get is a figure, or NaN, which whatever is computed from it then is.
func (r round) get(name string) float64 {
	if v, ok := r[name]; ok {
		return v
	}
	return math.NaN()
}

// ratio is computed within a round, so that what the machine did meanwhile falls on both.
func ratio(over, under string) func(round) float64 {
	return func(r round) float64 { return r.get(over) / r.get(under) }
}

func figure(name string) func(round) float64 {
	return func(r round) float64 { return r.get(name) }
}

// scaled is a figure in another unit.
func scaled(name string, by float64) func(round) float64 {
	return func(r round) float64 { return r.get(name) * by }
}

// target is what a figure or a ratio is to reach.
type target struct {
	what    string
	compute func(round) float64
	least   bool    // bound is the least; else the most
	bound   float64 // in the same unit
	unit    string
}

var targets = []target{
	{"one hot market through HTTP, 64 connections : direct calls on 32", ratio("hot", "direct"), true, 10, "×"},
	{"the same, 256 connections", ratio("hot256", "direct"), true, 10, "×"},
	{"the batch function, one Go connection, 64 orders a call : direct calls on 32", ratio("batch", "direct"), true, 12, "×"},
	{"the same, time of an order, 64 a call", figure("batch.order"), false, 30, "µs"},
	{"100 markets through HTTP : direct calls on 32 connections", ratio("wide", "directwide"), true, 1.5, "×"},
	{"tape reader on : off, batch function", ratio("batchread", "batch"), true, 0.85, "×"},
	{"100 watchers : one, hot market through HTTP", ratio("watched", "hot"), true, 0.85, "×"},
	{"the same at half the rate: done of what was asked", figure("half.share"), true, 0.95, "×"},
	{"lone trade, request → another's socket, p50 : a commit's p50", ratio("lone.request.p50", "commit.p50"), false, 3, "×"},
	{"the same, p99 : a commit's p50", ratio("lone.request.p99", "commit.p50"), false, 10, "×"},
	{"1,000 watchers × 100 trades/s, commit → socket, p50", figure("crowd.socket.p50"), false, 10, "ms"},
	{"the same, p99", figure("crowd.socket.p99"), false, 40, "ms"},
	{"pg_eventserv's p50 : ours", ratio("eventserv.p50", "crowd.socket.p50"), true, 20, "×"},
	{"1,000 watchers × 500 trades/s, p99", figure("crowd500.socket.p99"), false, 60, "ms"},
	{"our fan-out to 1,000 : melody's own broadcast, events/s", ratio("fanout.hub", "fanout.melody"), true, 3, "×"},
	{"10,000 `quote` watchers at 1,000 trades/s: how far behind, p99", figure("quote.socket.p99"), false, 500, "ms"},
	{"memory of an idle connection, of 10,000", scaled("quote.rss", 1e-3), false, 16, "kB"},
	{"`GET` of a market alone", figure("reads"), true, 20_000, "/s"},
	{"`GET` of a market under the hot load, p99", figure("readshot.p99"), false, 10, "ms"},
}

// reading is a figure that the table has for itself.
type reading struct {
	what    string
	compute func(round) float64
	unit    string
}

var readings = []reading{
	{"hot market, HTTP, 64 connections", figure("hot"), "trades/s"},
	{"… its HTTP answers, p50", figure("hot.http.p50"), "ms"},
	{"… its HTTP answers, p99", figure("hot.http.p99"), "ms"},
	{"… CPU of the server, a trade", figure("hot.server"), "µs"},
	{"… CPU of Postgres, a trade", figure("hot.postgres"), "µs"},
	{"… the load generator's share of the machine", scaled("hot.bench", 100), "%"},
	{"hot market, HTTP, 256 connections", figure("hot256"), "trades/s"},
	{"… its HTTP answers, p99", figure("hot256.http.p99"), "ms"},
	{"hot market, HTTP, 64 connections, 100 watchers", figure("watched"), "trades/s"},
	{"… events delivered", figure("watched.delivered"), "/s"},
	{"the batch function, 64 orders a call", figure("batch"), "trades/s"},
	{"… CPU of Postgres, an order", figure("batch.postgres"), "µs"},
	{"… while a server reads the tape", figure("batchread"), "trades/s"},
	{"the batch function, 32 orders a call", figure("batch32"), "trades/s"},
	{"direct calls of `pgtape.trade`, 32 connections, one market", figure("direct"), "trades/s"},
	{"… p99 of a call", figure("direct.p99"), "ms"},
	{"client-side SERIALIZABLE, 32 connections, one market", figure("serializable"), "trades/s"},
	{"… retries for each trade", figure("serializable.retries"), ""},
	{"… p99 of a trade", figure("serializable.p99"), "ms"},
	{"client-side SERIALIZABLE, 4 connections, one market", figure("serializable4"), "trades/s"},
	{"one row updated, one inserted: 32 connections, a row each", figure("commit32"), "commits/s"},
	{"… one connection", figure("commit"), "commits/s"},
	{"… one connection, p50", figure("commit.p50"), "ms"},
	{"100 markets, HTTP, 64 connections", figure("wide"), "trades/s"},
	{"… p99 of its HTTP answers", figure("wide.http.p99"), "ms"},
	{"direct calls, 32 connections, 100 markets", figure("directwide"), "trades/s"},
	{"lone trade, HTTP answer, p50", figure("lone.http.p50"), "ms"},
	{"lone trade, request → another's socket, p50", figure("lone.request.p50"), "ms"},
	{"lone trade, request → another's socket, p99", figure("lone.request.p99"), "ms"},
	{"1,000 watchers × 100/s: CPU of the server, a delivered event", figure("crowd.each"), "µs"},
	{"… the load generator's share of the machine", scaled("crowd.bench", 100), "%"},
	{"1,000 watchers × 500/s: events delivered", figure("crowd500.delivered"), "/s"},
	{"… p50", figure("crowd500.socket.p50"), "ms"},
	{"… CPU of the server, a delivered event", figure("crowd500.each"), "µs"},
	{"pg_eventserv, 1,000 watchers × 100/s, p50", figure("eventserv.p50"), "ms"},
	{"pg_eventserv, 1,000 watchers × 100/s, p99", figure("eventserv.p99"), "ms"},
	{"pg_eventserv, 1,000 watchers × 500/s, p50", figure("eventserv500.p50"), "ms"},
	{"pg_eventserv, 1,000 watchers × 500/s, p99", figure("eventserv500.p99"), "ms"},
	{"… frames delivered", figure("eventserv500.delivered"), "/s"},
	{"… its p50 : ours at 500/s", ratio("eventserv500.p50", "crowd500.socket.p50"), "×"},
	{"fan-out to 1,000 sockets, in process: our hub", figure("fanout.hub"), "events/s"},
	{"fan-out to 1,000 sockets, in process: melody's broadcast", figure("fanout.melody"), "events/s"},
	{"10,000 `quote` watchers at 1,000 trades/s: trades done", figure("quote"), "trades/s"},
	{"1,000 sockets cut at once: half of them live again after", figure("storm.p50"), "ms"},
	{"… all of them", figure("storm.all"), "ms"},
	{"… snapshots they were sent", figure("storm.snapshots"), ""},
}
