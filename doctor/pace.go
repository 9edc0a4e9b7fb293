package doctor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Latency is how long something takes, in milliseconds, and in how many round trips.
type Latency struct {
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Trips int     `json:"trips"`
	N     int     `json:"n"`
}

// Pace is how fast the database answers, from here.
type Pace struct {
	Query     Latency `json:"query"`      // select 1, on a connection that knows it, as the URL says
	Undecided Latency `json:"uncached"`   // the same without a cache of statements
	Commit    Latency `json:"commit"`     // of as much WAL as a trade writes, with its query
	Flush     float64 `json:"flush_ms"`   // what committing adds to a query
	Skew      float64 `json:"skew_ms"`    // how far the database's clock is ahead of ours
	SkewError float64 `json:"skew_error"` // ± so much
}

// tradeWAL is how many bytes of WAL a trade writes: four rows inserted, three updated, seven index
// entries.
const tradeWAL = 2500

// measurePace asks and commits on one connection. It leaves nothing but the WAL of messages that
// nobody reads.
func measurePace(ctx context.Context, conn *pgx.Conn, m *meter, readOnly bool, pooler Pooler) (*Pace, error) {
	var p Pace
	var err error
	one := func(args ...any) func() error {
		return func() error {
			var n int
			return conn.QueryRow(ctx, "select 1", args...).Scan(&n)
		}
	}
	if p.Query, err = measure(m, 200, one()); err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	if pooler != TransactionPooler { // whose sessions forget between the two halves of such a query
		if p.Undecided, err = measure(m, 20, one(pgx.QueryExecModeDescribeExec)); err != nil {
			return nil, fmt.Errorf("asking without a cache: %w", err)
		}
	}
	if err := p.measureSkew(ctx, conn); err != nil {
		return nil, err
	}
	if readOnly {
		return &p, nil
	}
	text := strings.Repeat("x", tradeWAL)
	p.Commit, err = measure(m, 200, func() error {
		_, err := conn.Exec(ctx, "select pg_logical_emit_message(true, 'pgtape doctor', $1::text)", text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("committing: %w", err)
	}
	p.Flush = math.Max(0, p.Commit.P50-p.Query.P50)
	return &p, nil
}

// measure does something many times, but no longer than some seconds, and not counting the first.
func measure(m *meter, times int, do func() error) (l Latency, err error) {
	const enough = 2 * time.Second
	if err := do(); err != nil {
		return l, err
	}
	var took []float64
	began, trips := time.Now(), m.count()
	for len(took) < times && (len(took) < 5 || time.Since(began) < enough) {
		start := time.Now()
		if err := do(); err != nil {
			return l, err
		}
		took = append(took, milliseconds(time.Since(start)))
	}
	slices.Sort(took)
	l = Latency{P50: took[len(took)/2], P99: took[(len(took)*99)/100], N: len(took)}
	l.Trips = int(math.Round(float64(m.count()-trips) / float64(len(took))))
	return l, nil
}

// measureSkew takes the fastest of some answers: it was asked and answered closest to its middle.
func (p *Pace) measureSkew(ctx context.Context, conn *pgx.Conn) error {
	p.SkewError = math.Inf(1)
	for range 10 {
		var there time.Time
		start := time.Now()
		if err := conn.QueryRow(ctx, "select clock_timestamp()").Scan(&there); err != nil {
			return fmt.Errorf("asking for the time: %w", err)
		}
		took := time.Since(start)
		if half := milliseconds(took) / 2; half < p.SkewError {
			p.Skew, p.SkewError = milliseconds(there.Sub(start.Add(took/2))), half
		}
	}
	return nil
}

// What a trade costs Postgres besides its commit, on the machine of docs/performance.md: one in a
// transaction of its own, and one of a batch.
const (
	loneWork  = 0.45
	batchWork = 0.13
	batchSize = 64
)

// Rates are about how many trades a second one market can have from here: the next is sent when the one
// before is answered, or, as pgtape serve does, whatever has gathered until then.
func (p *Pace) Rates() (lone, inBatches float64) {
	return 1000 / (p.Query.P50 + p.Flush + loneWork), 1000 * batchSize / (p.Query.P50 + p.Flush + batchSize*batchWork)
}
