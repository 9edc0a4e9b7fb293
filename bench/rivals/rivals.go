// Package rivals measures other ways to do the work that pgtape does, on the same Postgres: what a
// figure of pgtape is to be held against. Each makes its own markets, or tables, and throws nothing
// away: the database is the bench's own.
//
//	direct        pgtape.trade, one call a trade, on many connections (direct.go)
//	batch         pgtape.trade_batch from one connection (direct.go)
//	serializable  the trade done by the client in a SERIALIZABLE transaction, with retries (serializable.go)
//	commit        one row updated and one inserted: what a commit costs (commit.go)
package rivals

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/bench"
)

// Options of a rival's run. Superuser and Server are required.
type Options struct {
	Superuser   string        // URL of a superuser on the database that has pgtape in it
	Server      string        // URL of a login that may act as pgtape_server
	Connections int           // that trade at the same time; 0: 32, or 1 for batch
	Markets     int           // 0: 1
	Batch       int           // orders of a call; 0: 64
	Duration    time.Duration // 0: 5 s
	Rate        float64       // calls per second of all connections together; 0: as fast as they are answered
	Processes   bench.Processes
}

// Report is what a rival did.
type Report struct {
	Rival       string        `json:"rival"`
	Connections int           `json:"connections"`
	Markets     int           `json:"markets"`
	Batch       int           `json:"batch,omitempty"`
	Seconds     float64       `json:"seconds"`
	Accepted    int64         `json:"accepted"` // trades
	PerSec      float64       `json:"accepted_per_second"`
	Rejected    int64         `json:"rejected"`
	Retries     int64         `json:"retries"` // transactions that were rolled back and done again
	Call        bench.Latency `json:"call"`    // of a trade, with its retries; of a whole batch
	Cost        bench.Cost    `json:"cost"`
}

// rival is a way of trading, set up.
type rival interface {
	// call does one trade, or one batch, on a connection.
	call(ctx context.Context, connection int) (done, error)
	close()
}

// done is what a call came to.
type done struct{ accepted, rejected, retries int64 }

var rivals = map[string]func(context.Context, Options) (rival, error){
	"direct":       newDirect,
	"batch":        newBatch,
	"serializable": newSerializable,
	"commit":       newCommit,
}

// Names are what Run knows.
func Names() []string { return slices.Sorted(maps.Keys(rivals)) }

// Run lets a rival trade for a while.
// Errors: what keeps it from it; an error of any call ends the run.
func Run(ctx context.Context, name string, o Options) (Report, error) {
	set, ok := rivals[name]
	if !ok {
		return Report{}, fmt.Errorf("rival %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	if o.Connections == 0 && name == "batch" {
		o.Connections = 1
	}
	o.Connections = cmp.Or(o.Connections, 32)
	o.Markets = cmp.Or(o.Markets, 1)
	o.Batch = cmp.Or(o.Batch, 64)
	o.Duration = cmp.Or(o.Duration, 5*time.Second)
	way, err := set(ctx, o)
	if err != nil {
		return Report{}, fmt.Errorf("setting up %s: %w", name, err)
	}
	defer way.close()
	report, err := drive(ctx, way, o)
	report.Rival, report.Connections, report.Markets = name, o.Connections, o.Markets
	if name == "batch" {
		report.Batch = o.Batch
	}
	return report, err
}

// drive calls on all connections until the time is over and what was begun has ended. The first
// calls of each are not counted: a session has to compile and plan what it runs.
func drive(ctx context.Context, way rival, o Options) (Report, error) {
	if err := warmUp(ctx, way, o.Connections); err != nil {
		return Report{}, err
	}
	calling, stop := context.WithTimeout(ctx, o.Duration)
	defer stop()
	var (
		report Report
		failed error
		mu     sync.Mutex // guards report and failed
		timed  bench.Stopwatch
		work   sync.WaitGroup
	)
	meter := o.Processes.Meter()
	calls := bench.NewSchedule(o.Rate)
	began := time.Now()
	for i := range o.Connections {
		work.Go(func() {
			for {
				due, ok := calls.Next(calling)
				if !ok {
					return
				}
				got, err := way.call(context.WithoutCancel(ctx), i)
				timed.Record(i, time.Since(due))
				mu.Lock()
				report.Accepted += got.accepted
				report.Rejected += got.rejected
				report.Retries += got.retries
				if failed == nil {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					stop()
					return
				}
			}
		})
	}
	work.Wait()
	report.Seconds = time.Since(began).Seconds()
	report.PerSec = float64(report.Accepted) / report.Seconds
	report.Call = timed.Latency()
	meter.Read(&report.Cost, report.Accepted, 0)
	return report, failed
}

func warmUp(ctx context.Context, way rival, connections int) error {
	var work errgroup.Group
	for i := range connections {
		work.Go(func() error {
			for range 2 { // buys and sells
				if _, err := way.call(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// execute runs statements on a connection of their own.
func execute(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}

// Checkpoint lets Postgres write what it has put off.
func Checkpoint(ctx context.Context, superuser string) error {
	return execute(ctx, superuser, "checkpoint")
}

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d connections, %d markets, %.1f s: %d trades, %.0f/s; %d refused, %d retries\ncall: p50 %.2f ms, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f\n",
		r.Rival, r.Connections, r.Markets, r.Seconds, r.Accepted, r.PerSec, r.Rejected, r.Retries,
		r.Call.P50, r.Call.P90, r.Call.P99, r.Call.P999, r.Call.Max)
	if each := r.Cost.PostgresPerTrade; err == nil && each != nil {
		_, err = fmt.Fprintf(w, "Postgres: %.0f µs CPU a trade\n", *each)
	}
	return err
}
