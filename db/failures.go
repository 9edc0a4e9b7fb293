package db

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// failures counts what the database did not do, by reason, and remembers what keeps it from writing
// until somebody mends it.
type failures struct {
	mu       sync.Mutex
	counts   map[string]int64
	repeated int64
	lasting  *Error    // nil: writes are taken, as far as we know
	asked    time.Time // when it was last tried whether it is over
}

// Failures are the statements that were refused since the pool was opened, by reason, and how many were
// sent again because they had done nothing.
func (d *DB) Failures() (refused map[string]int64, repeated int64) {
	f := &d.pool.failures
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts), f.repeated
}

func (f *failures) note(err error) {
	if err == nil {
		return
	}
	var e *Error
	if !errors.As(refusal(err), &e) || e.Code != Unavailable {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[string]int64{}
	}
	f.counts[e.Reason]++
	if pg := pgErrorOf(err); pg != nil {
		if c, _ := conditionOf(pg.Code); c.lasting {
			f.lasting = e
		}
	}
}

func (f *failures) repeat(error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.repeated++
}

// probeDue returns what keeps the database from writing, and whether it is time to try it anew.
func (f *failures) probeDue() (lasting *Error, try bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lasting == nil {
		return nil, false
	}
	if try = time.Since(f.asked) > time.Second; try {
		f.asked = time.Now()
	}
	return f.lasting, try
}

func (f *failures) ended() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lasting = nil
}

// Ready says whether the database takes what a server asks of it: it can be reached, and takes writes.
// After a statement was refused for want of disk, say, it tries to write, once a second, until it can.
// Errors: Unavailable, with the reason.
func (d *DB) Ready(ctx context.Context) error {
	ctx = as(ctx, operating)
	var readOnly bool
	err := d.pool.readRow(ctx, "select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean").Scan(&readOnly)
	if err != nil {
		return connectError(err)
	}
	if readOnly {
		c := conditions["25006"]
		return &Error{Code: Unavailable, Message: c.message, Hint: c.hint, Reason: c.reason, RetryAfter: c.after}
	}
	lasting, try := d.pool.failures.probeDue()
	if lasting == nil {
		return nil
	}
	if !try {
		return lasting
	}
	if _, err := d.pool.Exec(ctx, "select pgtape.probe_write()"); err != nil {
		return refusal(err)
	}
	d.pool.failures.ended()
	return nil
}
