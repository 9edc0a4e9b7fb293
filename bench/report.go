package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a run found.
type Report struct {
	URL         string  `json:"url"`
	Clients     int     `json:"clients"`
	Markets     int     `json:"markets"`
	Sockets     int     `json:"sockets"`
	Stalled     int     `json:"stalled"`         // of the sockets: they read nothing, and nothing below is theirs
	OneEach     bool    `json:"one_market_each"` // a socket listened to one market; else to all
	Rate        float64 `json:"rate"`            // orders per second asked for; 0: as fast as answered
	SlippageBps int     `json:"slippage_bps"`
	Seconds     float64 `json:"seconds"` // of trading

	Accepted        int64            `json:"accepted"` // trades
	AcceptedPerSec  float64          `json:"accepted_per_second"`
	Rejected        map[string]int64 `json:"rejected"`   // orders, by code
	Failed          int64            `json:"failed"`     // orders of which it is not known what became of them
	Unrecorded      int64            `json:"unrecorded"` // receipts whose trade is not on the tape where they say
	Broken          int64            `json:"broken"`     // events on the tape that do not follow the one before
	Delivery        Delivery         `json:"delivery"`
	DeliveredPerSec float64          `json:"delivered_per_second"`

	// HTTP is from when an order was due to its answer: with a rate, waiting for a free client
	// counts.
	HTTP Latency `json:"http"`
	// CommitToSocket is from an event's at to its arrival at a socket, for every event and socket.
	// The database reads its clock for at inside the transaction, under the market's lock, before
	// the commit: this is an upper bound of commit→socket. It needs clocks that agree: take it on
	// one machine.
	CommitToSocket Latency `json:"commit_to_socket"`
	// AnswerToSocket is from the answer that a trader gets to the arrival of the trade's event at
	// a socket, by one clock, on the first 8 sockets. Negative: the socket was first.
	AnswerToSocket Latency `json:"answer_to_socket"`
}

// Delivery counts events at sockets.
type Delivery struct {
	Delivered  int64 `json:"delivered"`
	Lost       int64 `json:"lost"`       // on the tape, but never came
	Duplicated int64 `json:"duplicated"` // came again
	Gaps       int64 `json:"gaps"`       // left out on a connection, though they came after a reconnect
	Forked     int64 `json:"forked"`     // sockets whose last event has another hash than the tape's
	Reconnects int64 `json:"reconnects"`
}

func (r *run) report(elapsed time.Duration, tapes map[string]tape) Report {
	report := Report{
		URL: r.URL, Clients: r.Clients, Markets: r.Markets, Sockets: r.Sockets, Stalled: r.Stalled, OneEach: r.OneEach, Rate: r.Rate,
		SlippageBps: r.SlippageBps, Seconds: elapsed.Seconds(),
		Accepted: r.counts.accepted, Rejected: map[string]int64{}, Failed: r.counts.failed,
		Unrecorded: r.unrecorded(tapes), Delivery: r.delivery(tapes),
		HTTP:           r.counts.http.latency(),
		CommitToSocket: r.toSocket.merged().latency(),
		AnswerToSocket: r.answerToSocket().latency(),
	}
	maps.Copy(report.Rejected, r.counts.rejected)
	for _, t := range tapes {
		report.Broken += t.broken
	}
	report.AcceptedPerSec = float64(report.Accepted) / report.Seconds
	report.DeliveredPerSec = float64(report.Delivery.Delivered) / report.Seconds
	return report
}

// Sound says that nothing was lost, doubled or left unknown. Slow is sound.
func (r Report) Sound() bool {
	d := r.Delivery
	return r.Failed == 0 && r.Unrecorded == 0 && r.Broken == 0 && d.Lost == 0 && d.Duplicated == 0 && d.Gaps == 0 && d.Forked == 0
}

// Print writes the report as a table for people.
func (r Report) Print(w io.Writer) error {
	on := "all markets each"
	if r.OneEach {
		on = "one market each"
	}
	rate := "as fast as answered"
	if r.Rate > 0 {
		rate = fmt.Sprintf("%g orders/s", r.Rate)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "load\t%d clients, %d markets, %s, %.1f s\n", r.Clients, r.Markets, rate, r.Seconds)
	if r.Stalled > 0 {
		on += fmt.Sprintf("; %d stalled, and left out below", r.Stalled)
	}
	fmt.Fprintf(t, "sockets\t%d, %s\n", r.Sockets, on)
	fmt.Fprintf(t, "accepted\t%d trades\t%.0f /s\n", r.Accepted, r.AcceptedPerSec)
	fmt.Fprintf(t, "rejected\t%s\n", byCode(r.Rejected))
	fmt.Fprintf(t, "failed\t%d orders\n", r.Failed)
	fmt.Fprintf(t, "delivered\t%d events\t%.0f /s\n", r.Delivery.Delivered, r.DeliveredPerSec)
	fmt.Fprintf(t, "lost\t%d events\n", r.Delivery.Lost)
	fmt.Fprintf(t, "duplicated\t%d events\n", r.Delivery.Duplicated)
	fmt.Fprintf(t, "gaps\t%d\treconnects %d\n", r.Delivery.Gaps, r.Delivery.Reconnects)
	fmt.Fprintf(t, "audit\t%d receipts unrecorded, %d events out of order, %d sockets with another history\n", r.Unrecorded, r.Broken, r.Delivery.Forked)
	if err := t.Flush(); err != nil {
		return err
	}

	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "milliseconds\tmin\tp50\tp90\tp99\tp99.9\tmax\tcount\t")
	for _, row := range []struct {
		name string
		Latency
	}{{"HTTP answer", r.HTTP}, {"commit→socket", r.CommitToSocket}, {"answer→socket", r.AnswerToSocket}} {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t\n", row.name, row.Min, row.P50, row.P90, row.P99, row.P999, row.Max, row.Count)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, `
commit→socket: from the event's time, which the database takes under the market's lock before it
  commits, to the arrival at each socket: an upper bound. It needs clocks that agree.
answer→socket: from the trader's HTTP answer to the arrival at the first 8 sockets, by one clock.
  Negative: the sockets knew first.
`)
	return err
}

func byCode(rejected map[string]int64) string {
	if len(rejected) == 0 {
		return "none"
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(rejected)) {
		parts = append(parts, fmt.Sprintf("%s %d", code, rejected[code]))
	}
	return strings.Join(parts, ", ")
}
