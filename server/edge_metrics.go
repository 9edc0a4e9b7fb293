package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/edge"
)

// edgeGauges reads how an edge's link is doing when somebody asks.
type edgeGauges struct{ origin *edge.Origin }

// Describe has nothing to say in advance: each metric comes with its description.
func (g edgeGauges) Describe(chan<- *prometheus.Desc) {}

func (g edgeGauges) Collect(ch chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, name, help string, value float64, labels ...string) {
		var names []string
		if len(labels) > 0 {
			names = []string{"state"}
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("pgtape_edge_"+name, help, names, nil), kind, value, labels...)
	}
	counter := func(name, help string, value int64) { send(prometheus.CounterValue, name, help, float64(value)) }

	s := g.origin.Status()
	for _, state := range []tape.State{tape.Live, tape.CatchingUp, tape.Lost} {
		is := 0.0
		if state == s.State {
			is = 1
		}
		send(prometheus.GaugeValue, "origin_state", "1 for what the tape of the origin is here.", is, string(state))
	}
	send(prometheus.GaugeValue, "origin_silence_seconds", "Since the origin's socket brought something; a heartbeat is due each second.", s.Silence.Seconds())
	send(prometheus.GaugeValue, "origin_round_trip_seconds", "What the last request took that kept the link warm.", s.RoundTrip.Seconds())
	send(prometheus.GaugeValue, "markets_followed", "Markets whose events the origin sends, all on one socket.", float64(s.Markets))
	counter("origin_events_total", "Events that the origin sent.", s.Events)
	counter("origin_resets_total", "Markets whose history was found to be another, or too far ahead.", s.Resets)
	counter("origin_connects_total", "Times the socket to the origin was opened.", s.Connects)
	counter("forwarded_total", "Requests forwarded.", s.Forwarded)
	counter("unanswered_total", "Requests, of others and of the edge itself, that the origin did not answer.", s.Failed)
	counter("forwarded_bytes_total", "Bytes of the bodies of requests forwarded.", s.Sent)
	counter("answered_bytes_total", "Bytes of the bodies of their answers.", s.Received)
}
