package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/cache"
)

// metrics counts requests; the rest is read from hub and reader when somebody asks.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	limited  *prometheus.CounterVec
	registry *prometheus.Registry
	get      echo.HandlerFunc
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pgtape_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pgtape_http_request_seconds", Help: "Time to the answer; sockets and streams are left out.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pgtape_limited_total", Help: "Requests, and messages on sockets, turned away because a client had asked for too much.",
		}, []string{"kind"}),
	}
	m.registry = prometheus.NewRegistry()
	m.registry.MustRegister(m.requests, m.seconds, m.limited, gauges{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.get = echo.WrapHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return m
}

// count notes an answered request. Labels come from the route table, not from the request, so that
// nobody can make more of them.
func (m *metrics) count(c echo.Context, took time.Duration) {
	method, route, status := c.Request().Method, c.Path(), c.Response().Status
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete:
	default:
		method = "other"
	}
	if route == "" {
		route = "unknown"
	}
	lasting := route == "/ws" || route == "/api/v1/markets/:slug/stream"
	if route == "/ws" && !c.Response().Committed {
		status = http.StatusSwitchingProtocols
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	if !lasting {
		m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
	}
}

func (m *metrics) turnedAway(k kind) { m.limited.WithLabelValues(string(k)).Inc() }

// gauges reads what hub and reader count themselves.
type gauges struct{ server *Server }

// Describe has nothing to say in advance: each metric comes with its description.
func (g gauges) Describe(chan<- *prometheus.Desc) {}

func (g gauges) Collect(ch chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, name, help string, value float64, label ...string) {
		var names, values []string
		if len(label) == 2 {
			names, values = label[:1], label[1:]
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("pgtape_"+name, help, names, nil), kind, value, values...)
	}
	gauge := func(name, help string, value float64, label ...string) {
		send(prometheus.GaugeValue, name, help, value, label...)
	}
	counter := func(name, help string, value int64) {
		send(prometheus.CounterValue, name, help, float64(value))
	}

	if g.server.db != nil {
		g.database(send)
	}
	hub := g.server.hub.Stats()
	const doors = "Open sockets and streams."
	gauge("connections", doors, float64(g.server.sockets.count()), "door", "socket")
	gauge("connections", doors, float64(g.server.streams.Load()), "door", "stream")
	gauge("subscriptions", "Markets followed, over all connections.", float64(hub.Subscriptions))
	gauge("joins", "Subscriptions that are being brought up to date from the table.", float64(hub.Joins))
	counter("frames_written_total", "Frames written to connections.", hub.Frames)
	counter("events_delivered_total", "Events in those frames.", hub.Events)
	counter("snapshots_total", "Snapshots read for subscribers.", hub.Snapshots)
	counter("slow_closes_total", "Connections closed because they read too slowly.", hub.SlowCloses)
	counter("tape_gaps_total", "Holes in what the reader delivered; should be 0.", hub.Gaps)

	if g.server.reader == nil { // of an edge, which has metrics of its own
		return
	}
	reader := g.server.reader.Status()
	for _, state := range []tape.State{tape.Live, tape.CatchingUp, tape.Lost} {
		is := 0.0
		if state == reader.State {
			is = 1
		}
		gauge("reader_state", "1 for the state that the tape reader is in.", is, "state", string(state))
	}
	gauge("reader_mode", "1 for the mode that the tape reader works in.", 1, "mode", string(reader.Mode))
	gauge("reader_lag_seconds", "How late events are: how long the last sign of life took from its commit through the stream, or how long the one under way has taken.", reader.Lag.Seconds())
	gauge("reader_wal_retained_bytes", "WAL that Postgres keeps for the tape reader's slot.", float64(reader.Retained))
	counter("reader_slot_drops_total", "Times the tape reader gave its stream up so that Postgres need not keep more for it, and read the table.", reader.SlotDrops)
	counter("reader_events_total", "Events that the tape reader delivered.", reader.Delivered)
	counter("reader_reconciled_total", "Events that the stream skipped and reconciliation found; should be 0.", reader.Reconciled)
	counter("reader_resets_total", "Markets whose history was found to be another, or unknown.", reader.Resets)
	counter("reader_connects_total", "Times the tape reader opened its source.", reader.Connects)
}

// database reads what the cache of queries and the pool of connections count.
func (g gauges) database(send func(kind prometheus.ValueType, name, help string, value float64, label ...string)) {
	gauge := func(name, help string, value float64, label ...string) {
		send(prometheus.GaugeValue, name, help, value, label...)
	}
	counter := func(name, help string, value int64) {
		send(prometheus.CounterValue, name, help, float64(value))
	}
	reads := g.server.reads.Stats()
	for how, answers := range map[cache.How]int64{cache.Hit: reads.Hits, cache.Miss: reads.Misses, cache.Bypass: reads.Bypass} {
		send(prometheus.CounterValue, "cache_answers_total", "Answers to queries that may be cached, by how they were come by.", float64(answers), "how", string(how))
	}
	gauge("cache_entries", "Answers that are kept.", float64(reads.Entries))
	gauge("cache_bytes", "Memory that they take, about.", float64(reads.Bytes))
	counter("cache_invalidated_total", "Kept answers that an event or a write took back.", reads.Invalidated)
	counter("cache_evicted_total", "Kept answers that made room for others.", reads.Evicted)
	for _, b := range g.server.db.Budgets() {
		gauge("db_connections_most", "Connections that a kind of work may have at a time.", float64(b.Most), "kind", b.Kind)
		gauge("db_connections_in_use", "Connections that are at work.", float64(b.InUse), "kind", b.Kind)
		gauge("db_waiting", "Statements that wait for a connection.", float64(b.Waiting), "kind", b.Kind)
		send(prometheus.CounterValue, "db_admitted_total", "Statements that got a connection.", float64(b.Admitted), "kind", b.Kind)
		send(prometheus.CounterValue, "db_refused_full_total", "Statements turned away because too many waited.", float64(b.Full), "kind", b.Kind)
		send(prometheus.CounterValue, "db_refused_late_total", "Statements turned away because they had waited too long.", float64(b.Late), "kind", b.Kind)
	}
}
