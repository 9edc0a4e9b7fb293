// Package compare measures pgtape and its rivals in one run, side by side, and says how they relate:
// rounds of the same steps (steps.go), one after the other, so that what the machine does meanwhile
// falls on all of them; medians of the rounds, and ratios within each round (result.go, table.go).
package compare

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pgtape/pgtape/bench"
	"github.com/pgtape/pgtape/bench/rivals"
)

// Options of a comparison. Superuser, Server and Serve are required.
type Options struct {
	Superuser string // URL of a superuser on the database, whose Postgres is the bench's own
	Server    string // URL of the login that serves
	Postgres  int    // pid of the postmaster; 0: its cost is not told
	// Serve starts a server on the database that is ended by stop.
	Serve func(context.Context) (s Serving, err error)

	Rounds    int           // 0: 3
	Duration  time.Duration // of each measurement; 0: 4 s
	Only      []string      // steps; none: all
	Eventserv string        // program of CrunchyData/pg_eventserv; empty: left out
	FanOut    string        // test program of the package server, for its fan-out against melody's; empty: left out
	Versions  []string      // of what is compared, for the table
	Progress  io.Writer
}

// Serving is a server that runs.
type Serving struct {
	URL  string
	PID  int
	Stop func() error
}

// Steps are the names that Options.Only knows, in their order.
func Steps() (names []string) {
	for _, s := range steps {
		names = append(names, s.name)
	}
	return names
}

// Run measures. What a step could not do, or found wrong, is a note of the result; a step that fails
// gives no figures.
// Errors: a step that there is not; ctx has ended.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Rounds == 0 {
		o.Rounds = 3
	}
	if o.Duration == 0 {
		o.Duration = 4 * time.Second
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	for _, name := range o.Only {
		if !slices.Contains(Steps(), name) {
			return Result{}, fmt.Errorf("step %q: want some of %s", name, strings.Join(Steps(), ", "))
		}
	}
	began := time.Now()
	result := Result{
		Machine: machine(), Versions: o.Versions, Date: began.UTC().Format(time.DateOnly),
		Rounds: o.Rounds, Seconds: o.Duration.Seconds(),
	}
	for round := range o.Rounds {
		r := &world{Options: o, figures: map[string]float64{}}
		for _, s := range steps {
			if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) {
				continue
			}
			before := maps.Clone(r.figures)
			if err := s.measure(ctx, r); err != nil {
				r.note("%s: %v", s.name, err)
			}
			if ctx.Err() != nil {
				return result, context.Cause(ctx)
			}
			fmt.Fprintf(o.Progress, "%4.0f s  round %d of %d  %s%s\n", time.Since(began).Seconds(), round+1, o.Rounds, s.name, news(before, r.figures))
		}
		result.Figures = append(result.Figures, r.figures)
		result.Notes = append(result.Notes, r.notes...)
	}
	slices.Sort(result.Notes)
	result.Notes = slices.Compact(result.Notes)
	return result, nil
}

func news(before, after map[string]float64) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, old := before[name]; !old {
			fmt.Fprintf(&b, "  %s %.4g", name, after[name])
		}
	}
	return b.String()
}

// world is one round.
type world struct {
	Options
	figures map[string]float64
	notes   []string
}

func (w *world) note(form string, args ...any) {
	text := fmt.Sprintf(form, args...)
	w.notes = append(w.notes, text)
	fmt.Fprintln(w.Progress, "note:", text)
}

// rival lets one trade, and notes its figures under a name.
func (w *world) rival(ctx context.Context, name, rival string, o rivals.Options) (rivals.Report, error) {
	if err := w.level(ctx); err != nil {
		return rivals.Report{}, err
	}
	o.Superuser, o.Server, o.Processes.Postgres = w.Superuser, w.Server, w.Postgres
	if o.Duration == 0 {
		o.Duration = w.Duration
	}
	report, err := rivals.Run(ctx, rival, o)
	if err != nil {
		return report, err
	}
	w.figures[name] = report.PerSec
	w.figures[name+".p50"], w.figures[name+".p99"] = report.Call.P50, report.Call.P99
	if each := report.Cost.PostgresPerTrade; each != nil {
		w.figures[name+".postgres"] = *each
	}
	if report.Accepted > 0 {
		w.figures[name+".retries"] = float64(report.Retries) / float64(report.Accepted)
	}
	return report, nil
}

// load puts load on a server of its own, and notes the figures that all loads have.
func (w *world) load(ctx context.Context, name string, o bench.Options) (report bench.Report, err error) {
	if err := w.level(ctx); err != nil {
		return report, err
	}
	s, err := w.Serve(ctx)
	if err != nil {
		return report, err
	}
	defer func() {
		if stopped := s.Stop(); err == nil {
			err = stopped
		}
	}()
	o.URL, o.Processes = s.URL, bench.Processes{Server: s.PID, Postgres: w.Postgres}
	if o.Duration == 0 {
		o.Duration = w.Duration
	}
	report, err = bench.Run(ctx, o)
	if err != nil {
		return report, err
	}
	if !report.Sound() {
		w.note("%s was not sound: %+v, %d failed, %d unrecorded", name, report.Delivery, report.Failed, report.Unrecorded)
	}
	w.figures[name] = report.AcceptedPerSec
	for part, l := range map[string]bench.Latency{".http": report.HTTP, ".socket": report.CommitToSocket, ".request": report.RequestToSocket} {
		if l.Count > 0 {
			w.figures[name+part+".p50"], w.figures[name+part+".p99"] = l.P50, l.P99
		}
	}
	for part, figure := range map[string]*float64{".server": report.Cost.ServerPerTrade, ".postgres": report.Cost.PostgresPerTrade, ".each": report.Cost.ServerPerDelivered} {
		if figure != nil {
			w.figures[name+part] = *figure
		}
	}
	if own := report.Cost.BenchSeconds; own != nil {
		w.figures[name+".bench"] = *own / report.Seconds / float64(report.Cores)
	}
	w.figures[name+".delivered"] = report.DeliveredPerSec
	rejected := int64(0)
	for n := range maps.Values(report.Rejected) {
		rejected += n
	}
	if rejected > 0 {
		w.note("%s: %d of %d orders were refused", name, rejected, rejected+report.Accepted)
	}
	return report, nil
}

// level lets each step begin with nothing left to be written by the one before.
func (w *world) level(ctx context.Context) error { return rivals.Checkpoint(ctx, w.Superuser) }

// machine says what it was measured on.
func machine() string {
	parts := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				parts[0] += " (" + strings.TrimSpace(model) + ")"
				break
			}
		}
	}
	var kilobytes float64
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if _, err := fmt.Sscanf(string(text), "MemTotal: %f kB", &kilobytes); err == nil {
			parts = append(parts, fmt.Sprintf("%.0f GB memory", kilobytes/1e6))
		}
	}
	system := runtime.GOOS
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		system += " " + strings.TrimSpace(string(text))
	}
	return strings.Join(append(parts, system+"/"+runtime.GOARCH), ", ")
}
