package db_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestASnapshotSeesWhatPostgresSays(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for _, text := range []string{"10:20:10,14,15", "10:10:", "7:9:7", "4294967290:4294967310:4294967290,4294967299"} {
		s, err := db.ParseSnapshot(text)
		if err != nil {
			t.Fatal(err)
		}
		for xid := s.Min - 3; xid < s.Max+3; xid++ {
			var want bool
			err := d.Pool().QueryRow(t.Context(), "select pg_visible_in_snapshot($1::bigint::text::xid8, $2::text::pg_snapshot)",
				xid, text).Scan(&want)
			if err != nil {
				t.Fatal(err)
			}
			if s.Sees(xid) != want {
				t.Errorf("%s sees %d: %v, want %v", text, xid, s.Sees(xid), want)
			}
			for high := xid; high < s.Max+3; high++ {
				all := true
				for x := xid; x <= high; x++ {
					all = all && s.Sees(x)
				}
				if s.SeesAll(xid, high) != all {
					t.Errorf("%s sees all from %d to %d: %v", text, xid, high, !all)
				}
			}
		}
	}
	for _, text := range []string{"", "1:2", "a:2:", "1:b:", "1:2:x", "1:2:1:1"} {
		if s, err := db.ParseSnapshot(text); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}

// What is read has a stamp that is no newer, with and without prepared statements.
func TestAStampComesWithTheFirstQuery(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market := d.Market(t)
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		through, err := db.Open(t.Context(), withParameter(d.URL(), "default_query_exec_mode="+mode), db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(through.Close)
		tx, err := d.Pool().BeginTx(t.Context(), pgx.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var open uint64
		if err := tx.QueryRow(t.Context(), "select pg_current_xact_id()::text::bigint").Scan(&open); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time it is prepared
			var got db.Market
			var holders []db.Holder
			s, err := through.Stamped(t.Context(), func(ctx context.Context, d *db.DB) (err error) {
				if got, err = d.Market(ctx, market); err != nil {
					return err
				}
				holders, err = d.Holders(ctx, market, 5)
				return err
			})
			if err != nil || got.Slug != market || holders == nil {
				t.Fatalf("%s: %+v %v %v", mode, got, holders, err)
			}
			if s.Sees(open) || !s.Sees(s.Min-1) {
				t.Errorf("%s: %+v sees %d", mode, s, open)
			}
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = through.Stamped(t.Context(), func(ctx context.Context, d *db.DB) error {
			_, err := d.Market(ctx, "nowhere")
			return err
		})
		if db.CodeOf(err) != db.NotFound {
			t.Errorf("%s: %v", mode, err)
		}
		if err := through.Ping(t.Context()); err != nil || through.Pool().Stat().AcquiredConns() != 0 {
			t.Errorf("%s: %v, %d connections still taken", mode, err, through.Pool().Stat().AcquiredConns())
		}
	}
}
