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
	handler  http.Handler
}

// MetricsHandler answers with the metrics, on whatever path.
func (s *Server) MetricsHandler() http.Handler { return s.metrics.handler }

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
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	m.get = echo.WrapHandler(m.handler)
	if s.own {
		m.get = func(echo.Context) error { return echo.ErrNotFound }
	}
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

// sender gives metrics to who has asked for them, by names with a prefix. A label is its name and its
// value.
type sender struct {
	ch     chan<- prometheus.Metric
	prefix string
}

func (s sender) send(kind prometheus.ValueType, name, help string, value float64, label []string) {
	var names, values []string
	if len(label) == 2 {
		names, values = label[:1], label[1:]
	}
	s.ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(s.prefix+name, help, names, nil), kind, value, values...)
}

func (s sender) gauge(name, help string, value float64, label ...string) {
	s.send(prometheus.GaugeValue, name, help, value, label)
}

func (s sender) counter(name, help string, value int64, label ...string) {
	s.send(prometheus.CounterValue, name, help, float64(value), label)
}

// state sends 1 for the state that a tape is in, 0 for the others.
func (s sender) state(name, help string, now tape.State) {
	for _, state := range []tape.State{tape.Live, tape.CatchingUp, tape.Lost} {
		is := 0.0
		if state == now {
			is = 1
		}
		s.gauge(name, help, is, "state", string(state))
	}
}

// gauges reads what hub and reader count themselves.
type gauges struct{ server *Server }

// Describe has nothing to say in advance: each metric comes with its description.
func (g gauges) Describe(chan<- *prometheus.Desc) {}

func (g gauges) Collect(ch chan<- prometheus.Metric) {
	to := sender{ch, "pgtape_"}
	if g.server.db != nil {
		g.database(to)
	}
	hub := g.server.hub.Stats()
	const doors = "Open sockets and streams."
	to.gauge("connections", doors, float64(g.server.sockets.count()), "door", "socket")
	to.gauge("connections", doors, float64(g.server.streams.Load()), "door", "stream")
	to.gauge("subscriptions", "Markets followed, over all connections.", float64(hub.Subscriptions))
	to.gauge("joins", "Subscriptions that are being brought up to date from the table.", float64(hub.Joins))
	to.counter("frames_written_total", "Writes to connections; each carries one frame or, under load, several.", hub.Frames)
	to.counter("events_delivered_total", "Events in those frames.", hub.Events)
	to.counter("events_mended_total", "Times that an event was shown with bytes replaced that are not UTF-8; should be 0.", g.server.texts.mended.Load())
	to.counter("snapshots_total", "Snapshots read for subscribers.", hub.Snapshots)
	to.counter("slow_closes_total", "Connections closed because they read too slowly.", hub.SlowCloses)
	to.counter("tape_gaps_total", "Holes in what the reader delivered; should be 0.", hub.Gaps)

	if g.server.reader == nil { // of an edge, which has metrics of its own
		return
	}
	reader := g.server.reader.Status()
	to.state("reader_state", "1 for the state that the tape reader is in.", reader.State)
	to.gauge("reader_mode", "1 for the mode that the tape reader works in.", 1, "mode", string(reader.Mode))
	to.gauge("reader_lag_seconds", "How late events are: how long the last sign of life took from its commit through the stream, or how long the one under way has taken.", reader.Lag.Seconds())
	to.gauge("reader_wal_retained_bytes", "WAL that Postgres keeps for the tape reader's slot.", float64(reader.Retained))
	to.counter("reader_slot_drops_total", "Times the tape reader gave its stream up so that Postgres need not keep more for it, and read the table.", reader.SlotDrops)
	to.counter("reader_events_total", "Events that the tape reader delivered.", reader.Delivered)
	to.counter("reader_reconciled_total", "Events that the stream skipped and reconciliation found; should be 0.", reader.Reconciled)
	to.counter("reader_resets_total", "Markets whose history was found to be another, or unknown.", reader.Resets)
	to.counter("reader_connects_total", "Times the tape reader opened its source.", reader.Connects)
}

// database reads what the cache of queries and the pool of connections count.
func (g gauges) database(to sender) {
	reads := g.server.reads.Stats()
	for how, answers := range map[cache.How]int64{cache.Hit: reads.Hits, cache.Miss: reads.Misses, cache.Bypass: reads.Bypass} {
		to.counter("cache_answers_total", "Answers to queries that may be cached, by how they were come by.", answers, "how", string(how))
	}
	to.gauge("cache_entries", "Answers that are kept.", float64(reads.Entries))
	to.gauge("cache_bytes", "Memory that they take, about.", float64(reads.Bytes))
	to.counter("cache_invalidated_total", "Kept answers that an event or a write took back.", reads.Invalidated)
	to.counter("cache_evicted_total", "Kept answers that made room for others.", reads.Evicted)
	refused, repeated := g.server.db.Failures()
	for reason, times := range refused {
		to.counter("db_unavailable_total", "Statements that the database could not carry out, by reason.", times, "reason", reason)
	}
	to.counter("db_repeated_total", "Statements sent again, since they had done nothing (deadlocks, conflicts).", repeated)
	for _, b := range g.server.db.Budgets() {
		to.gauge("db_connections_most", "Connections that a kind of work may have at a time.", float64(b.Most), "kind", b.Kind)
		to.gauge("db_connections_in_use", "Connections that are at work.", float64(b.InUse), "kind", b.Kind)
		to.gauge("db_waiting", "Statements that wait for a connection.", float64(b.Waiting), "kind", b.Kind)
		to.counter("db_admitted_total", "Statements that got a connection.", b.Admitted, "kind", b.Kind)
		to.counter("db_refused_full_total", "Statements turned away because too many waited.", b.Full, "kind", b.Kind)
		to.counter("db_refused_late_total", "Statements turned away because they had waited too long.", b.Late, "kind", b.Kind)
	}
}
