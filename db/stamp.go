package db

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Snapshot is which transactions a statement could see: as pg_current_snapshot() says it.
type Snapshot struct {
	Min, Max uint64   // before Min all have ended, from Max on none
	Open     []uint64 // those between that had not, ascending
}

// ParseSnapshot reads "<xmin>:<xmax>:<xip>,…".
func ParseSnapshot(text string) (s Snapshot, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("%.60q is not a snapshot", text)
	}
	numbers := []*uint64{&s.Min, &s.Max}
	for i, into := range numbers {
		if *into, err = strconv.ParseUint(parts[i], 10, 64); err != nil {
			return s, fmt.Errorf("snapshot: %w", err)
		}
	}
	for open := range strings.SplitSeq(parts[2], ",") {
		if open == "" {
			continue
		}
		xid, err := strconv.ParseUint(open, 10, 64)
		if err != nil {
			return s, fmt.Errorf("snapshot: %w", err)
		}
		s.Open = append(s.Open, xid)
	}
	return s, nil
}

// Sees is pg_visible_in_snapshot: whether what a transaction has written, if it was committed, is seen.
func (s Snapshot) Sees(xid uint64) bool { return s.SeesAll(xid, xid) }

// SeesAll says so of all transactions from low to high.
func (s Snapshot) SeesAll(low, high uint64) bool {
	if high >= s.Max {
		return false
	}
	i, _ := slices.BinarySearch(s.Open, low)
	return i == len(s.Open) || s.Open[i] > high
}

// stamp is where the first query through a DB notes its snapshot.
type stamp struct{ taken *Snapshot }

// Stamped calls read with a DB, for one goroutine, and returns the snapshot of its first query: what
// read has got from it is no older. The snapshot comes with that query, in one round trip and one
// transaction, and is taken before it. It must be of a method that lists or finds.
func (d *DB) Stamped(ctx context.Context, read func(context.Context, *DB) error) (Snapshot, error) {
	stamped := &DB{pool: d.pool, url: d.url, stamp: &stamp{}}
	if err := read(ctx, stamped); err != nil {
		return Snapshot{}, err
	}
	if stamped.stamp.taken == nil {
		return Snapshot{}, fmt.Errorf("stamping: nothing was queried")
	}
	return *stamped.stamp.taken, nil
}

func (d *DB) queryStamped(ctx context.Context, statement string, args ...any) (pgx.Rows, error) {
	conn, done, err := d.pool.acquire(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := d.pool.queryBehind(ctx, conn, ahead{
		statement: "select pg_catalog.pg_current_snapshot()::pg_catalog.text",
		read: func(row pgx.Row) error {
			var text string
			if err := row.Scan(&text); err != nil {
				return err
			}
			taken, err := ParseSnapshot(text)
			if err == nil {
				d.stamp.taken = &taken
			}
			return err
		},
	}, statement, args)
	if err != nil {
		done()
		return nil, err
	}
	return &gatedRows{rows, sync.OnceFunc(done)}, nil
}
