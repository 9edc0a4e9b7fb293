package tape_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/e2e/link"
)

// since says how long it took from a moment until the reader said that it was lost.
func (r *recorder) since(moment time.Time) time.Duration {
	r.t.Helper()
	var at time.Time
	r.wait("lost", func() bool {
		at = r.lostAt
		return at.After(moment)
	})
	return at.Sub(moment)
}

// heardOf is how soon a loss has to be said. On a machine that does something else meanwhile, it may
// be later.
const heardOf = 2 * time.Second

// promptly holds a loss to its time, if one of three is.
func promptly(t *testing.T, lose func() time.Duration) {
	t.Helper()
	var took time.Duration
	for range 3 {
		took = lose()
		t.Logf("lost after %v", took.Round(time.Millisecond))
		if took <= heardOf {
			return
		}
	}
	t.Errorf("said to be lost after %v, want %v", took, heardOf)
}

// allOf waits until everything that the table has of a market was delivered, behind its first event.
func allOf(t *testing.T, d *dbtest.DB, sink *recorder, market string) {
	t.Helper()
	stored, err := d.TapeAfter(t.Context(), market, "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, sink.waitEvents(market, len(stored)-1), stored[1:])
}

func soundly(t *testing.T, reader *tape.Reader) {
	t.Helper()
	if status := reader.Status(); status.Reconciled != 0 || status.Resets != 0 {
		t.Errorf("status %+v, want nothing skipped and no other history", status)
	}
}

func TestALostNetworkIsSaidAtOnceAndNothingIsMissed(t *testing.T) {
	faults := []struct {
		name   string
		strike func(*link.Link)
	}{
		{"cut", (*link.Link).Cut},
		{"frozen", (*link.Link).Freeze},
	}
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		for _, fault := range faults {
			t.Run(fault.name, func(t *testing.T) {
				t.Parallel()
				d := dbtest.New(t)
				url, l := dbtest.Linked(t, d.URL())
				ana, market := d.Account(t, "1000"), d.Market(t)
				reader, sink := follow(t, url, mode)
				promptly(t, func() time.Duration {
					sink.waitState(tape.Live)
					buy(t, d, ana, market)
					broken := time.Now()
					fault.strike(l)
					took := sink.since(broken)
					for range 5 {
						buy(t, d, ana, market)
					}
					l.Mend()
					return took
				})
				sink.waitState(tape.Live)
				allOf(t, d, sink, market)
				soundly(t, reader)
			})
		}
	})
}

func TestOneFrozenConnectionOfTheTwoIsEnoughToBeLost(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		for _, frozen := range []string{"table", "stream"} {
			t.Run(frozen, func(t *testing.T) {
				t.Parallel()
				d := dbtest.New(t)
				through, l := dbtest.Linked(t, d.URL())
				ana, market := d.Account(t, "1000"), d.Market(t)
				table, stream := through, d.URL()
				if frozen == "stream" {
					table, stream = d.URL(), through
				}
				reader, sink := followWith(t, tape.Options{URL: table, Mode: mode}, func(r *tape.Reader) { r.StreamURL(mode, stream) })
				promptly(t, func() time.Duration {
					sink.waitState(tape.Live)
					broken := time.Now()
					l.Freeze()
					took := sink.since(broken)
					for range 3 {
						buy(t, d, ana, market)
					}
					l.Mend()
					return took
				})
				sink.waitState(tape.Live)
				allOf(t, d, sink, market)
				soundly(t, reader)
			})
		}
	})
}

func TestAHandshakeThatIsNeverAnsweredIsGivenUp(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		through, l := dbtest.Linked(t, d.URL())
		l.Freeze()
		ana, market := d.Account(t, "1000"), d.Market(t)

		// The table answers, the stream does not: the table is tailed, and the stream tried again.
		reader, sink := followWith(t, tape.Options{URL: d.URL(), Mode: mode}, func(r *tape.Reader) { r.StreamURL(mode, through) })
		sink.waitState(tape.CatchingUp)
		sink.waitHead(market)
		buy(t, d, ana, market)
		sink.waitEvents(market, 1)
		sink.wait("another attempt", func() bool { return reader.Status().Connects > 1 })

		// Nothing answers.
		other, lost := follow(t, through, mode)
		lost.wait("the frozen handshake", func() bool { return other.Status().Lag > time.Second })
		if state := other.Status().State; state != tape.Lost {
			t.Errorf("state %s, want %s", state, tape.Lost)
		}
		l.Mend()
		lost.waitState(tape.Live)
		sink.waitState(tape.Live)
		allOf(t, d, sink, market)
	})
}

func TestASlotThatIsMadeAndNeverHeardOfIsGivenUp(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	url, _ := asServer(t, d) // who sees of others only that they are there
	through, l := dbtest.Linked(t, url)
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	reader, sink := followWith(t, tape.Options{URL: url, Mode: tape.WAL}, func(r *tape.Reader) { r.StreamURL(tape.WAL, through) })
	waitFor(t, "a slot in the making", func() bool {
		var n int
		err := d.Pool().QueryRow(t.Context(), "select count(*) from pg_replication_slots where database = current_database()").Scan(&n)
		return err == nil && n == 1
	})
	time.Sleep(7 * time.Second) // longer than an answer may take
	if connects := reader.Status().Connects; connects != 1 {
		t.Errorf("%d connections while a transaction holds the slot up, want 1", connects)
	}
	l.Freeze()
	if err := tx.Rollback(t.Context()); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		t.Fatal(err)
	}
	waitFor(t, "another attempt", func() bool { return reader.Status().Connects > 1 })
	l.Mend()
	sink.waitState(tape.Live)
}

func TestALinkThatFreezesInTheMiddleOfCatchingUp(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		url, l := dbtest.Linked(t, d.URL())
		market := d.Market(t)
		var events atomic.Int64
		frozen := make(chan time.Time, 1)
		reader, sink := follow(t, url, mode)
		sink.waitState(tape.Live)
		l.Cut()
		sink.waitState(tape.Lost)
		bulk(t, d, market, 3000)
		sink.onPublish(func() {
			if events.Add(1) == 700 {
				now := time.Now()
				l.Freeze()
				frozen <- now
			}
		})
		l.Mend()
		if took := sink.since(<-frozen); took > 2*heardOf { // once only, so with time to spare
			t.Errorf("said to be lost after %v, want %v", took, heardOf)
		}
		l.Mend()
		sink.waitState(tape.Live)
		allOf(t, d, sink, market)
		soundly(t, reader)
	})
}

func TestAWalsenderThatIsEndedIsReplaced(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	reader, sink := follow(t, d.URL(), tape.WAL)
	for round := range 3 {
		sink.waitState(tape.Live)
		connects := reader.Status().Connects
		d.Exec(t, "select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database()")
		for range 5 {
			buy(t, d, ana, market)
		}
		sink.waitEvents(market, 5*(round+1))
		sink.wait("a new connection", func() bool { return reader.Status().Connects > connects })
	}
	sink.waitState(tape.Live)
	allOf(t, d, sink, market)
	soundly(t, reader)
}

func TestAPostgresThatIsRestarted(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	ana, market := p.Account(t, "1000"), p.Market(t)
	readers := make(map[tape.Mode]*tape.Reader)
	sinks := make(map[tape.Mode]*recorder)
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		readers[mode], sinks[mode] = follow(t, p.URL(), mode)
	}
	for _, stop := range []func(testing.TB){p.stopFast, p.stopImmediately} {
		for _, sink := range sinks {
			sink.waitState(tape.Live)
		}
		for range 5 {
			buy(t, p.DB, ana, market)
		}
		stop(t)
		for _, sink := range sinks {
			sink.waitState(tape.Lost)
		}
		p.start(t)
		for range 5 {
			buy(t, p.DB, ana, market)
		}
	}
	for mode, sink := range sinks {
		sink.waitState(tape.Live)
		allOf(t, p.DB, sink, market)
		soundly(t, readers[mode])
	}
}
