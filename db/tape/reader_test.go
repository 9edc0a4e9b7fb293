package tape_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
)

// recorder is a sink that checks the order of what it is given and remembers it.
type recorder struct {
	t       *testing.T
	mu      sync.Mutex
	changed chan struct{} // closed and made anew at every change
	events  map[string][]tape.Event
	resets  map[string][]tape.Head
	states  []tape.State
	lostAt  time.Time
	publish func() // called, outside of the lock, with each event
}

func newRecorder(t *testing.T) *recorder {
	return &recorder{
		t: t, changed: make(chan struct{}),
		events: make(map[string][]tape.Event), resets: make(map[string][]tape.Head),
	}
}

func (r *recorder) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) Publish(e tape.Event) {
	r.change(func() {
		before := r.events[e.Market]
		if len(before) > 0 && before[len(before)-1].Seq+1 != e.Seq {
			r.t.Errorf("%s: seq %d follows %d", e.Market, e.Seq, before[len(before)-1].Seq)
		}
		r.events[e.Market] = append(before, e)
	})
	r.mu.Lock()
	publish := r.publish
	r.mu.Unlock()
	if publish != nil {
		publish()
	}
}

// onPublish has something done with each event from now on.
func (r *recorder) onPublish(do func()) { r.change(func() { r.publish = do }) }

func (r *recorder) Reset(market string, head tape.Head) {
	r.change(func() {
		r.events[market] = nil
		r.resets[market] = append(r.resets[market], head)
	})
}

func (r *recorder) SetState(s tape.State) {
	r.change(func() {
		r.states = append(r.states, s)
		if s == tape.Lost {
			r.lostAt = time.Now()
		}
	})
}

// wait blocks until the condition, asked under the lock, holds.
func (r *recorder) wait(what string, condition func() bool) {
	r.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		r.mu.Lock()
		done, changed := condition(), r.changed
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond): // what a status says is not told
		case <-deadline:
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (r *recorder) waitState(s tape.State) {
	r.t.Helper()
	r.wait(string(s), func() bool { return len(r.states) > 0 && r.states[len(r.states)-1] == s })
}

// waitHead blocks until the reader has said where the tape of a market stands: what comes from then
// on are events.
func (r *recorder) waitHead(market string) {
	r.t.Helper()
	r.wait("the head of "+market, func() bool { return len(r.resets[market]) > 0 })
}

func (r *recorder) waitEvents(market string, n int) []tape.Event {
	r.t.Helper()
	r.wait(fmt.Sprintf("%d events of %s", n, market), func() bool { return len(r.events[market]) >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[market]
}

// follow runs a reader until the test ends.
func follow(t *testing.T, url string, mode tape.Mode) (*tape.Reader, *recorder) {
	t.Helper()
	return followWith(t, tape.Options{URL: url, Mode: mode})
}

func followWith(t *testing.T, o tape.Options, changes ...func(*tape.Reader)) (*tape.Reader, *recorder) {
	t.Helper()
	o.Reconcile = cmp.Or(o.Reconcile, 100*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	reader := tape.NewReader(o)
	for _, change := range changes {
		change(reader)
	}
	sink := newRecorder(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := reader.Run(ctx, sink); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wait.Wait() })
	return reader, sink
}

func inBothModes(t *testing.T, test func(t *testing.T, mode tape.Mode)) {
	t.Parallel()
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			test(t, mode)
		})
	}
}

func buy(t *testing.T, d *dbtest.DB, account, market string) db.Receipt {
	t.Helper()
	receipt, err := d.Trade(t.Context(), db.Order{
		Account: account, Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func TestEveryEventIsDeliveredOnceAndInOrder(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		markets := []string{d.Market(t), d.Market(t), d.Market(t)}
		reader, sink := follow(t, d.URL(), mode)
		sink.waitState(tape.Live)

		const traders, each = 6, 15
		var wait sync.WaitGroup
		for range traders {
			account := d.Account(t, "1000")
			wait.Go(func() {
				for i := range each {
					buy(t, d, account, markets[i%len(markets)])
				}
			})
		}
		wait.Wait()
		for _, market := range markets {
			events := sink.waitEvents(market, traders*each/len(markets))
			stored, err := d.TapeAfter(t.Context(), market, "", 1000)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, events, stored[1:]) // the first was there before the reader
		}
		late := d.Market(t)
		if e := sink.waitEvents(late, 1)[0]; e.Seq != 1 || e.Kind != "created" {
			t.Errorf("first event of a new market: %d %s", e.Seq, e.Kind)
		}
		if status := reader.Status(); status.Reconciled != 0 || status.Resets != 0 || status.Mode != mode {
			t.Errorf("status %+v, want nothing found by reconciliation", status)
		}
	})
}

func compare(t *testing.T, got, want []tape.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, the table has %d", len(got), len(want))
	}
	for i := range got {
		got[i].XID = 0 // which the table does not tell
		if g, w := fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", want[i]); g != w {
			t.Fatalf("event %s\ntable %s", g, w)
		}
	}
}

func TestWhatWasCommittedWhileTheReaderWasLostComesFirst(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		ana, market := d.Account(t, "1000"), d.Market(t)
		reader, sink := follow(t, d.URL(), mode)
		sink.waitState(tape.Live)
		buy(t, d, ana, market)
		sink.waitEvents(market, 1)

		for round := range 3 {
			connects := reader.Status().Connects
			d.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgtape reader' and datname = current_database()")
			for range 5 {
				buy(t, d, ana, market)
			}
			sink.waitEvents(market, 6+5*round)
			sink.wait("a new connection", func() bool { return reader.Status().Connects > connects })
			sink.waitState(tape.Live)
		}
		if status := reader.Status(); status.Reconciled != 0 || status.Resets != 0 {
			t.Errorf("status %+v, want nothing found by reconciliation", status)
		}
		if states := fmt.Sprint(sink.states); !strings.Contains(states, "live lost catching_up live") {
			t.Errorf("states %s", states)
		}
	})
}

func TestTheTableIsTailedUntilTheStreamIsReady(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		ana, market := d.Account(t, "1000"), d.Market(t)
		// An open writing transaction holds up a new slot, and may not have heard of the doorbell.
		tx, err := d.Pool().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(context.WithoutCancel(t.Context()))
		if _, err := tx.Exec(t.Context(), "select pg_current_xact_id()"); err != nil {
			t.Fatal(err)
		}
		_, sink := follow(t, d.URL(), mode)
		sink.waitState(tape.CatchingUp)
		sink.waitHead(market)
		buy(t, d, ana, market)
		sink.waitEvents(market, 1)
		if s := sink.states[len(sink.states)-1]; s != tape.CatchingUp {
			t.Errorf("state %s while a transaction is open, want %s", s, tape.CatchingUp)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		sink.waitState(tape.Live)
		buy(t, d, ana, market)
		sink.waitEvents(market, 2)
	})
}

func TestReconciliationFindsWhatALostDoorbellSkipped(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	reader, sink := follow(t, d.URL(), tape.Notify)
	sink.waitState(tape.Live)
	d.Exec(t, "update pgtape_core.doorbell set ringing_until = '-infinity'")
	buy(t, d, ana, market)
	buy(t, d, ana, market)
	sink.waitEvents(market, 2)
	sink.wait("the count", func() bool { return reader.Status().Reconciled >= 1 })
}

func TestAnotherHistoryIsNeverMixedIn(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		ana, market, other := d.Account(t, "1000"), d.Market(t), d.Market(t)
		for range 3 {
			buy(t, d, ana, market)
		}
		_, sink := follow(t, d.URL(), mode)
		sink.waitState(tape.Live)
		buy(t, d, ana, market)
		buy(t, d, ana, other)
		sink.waitEvents(market, 1)
		sink.waitEvents(other, 1)

		// As after a failover that lost its tail: the last two events are gone, others take their place.
		var wrote []db.Receipt
		d.Exec(t, "alter table pgtape_core.tape disable trigger append_only")
		d.Exec(t, "delete from pgtape_core.tape where market = $1 and seq > 3", market)
		d.Exec(t, `update pgtape_core.book b set version = 3, head = t.hash
			from pgtape_core.tape t, pgtape_core.market m where m.slug = $1 and b.market_id = m.id and t.market = $1 and t.seq = 3`, market)
		d.Exec(t, "alter table pgtape_core.trade disable trigger append_only")
		d.Exec(t, "delete from pgtape_core.trade t using pgtape_core.market m where m.slug = $1 and t.market_id = m.id and t.seq > 3", market)
		for range 5 {
			wrote = append(wrote, buy(t, d, ana, market))
		}
		sink.wait("a reset", func() bool { return len(sink.resets[market]) == 2 })
		reset := sink.resets[market][1]
		last := wrote[len(wrote)-1].Version
		sink.wait("the new history", func() bool {
			events := sink.events[market]
			return reset.Seq == last || len(events) > 0 && events[len(events)-1].Seq == last
		})
		stored, err := d.TapeAfter(t.Context(), market, reset.String(), 100)
		if err != nil {
			t.Fatalf("the reset is no point of the new history: %v", err)
		}
		compare(t, sink.events[market], stored)
		if len(sink.resets[other]) != 1 {
			t.Errorf("the other market was reset too")
		}
	})
}

func TestAProbeMeasuresTheWayFromCommitToReader(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		reader, sink := follow(t, d.URL(), mode)
		sink.waitState(tape.Live)
		deadline := time.Now().Add(10 * time.Second)
		for reader.Status().Lag == 0 {
			if time.Now().After(deadline) {
				t.Fatal("no probe came back")
			}
			_, _ = d.Market(t), reader.Status()
		}
	})
}

func TestAutoSaysWhichModeAndWhy(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	role := "reader_" + strings.ToLower(strings.TrimPrefix(d.Account(t, "1"), "a"))
	d.Exec(t, "create role "+role+" login in role pgtape_server")
	config, err := pgx.ParseConfig(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	choose := func(user string, asked tape.Mode) (tape.Mode, string, error) {
		c := config.Copy()
		c.User = user
		conn, err := pgx.ConnectConfig(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		return tape.Choose(t.Context(), conn, asked)
	}
	if mode, why, err := choose(config.User, tape.Auto); mode != tape.WAL || why == "" || err != nil {
		t.Errorf("a superuser: %s, %q, %v", mode, why, err)
	}
	if mode, why, err := choose(role, tape.Auto); mode != tape.Notify || !strings.Contains(why, "replication") || err != nil {
		t.Errorf("a login without REPLICATION: %s, %q, %v", mode, why, err)
	}
	if _, _, err := choose(role, tape.WAL); err == nil {
		t.Errorf("a login without REPLICATION was given the WAL")
	}
	d.Exec(t, "alter role "+role+" replication")
	if mode, _, err := choose(role, tape.WAL); mode != tape.WAL || err != nil {
		t.Errorf("a login with REPLICATION: %s, %v", mode, err)
	}
}

func TestAServersLoginIsEnoughForBothModes(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		ana, market := d.Account(t, "1000"), d.Market(t)
		role := "server_" + ana[1:]
		d.Exec(t, "create role "+role+" login replication in role pgtape_server")
		config, err := pgx.ParseConfig(d.URL())
		if err != nil {
			t.Fatal(err)
		}
		url := strings.Replace(d.URL(), config.User+"@", role+"@", 1)
		_, sink := follow(t, url, mode)
		sink.waitState(tape.Live)
		buy(t, d, ana, market)
		sink.waitEvents(market, 1)
	})
}
