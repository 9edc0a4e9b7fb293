package db

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// troubles counts what the database did not do, by reason, and remembers what keeps it from writing
// until somebody mends it.
type troubles struct {
	mu       sync.Mutex
	counts   map[string]int64
	repeated int64
	lasting  *Error    // nil: writes are taken, as far as we know
	asked    time.Time // when it was last tried whether it is over
}

// Troubles are the statements that were refused since the pool was opened, by reason, and how many were
// sent again because they had done nothing.
func (d *DB) Troubles() (refused map[string]int64, repeated int64) {
	t := &d.pool.troubles
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.counts), t.repeated
}

func (t *troubles) note(err error) {
	if err == nil {
		return
	}
	var e *Error
	if !errors.As(refusal(err), &e) || e.Code != Unavailable {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[e.Reason]++
	if pg := pgErrorOf(err); pg != nil {
		if c, _ := conditionOf(pg.Code); c.lasting {
			t.lasting = e
		}
	}
}

func (t *troubles) repeat(error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.repeated++
}

// due returns what keeps the database from writing, and whether it is time to try it anew.
func (t *troubles) due() (lasting *Error, try bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lasting == nil {
		return nil, false
	}
	if try = time.Since(t.asked) > time.Second; try {
		t.asked = time.Now()
	}
	return t.lasting, try
}

func (t *troubles) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lasting = nil
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
	lasting, try := d.pool.troubles.due()
	if lasting == nil {
		return nil
	}
	if !try {
		return lasting
	}
	if _, err := d.pool.Exec(ctx, "select pgtape.probe_write()"); err != nil {
		return refusal(err)
	}
	d.pool.troubles.over()
	return nil
}
