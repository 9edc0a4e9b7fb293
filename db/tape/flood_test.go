package tape_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/hosts"
	"github.com/pgtape/pgtape/db/tape"
)

// Anybody who may connect can NOTIFY: forged doorbells, of markets that there are and that there are
// not, and forged signs of life hold nobody up.
func TestForgedDoorbellsDelayNothing(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market, other := d.Account(t, "1000"), d.Market(t), d.Market(t)
	reader, sink := follow(t, d.URL(), tape.Notify)
	sink.waitState(tape.Live)
	for _, forged := range []string{
		"select pg_notify('pgtape_tape', '" + other + " ' || n) from generate_series(1000, 101000) n",
		"select pg_notify('pgtape_tape', 'none' || n || ' 1') from generate_series(1, 100000) n",
		"select pg_notify('pgtape_tape', 'probe:' || n) from generate_series(1, 50000) n",
		"select pg_notify('pgtape_tape', repeat('x', 7000) || n || ' 1') from generate_series(1, 2000) n",
	} {
		before := len(allSeen(sink, market))
		d.Exec(t, forged)
		began := time.Now()
		buy(t, d, ana, market)
		sink.waitEvents(market, before+1)
		if late := time.Since(began); late > floodLimit {
			t.Errorf("an event came %v after it was committed, behind %q", late, forged)
		}
	}
	made := d.Market(t) // one that the reader does not know yet
	sink.wait("the first event of a new market", func() bool { return len(sink.events[made]) > 0 })
	allOf(t, d, sink, market)
	if status := reader.Status(); status.Resets != 0 || status.Connects != 1 {
		t.Errorf("status %+v", status)
	}
}

// floodLimit is for what is answered one by one: that took 35 s and more.
const floodLimit = 10 * time.Second

func allSeen(sink *recorder, market string) []tape.Event {
	sink.mu.Lock()
	defer sink.mu.Unlock()
	return sink.events[market]
}

// What others write to the WAL is not even sent to us, however much it is.
func TestForeignMessagesInTheWALAreNotRead(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	reader, sink := follow(t, d.URL(), tape.WAL)
	sink.waitState(tape.Live)
	for i, foreign := range []string{
		"select pg_logical_emit_message(true, 'pgtape', repeat('x', 20000000))",
		"select pg_logical_emit_message(false, 'somebody', repeat('x', 60000000))",
		"select pg_logical_emit_message(true, 'pgtape', '') from generate_series(1, 2000)",
	} {
		d.Exec(t, foreign)
		buy(t, d, ana, market)
		sink.waitEvents(market, i+1)
	}
	allOf(t, d, sink, market)
	soundly(t, reader)
	if status := reader.Status(); status.Connects != 1 || status.Mode != tape.WAL {
		t.Errorf("status %+v, want one connection all along", status)
	}
}

// A pool beside the reader hears that the database is lost when it is, and not when it refuses what only
// the reader wants.
func TestOnlyALostDatabaseIsToldAsLost(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "drop publication pgtape_tape")
	servers := hosts.New(d.URL())
	var lost, tries atomic.Int32
	servers.WhenLost(func() { lost.Add(1) })
	log := slog.New(slog.NewTextHandler(writer(func() { tries.Add(1) }), nil))
	_, sink := followWith(t, tape.Options{URL: d.URL(), Servers: servers, Mode: tape.WAL, Log: log})
	sink.wait("several attempts", func() bool { return tries.Load() >= 3 })
	if n := lost.Load(); n != 0 {
		t.Errorf("%d of them were told as losses", n)
	}
	d.Exec(t, "create publication pgtape_tape for table pgtape_core.tape with (publish = 'insert')")
	sink.waitState(tape.Live)
	d.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgtape reader' and datname = current_database()")
	sink.wait("the loss to be told", func() bool { return lost.Load() > 0 })
}

// writer is called for each line of a log.
type writer func()

func (w writer) Write(line []byte) (int, error) {
	w()
	return len(line), nil
}

// A publication that is changed under the reader is noticed by the first event that it leaves out.
func TestAPublicationThatStoppedPublishing(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][2]string{
		"without its table": {
			"alter publication pgtape_tape drop table pgtape_core.tape", "alter publication pgtape_tape add table pgtape_core.tape",
		},
		"without inserts": {
			"alter publication pgtape_tape set (publish = 'update')", "alter publication pgtape_tape set (publish = 'insert')",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.New(t)
			ana, market := d.Account(t, "1000"), d.Market(t)
			reader, sink := followWith(t, tape.Options{URL: d.URL(), Recheck: 200 * time.Millisecond})
			inMode(t, reader, tape.WAL, "allows")
			d.Exec(t, changes[0])
			buy(t, d, ana, market)
			inMode(t, reader, tape.Notify, "publication")
			buy(t, d, ana, market)
			sink.waitEvents(market, 2)
			if reader.Status().Reconciled == 0 {
				t.Error("what was found is not counted")
			}
			d.Exec(t, changes[1])
			inMode(t, reader, tape.WAL, "allows")
			buy(t, d, ana, market)
			allOf(t, d, sink, market)
		})
	}
	t.Run("while the WAL is asked for", func(t *testing.T) {
		t.Parallel()
		d := dbtest.New(t)
		ana, market := d.Account(t, "1000"), d.Market(t)
		reader, sink := follow(t, d.URL(), tape.WAL)
		sink.waitState(tape.Live)
		d.Exec(t, "alter publication pgtape_tape drop table pgtape_core.tape")
		buy(t, d, ana, market)
		sink.waitEvents(market, 1)
		sink.wait("the state to be told", func() bool { return len(sink.states) > 0 && sink.states[len(sink.states)-1] != tape.Live })
		buy(t, d, ana, market)
		sink.waitEvents(market, 2) // late, but they come
		if reader.Status().State == tape.Live {
			t.Error("it is said to be live, though nothing comes by itself")
		}
	})
}
