package bench

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pgtape/pgtape/client"
)

// Report is what a run found.
type Report struct {
	Scenario    string  `json:"scenario,omitempty"`
	URL         string  `json:"url"`
	Clients     int     `json:"clients"`
	Markets     int     `json:"markets"`
	Sockets     int     `json:"sockets"`
	Stalled     int     `json:"stalled"`         // of the sockets: they read nothing, and nothing below is theirs
	OneEach     bool    `json:"one_market_each"` // a socket listened to one market; else to all
	Mode        string  `json:"mode"`            // of the sockets: tape or quote
	Rate        float64 `json:"rate"`            // orders per second asked for, an open loop; 0: a closed one, as fast as answered
	SlippageBps int     `json:"slippage_bps"`
	Seconds     float64 `json:"seconds"` // of trading
	Cores       int     `json:"cores"`   // that the bench may use

	Accepted        int64            `json:"accepted"` // trades
	AcceptedPerSec  float64          `json:"accepted_per_second"`
	Rejected        map[string]int64 `json:"rejected"`   // orders, by code
	Failed          int64            `json:"failed"`     // orders of which it is not known what became of them
	Unrecorded      int64            `json:"unrecorded"` // receipts whose trade is not on the tape where they say
	Broken          int64            `json:"broken"`     // events on the tape that do not follow the one before
	Delivery        Delivery         `json:"delivery"`
	DeliveredPerSec float64          `json:"delivered_per_second"` // until the last had come

	// HTTP is from when an order was due to its answer: with a rate, waiting for a free client
	// counts.
	HTTP Latency `json:"http"`
	// CommitToSocket is from an event's at to its arrival at a socket, for every event and socket.
	// The database reads its clock for at inside the transaction, under the market's lock, before
	// the commit: this is an upper bound of commit→socket. It needs clocks that agree: take it on
	// one machine. In quote mode it is, for every quote, the age of the oldest version that the
	// quote was the first to show: how long a watcher was behind, at worst.
	CommitToSocket Latency `json:"commit_to_socket"`
	// RequestToSocket is from when an order was due to the arrival of the trade's event at a socket,
	// by one clock, on the first 8 sockets: the whole way.
	RequestToSocket Latency `json:"request_to_socket"`
	// AnswerToSocket is from the answer that a trader gets to that arrival. Negative: the socket was
	// first.
	AnswerToSocket Latency `json:"answer_to_socket"`

	Reads  *Reads       `json:"reads,omitempty"`
	Storm  *StormReport `json:"storm,omitempty"`
	Cost   Cost         `json:"cost"`
	Series []Point      `json:"series,omitempty"`
}

// Delivery counts events at sockets.
type Delivery struct {
	Delivered  int64 `json:"delivered"`
	Lost       int64 `json:"lost"`       // on the tape, but never came; in quote mode: sockets without the last version
	Duplicated int64 `json:"duplicated"` // came again
	Gaps       int64 `json:"gaps"`       // left out on a connection, though they came after a reconnect
	Forked     int64 `json:"forked"`     // sockets whose last event has another hash than the tape's
	Reconnects int64 `json:"reconnects"`
}

func (r *run) report(elapsed, settled time.Duration, tapes map[string]tape) Report {
	report := Report{
		Scenario: r.Scenario, URL: r.URL, Clients: r.Clients, Markets: r.Markets, Sockets: r.Sockets, Stalled: r.Stalled,
		OneEach: r.OneEach, Mode: r.Mode, Rate: r.Rate, SlippageBps: r.SlippageBps,
		Seconds: elapsed.Seconds(), Cores: runtime.NumCPU(),
		Accepted: r.counts.accepted, Rejected: map[string]int64{}, Failed: r.counts.failed,
		Unrecorded: r.unrecorded(tapes), Delivery: r.delivery(tapes),
		HTTP:           r.http.Latency(),
		CommitToSocket: r.toSocket.Latency(),
		Reads:          r.readReport(elapsed.Seconds()), Storm: r.storm.result(), Cost: r.cost, Series: r.series,
	}
	if r.Mode == client.Latest {
		report.CommitToSocket = r.quoteAges(tapes).latency()
	}
	sinceDue, sinceAnswer := r.sinceReceipts()
	report.RequestToSocket, report.AnswerToSocket = sinceDue.latency(), sinceAnswer.latency()
	maps.Copy(report.Rejected, r.counts.rejected)
	for _, t := range tapes {
		report.Broken += t.broken
	}
	report.AcceptedPerSec = float64(report.Accepted) / report.Seconds
	report.DeliveredPerSec = float64(report.Delivery.Delivered) / settled.Seconds()
	return report
}

// Sound says that nothing was lost, doubled or left unknown. Slow is sound.
func (r Report) Sound() bool {
	d := r.Delivery
	return r.Failed == 0 && r.Unrecorded == 0 && r.Broken == 0 && d.Lost == 0 && d.Duplicated == 0 && d.Gaps == 0 && d.Forked == 0 &&
		(r.Reads == nil || r.Reads.Failed == 0 && r.Reads.WentBack == 0) && (r.Storm == nil || r.Storm.NotLive == 0)
}

// Print writes the report as a table for people.
func (r Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if r.Scenario != "" {
		fmt.Fprintf(t, "scenario\t%s\n", r.Scenario)
	}
	fmt.Fprintf(t, "load\t%d clients, %d markets, %s, %.1f s\n", r.Clients, r.Markets, r.loop(), r.Seconds)
	fmt.Fprintf(t, "sockets\t%d, %s\n", r.Sockets, r.on())
	fmt.Fprintf(t, "accepted\t%d trades\t%.0f /s\n", r.Accepted, r.AcceptedPerSec)
	fmt.Fprintf(t, "rejected\t%s\n", byCode(r.Rejected))
	fmt.Fprintf(t, "failed\t%d orders\n", r.Failed)
	fmt.Fprintf(t, "delivered\t%d events\t%.0f /s\n", r.Delivery.Delivered, r.DeliveredPerSec)
	fmt.Fprintf(t, "lost\t%d events\n", r.Delivery.Lost)
	fmt.Fprintf(t, "duplicated\t%d events\n", r.Delivery.Duplicated)
	fmt.Fprintf(t, "gaps\t%d\treconnects %d\n", r.Delivery.Gaps, r.Delivery.Reconnects)
	fmt.Fprintf(t, "audit\t%d receipts unrecorded, %d events out of order, %d sockets with another history\n", r.Unrecorded, r.Broken, r.Delivery.Forked)
	if reads := r.Reads; reads != nil {
		fmt.Fprintf(t, "reads\t%d\t%.0f /s\n", reads.Answered, reads.PerSec)
		fmt.Fprintf(t, "\t%d failed, %d older than the one before\n", reads.Failed, reads.WentBack)
	}
	if s := r.Storm; s != nil {
		fmt.Fprintf(t, "storm\t%d sockets cut, all live again after %.0f ms, %d never\n", s.Sockets, s.LiveAgain.Max, s.NotLive)
		fmt.Fprintf(t, "\twent on: %d with what they had missed, %d with nothing to miss, %d with a snapshot\n", s.Replayed, s.Current, s.Snapshots)
	}
	r.printCost(t)
	if err := t.Flush(); err != nil {
		return err
	}
	return r.printLatencies(w)
}

func (r Report) loop() string {
	if r.Rate > 0 {
		return fmt.Sprintf("open loop, %g orders/s", r.Rate)
	}
	return "closed loop, as fast as answered"
}

func (r Report) on() string {
	on := "all markets each"
	if r.OneEach {
		on = "one market each"
	}
	if r.Mode == client.Latest {
		on += ", newest prices only"
	}
	if r.Stalled > 0 {
		on += fmt.Sprintf("; %d stalled, and left out below", r.Stalled)
	}
	return on
}

func (r Report) printCost(w io.Writer) {
	c := r.Cost
	if c.BenchSeconds != nil {
		fmt.Fprintf(w, "bench\t%.2f s CPU of its own\t%.0f%% of %d cores\n", *c.BenchSeconds, 100**c.BenchSeconds/r.Seconds/float64(r.Cores), r.Cores)
	}
	if c.ServerSeconds == nil && c.PostgresSeconds == nil {
		fmt.Fprintf(w, "cost\tnot known of processes that the bench has not started\n")
		return
	}
	each := func(name string, seconds, perTrade *float64) {
		if seconds != nil {
			fmt.Fprintf(w, "%s\t%.2f s CPU\t%s µs a trade\n", name, *seconds, figure(perTrade, "%.0f"))
		}
	}
	each("server", c.ServerSeconds, c.ServerPerTrade)
	each("Postgres", c.PostgresSeconds, c.PostgresPerTrade)
	if c.ServerPerDelivered != nil {
		fmt.Fprintf(w, "\t%.2f µs of the server for each event delivered\n", *c.ServerPerDelivered)
	}
	if c.ServerLast != nil {
		fmt.Fprintf(w, "memory\t%.1f MB at the end\n", float64(*c.ServerLast)/1e6)
	}
	if c.PerSocket != nil {
		fmt.Fprintf(w, "\t%.1f kB a socket, idle; %s under load\n", *c.PerSocket/1e3, figure(c.PerSocketLoaded, "%.0f B"))
	}
}

func figure(f *float64, form string) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf(form, *f)
}

func (r Report) printLatencies(w io.Writer) error {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "milliseconds\tmin\tp50\tp90\tp99\tp99.9\tmax\tcount\t")
	row := func(name string, l Latency) {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t\n", name, l.Min, l.P50, l.P90, l.P99, l.P999, l.Max, l.Count)
	}
	row("HTTP answer", r.HTTP)
	row("commit→socket", r.CommitToSocket)
	row("request→socket", r.RequestToSocket)
	row("answer→socket", r.AnswerToSocket)
	if r.Reads != nil {
		row("GET market", r.Reads.Latency)
	}
	if r.Storm != nil {
		row("cut→live again", r.Storm.LiveAgain)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, `
commit→socket: from the event's time, which the database takes under the market's lock before it
  commits, to the arrival at each socket: an upper bound. It needs clocks that agree.
request→socket, answer→socket: from when the order was due, and from its HTTP answer, to the arrival
  at the first 8 sockets, by one clock. Negative: the sockets knew first.
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
