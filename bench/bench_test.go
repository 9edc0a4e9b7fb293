package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/bench"
	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/servertest"
)

func TestARunLosesNothing(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	var progress bytes.Buffer
	report, err := bench.Run(t.Context(), bench.Options{
		URL: w.URL, Clients: 4, Markets: 2, Sockets: 3, Duration: 1500 * time.Millisecond, Progress: &progress,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Sound() || report.Accepted == 0 || len(report.Rejected) != 0 {
		t.Errorf("report = %+v, want trades, all sound and none refused", report)
	}
	if want := 3 * report.Accepted; report.Delivery.Delivered != want || report.CommitToSocket.Count != want || report.AnswerToSocket.Count != want {
		t.Errorf("%d trades came to 3 sockets %d times, were timed %d and %d times",
			report.Accepted, report.Delivery.Delivered, report.CommitToSocket.Count, report.AnswerToSocket.Count)
	}
	if c := report.CommitToSocket; c.P50 <= 0 || c.P50 > c.P99 || c.P99 > c.Max || report.HTTP.Count != report.Accepted {
		t.Errorf("latencies %+v and %+v, want them positive and in order", c, report.HTTP)
	}
	if !strings.Contains(progress.String(), "trades/s") {
		t.Errorf("progress = %q, want a line a second", progress.String())
	}
	w.Verify(t)
}

func TestWhoHasStalledIsLeftOut(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	report, err := bench.Run(t.Context(), bench.Options{
		URL: w.URL, Clients: 2, Markets: 2, Sockets: 4, Stalled: 3, Duration: time.Second, Rate: 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := report.Accepted; !report.Sound() || report.Delivery.Delivered != want || report.CommitToSocket.Count != want || report.Stalled != 3 {
		t.Errorf("report = %+v, want what the one who reads has heard of %d trades", report, want)
	}
}

func TestARunGoesThroughCuts(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	cut := &cutOnce{wire: w.Wire}
	report, err := bench.Run(t.Context(), bench.Options{
		URL: w.URL, Clients: 2, Markets: 1, Sockets: 2, Duration: 2500 * time.Millisecond, Progress: cut,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Sound() || report.Delivery.Reconnects < 2 {
		t.Errorf("report = %+v, want it sound after 2 sockets connected again", report)
	}
	w.Verify(t)
}

// cutOnce cuts the wire at the first line of progress.
type cutOnce struct {
	wire *servertest.Wire
	done bool
}

func (c *cutOnce) Write(line []byte) (int, error) {
	if !c.done {
		c.done = true
		c.wire.Cut()
	}
	return len(line), nil
}

func TestARunHoldsItsRateAndItsBounds(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	report, err := bench.Run(t.Context(), bench.Options{
		URL: w.URL, Clients: 4, Markets: 1, Sockets: 2, OneEach: true, Duration: 2 * time.Second, Rate: 10, SlippageBps: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	orders := report.Accepted
	for _, n := range report.Rejected {
		orders += n
	}
	if orders < 5 || orders > 21 { // fewer than 20 where the machine cannot keep up
		t.Errorf("%d orders in 2 s at 10/s", orders)
	}
	if report.Rejected[client.CodeStaleQuote] == 0 || !report.Sound() {
		t.Errorf("report = %+v, want it sound with stale quotes: a basis point is less than a share moves the price", report)
	}
	w.Verify(t)
}

func TestAnInterruptedRunReports(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	report, err := bench.Run(ctx, bench.Options{
		URL: w.URL, Clients: 1, Markets: 1, Sockets: -1, Duration: time.Hour, Progress: writer(func() { stop() }),
	})
	if err != nil || !report.Sound() || report.Accepted == 0 || report.Sockets != 0 {
		t.Errorf("report = %+v (%v), want that of about a second", report, err)
	}
}

type writer func()

func (w writer) Write(line []byte) (int, error) {
	w()
	return len(line), nil
}

// TestEveryScenarioRuns makes each smaller than it is meant, and expects what it is for.
func TestEveryScenarioRuns(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	for _, name := range bench.Scenarios() {
		t.Run(name, func(t *testing.T) {
			o, err := bench.ScenarioOf(name)
			if err != nil {
				t.Fatal(err)
			}
			o.URL, o.Duration = w.URL, 1200*time.Millisecond
			o.Clients, o.Markets, o.Sockets = min(o.Clients, 8), min(o.Markets, 8), min(o.Sockets, 40)
			report, err := bench.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if !report.Sound() || report.Scenario != name || len(report.Series) == 0 {
				t.Errorf("report = %+v, want it sound", report)
			}
			switch name {
			case "reads":
				if report.Reads == nil || report.Reads.Answered == 0 || report.Reads.Latency.Count != report.Reads.Answered || report.Accepted != 0 {
					t.Errorf("reads = %+v, %d trades", report.Reads, report.Accepted)
				}
				return
			case "storm":
				s := report.Storm
				if s == nil || s.Sockets != 40 || s.LiveAgain.Count != 40 || s.Snapshots != 0 || s.Replayed+s.Current != 40 || report.Delivery.Reconnects < 40 {
					t.Errorf("storm = %+v, want 40 sockets that go on from where they were", s)
				}
			case "lone":
				if report.RequestToSocket.Count != report.Accepted || report.RequestToSocket.P50 <= 0 {
					t.Errorf("request→socket %+v of %d trades", report.RequestToSocket, report.Accepted)
				}
			}
			if report.Accepted == 0 || report.Delivery.Delivered == 0 {
				t.Errorf("%d trades, delivered %d times", report.Accepted, report.Delivery.Delivered)
			}
		})
	}
	if _, err := bench.ScenarioOf("none"); err == nil {
		t.Error("a scenario that there is not was found")
	}
	w.Verify(t)
}

func TestQuotesAreTheNewest(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	report, err := bench.Run(t.Context(), bench.Options{
		URL: w.URL, Clients: 4, Markets: 1, Sockets: 4, Mode: client.Latest, Duration: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Sound() || report.Delivery.Delivered == 0 || report.CommitToSocket.Count == 0 || report.CommitToSocket.Min < 0 {
		t.Errorf("report = %+v, want quotes, none older than one before, the last everywhere", report)
	}
}

func TestWhatKeepsARunFromRunningIsAnError(t *testing.T) {
	t.Parallel()
	closed := servertest.New(t, server.Closed)
	tests := []struct {
		name    string
		options bench.Options
		want    string
	}{
		{"a server that lets nobody in", bench.Options{URL: closed.URL, Clients: 1, Markets: 1}, "signing in"},
		{"no server", bench.Options{URL: "http://127.0.0.1:1"}, "connection refused"},
		{"no URL", bench.Options{}, "is not the URL of a server"},
		{"fewer than no markets", bench.Options{URL: closed.URL, Markets: -1}, "must be positive"},
		{"a mode of its own", bench.Options{URL: closed.URL, Mode: "some"}, "want tape or quote"},
		{"more stalled than there are", bench.Options{URL: closed.URL, Sockets: 1, Stalled: 2}, "stalled must be"},
		{"a mad rate", bench.Options{URL: closed.URL, Rate: -1}, "rate must be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := bench.Run(t.Context(), tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestAReportIsForPeopleAndForPrograms(t *testing.T) {
	t.Parallel()
	report := bench.Report{
		Clients: 16, Accepted: 8120, AcceptedPerSec: 812, Rejected: map[string]int64{"stale_quote": 3, "insufficient_funds": 2},
		CommitToSocket: bench.Latency{P50: 1.5, P99: 9.25}, Delivery: bench.Delivery{Lost: 7},
	}
	var table bytes.Buffer
	if err := report.Print(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"812 /s", "insufficient_funds 2, stale_quote 3", "7 events", "1.50", "9.25", "an upper bound", "closed loop", "not known"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		PerSecond float64 `json:"accepted_per_second"`
		Delivery  struct{ Lost int64 }
		Commit    struct {
			P99 float64 `json:"p99_ms"`
		} `json:"commit_to_socket"`
	}
	if err := json.Unmarshal(text, &back); err != nil || back.PerSecond != 812 || back.Delivery.Lost != 7 || back.Commit.P99 != 9.25 {
		t.Errorf("JSON %s\nread back as %+v (%v)", text, back, err)
	}
}
