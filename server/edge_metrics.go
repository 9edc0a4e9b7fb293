package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgtape/pgtape/server/edge"
)

// edgeGauges reads how an edge's link is doing when somebody asks.
type edgeGauges struct{ origin *edge.Origin }

// Describe has nothing to say in advance: each metric comes with its description.
func (g edgeGauges) Describe(chan<- *prometheus.Desc) {}

func (g edgeGauges) Collect(ch chan<- prometheus.Metric) {
	to := sender{ch, "pgtape_edge_"}
	s := g.origin.Status()
	to.state("origin_state", "1 for what the tape of the origin is here.", s.State)
	to.gauge("origin_silence_seconds", "Since the origin's socket brought something; a heartbeat is due each second.", s.Silence.Seconds())
	to.gauge("origin_round_trip_seconds", "What the last request took that kept the link warm.", s.RoundTrip.Seconds())
	to.gauge("markets_followed", "Markets whose events the origin sends, all on one socket.", float64(s.Markets))
	to.counter("origin_events_total", "Events that the origin sent.", s.Events)
	to.counter("origin_resets_total", "Markets whose history was found to be another, or too far ahead.", s.Resets)
	to.counter("origin_connects_total", "Times the socket to the origin was opened.", s.Connects)
	to.counter("forwarded_total", "Requests forwarded.", s.Forwarded)
	to.counter("unanswered_total", "Requests, of others and of the edge itself, that the origin did not answer.", s.Failed)
	to.counter("forwarded_bytes_total", "Bytes of the bodies of requests forwarded.", s.Sent)
	to.counter("answered_bytes_total", "Bytes of the bodies of their answers.", s.Received)
}
