package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/e2e/link"
)

// However a connection is lost under a trade, the caller hears that nobody knows what became of it,
// and to send it again.
func TestALostConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	own := dbtest.New(t)
	market, account := own.Market(t), own.Account(t, "100")
	tests := []struct {
		name string
		lose func(l *link.Link)
	}{
		{"by a reset", (*link.Link).Reset},
		{"by a close", (*link.Link).Close},
		{"without a word", (*link.Link).Freeze},
		{"by the server", func(*link.Link) {
			own.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			through, l := dbtest.Linked(t, own.URL())
			d, err := db.Open(t.Context(), through, db.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				l.Mend() // what is frozen cannot be closed in order
				d.Close()
			}()
			tx, err := own.Pool().Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
			if _, err := tx.Exec(t.Context(), "select from pgtape_core.book for update"); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			lost := make(chan error, 1)
			go func() {
				_, err := d.Trade(ctx, db.Order{
					Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: account, IdempotencyKey: tt.name,
				})
				lost <- err
			}()
			for waits := false; !waits; {
				err := own.Pool().QueryRow(t.Context(), `select exists (select from pg_stat_activity
					where wait_event_type = 'Lock' and datname = current_database())`).Scan(&waits)
				if err != nil {
					t.Fatal(err)
				}
			}
			tt.lose(l)
			if err := <-lost; db.CodeOf(err) != db.Unavailable {
				t.Errorf("error = %v, want code %s", err, db.Unavailable)
			}
		})
	}
}
