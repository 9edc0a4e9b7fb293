package tape_test

import (
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
)

// inMode waits until a reader is live in a mode, for a reason.
func inMode(t *testing.T, reader *tape.Reader, mode tape.Mode, why string) {
	t.Helper()
	waitFor(t, "mode "+string(mode), func() bool {
		status := reader.Status()
		return status.Mode == mode && status.State == tape.Live && strings.Contains(status.Why, why)
	})
}

// asServer is the URL of a login with the rights that a reader needs, and no more.
func asServer(t *testing.T, d *dbtest.DB) (url, login string) {
	t.Helper()
	login = "login_" + strings.ToLower(rand.Text())
	d.Exec(t, "create role "+login+" login replication in role pgtape_server")
	config, err := pgx.ParseConfig(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(d.URL(), config.User+"@", login+"@", 1), login
}

// trading buys until stopped.
func trading(t *testing.T, d *dbtest.DB, market string) (stop func()) {
	t.Helper()
	ana := d.Account(t, "1000")
	end := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-end:
				return
			case <-time.After(20 * time.Millisecond):
				buy(t, d, ana, market)
			}
		}
	})
	stop = sync.OnceFunc(func() { close(end); wait.Wait() })
	t.Cleanup(stop)
	return stop
}

func TestTheModeFollowsWhatTheDatabaseAllows(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market := d.Market(t)
	url, login := asServer(t, d)
	reader, sink := followWith(t, tape.Options{URL: url, Mode: tape.Auto, Recheck: 200 * time.Millisecond})
	inMode(t, reader, tape.WAL, "allows")
	stop := trading(t, d, market)

	d.Exec(t, "alter role "+login+" noreplication")
	d.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", login)
	inMode(t, reader, tape.Notify, "replication")
	seen := len(sink.waitEvents(market, 1))
	sink.waitEvents(market, seen+10)

	connects := reader.Status().Connects
	sink.mu.Lock()
	states := len(sink.states)
	sink.mu.Unlock()
	d.Exec(t, "alter role "+login+" replication")
	inMode(t, reader, tape.WAL, "allows")
	seen = len(sink.waitEvents(market, 1))
	sink.waitEvents(market, seen+10)
	stop()
	allOf(t, d, sink, market)
	soundly(t, reader)
	if reader.Status().Connects != connects {
		t.Error("the connection was lost in changing over")
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if got := sink.states[states:]; len(got) > 0 {
		t.Errorf("states while changing over: %v, want it live all the time", got)
	}
}

func TestTheWALIsWaitedForWhileAllSlotsAreTaken(t *testing.T) {
	t.Parallel()
	p := newPostgres(t, "max_replication_slots", "1")
	market := p.Market(t)
	p.Exec(t, "select pg_create_logical_replication_slot('somebodys', 'pgoutput')")
	reader, sink := followWith(t, tape.Options{URL: p.URL(), Mode: tape.Auto, Recheck: 200 * time.Millisecond})
	inMode(t, reader, tape.Notify, "slots are taken")
	stop := trading(t, p.DB, market)
	sink.waitEvents(market, 10)
	p.Exec(t, "select pg_drop_replication_slot('somebodys')")
	inMode(t, reader, tape.WAL, "allows")

	// A reader that comes back from a break has the slot again.
	for range 3 {
		p.Exec(t, "select pg_terminate_backend(active_pid) from pg_replication_slots")
		seen := len(sink.waitEvents(market, 1))
		sink.waitEvents(market, seen+5)
		inMode(t, reader, tape.WAL, "allows")
	}
	stop()
	allOf(t, p.DB, sink, market)
	soundly(t, reader)
}

func TestAWALThatIsAllowedButCannotBeOpened(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	through, l := dbtest.Linked(t, d.URL())
	l.Cut() // as a pooler that knows no replication
	market := d.Market(t)
	reader, sink := followWith(t, tape.Options{URL: d.URL(), Mode: tape.Auto, Recheck: 200 * time.Millisecond},
		func(r *tape.Reader) { r.StreamURL(tape.WAL, through) })
	inMode(t, reader, tape.Notify, "could not be opened")
	stop := trading(t, d, market)
	sink.waitEvents(market, 10)
	l.Mend()
	inMode(t, reader, tape.WAL, "allows")
	stop()
	allOf(t, d, sink, market)
	soundly(t, reader)
}
