package db_test

import (
	"context"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
)

// heardOf is what a tape reader has delivered of one market.
type heardOf struct {
	market string
	mu     sync.Mutex
	seqs   []int64
	resets int
	state  tape.State
}

func (s *heardOf) Publish(e tape.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Market == s.market {
		s.seqs = append(s.seqs, e.Seq)
	}
}

func (s *heardOf) Reset(market string, _ tape.Head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if market == s.market {
		s.resets++
	}
}

func (s *heardOf) SetState(state tape.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

func (s *heardOf) count() (events, resets int, state tape.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seqs), s.resets, s.state
}

// commitsWaitForAStandby is a part of TestServersOfAURL, with whose pair it is done: the standby
// stalls, somebody trades, others write and leave, the standby goes on.
func commitsWaitForAStandby(t *testing.T, p *dbtest.Pair, d *db.DB) {
	ctx := t.Context()
	p.First.Exec("alter system set synchronous_standby_names = 'standby'")
	p.First.Exec("select pg_reload_conf()")
	defer func() {
		p.First.Exec("alter system reset synchronous_standby_names")
		p.First.Exec("select pg_reload_conf()")
	}()
	poolersConnectionsKnow(t, p)
	p.First.Exec("select pgtape.create_market('safe', 'Will it?')")
	p.First.Exec("select pgtape.create_account('sam', 100)")
	sink := &heardOf{market: "safe"}
	reader := tape.NewReader(tape.Options{
		URL: d.URL(), Servers: d.Servers(), Mode: tape.WAL, Reconcile: 100 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	running, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = reader.Run(running, sink) })
	defer tasks.Wait()
	defer stop()
	eventually(t, "the reader to be live, and to know that commits wait", func() bool {
		_, _, state := sink.count()
		return state == tape.Live && d.Servers().Synchronous()
	})

	order := db.Order{Market: "safe", Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: "sam", IdempotencyKey: "one"}
	trade := func(ctx context.Context, key string) (db.Receipt, error) {
		o := order
		o.IdempotencyKey = key
		return d.Trade(ctx, o)
	}
	if _, err := trade(ctx, "before"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its event", func() bool { events, _, _ := sink.count(); return events == 1 })

	p.Second.Signal(syscall.SIGSTOP)
	traded := make(chan error, 1)
	go func() {
		soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := trade(db.UntilEnd(soon), "stalled")
		traded <- err
	}()
	eventually(t, "the trade to wait for the standby", func() bool { return waiting(t, p) == 1 })
	left := func(name string, ask func(context.Context) error) {
		soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if err := ask(soon); db.CodeOf(err) != db.Unavailable {
			t.Errorf("%s: the caller that has left is told %v, want unavailable", name, err)
		}
	}
	left("an account", func(ctx context.Context) error { _, err := d.CreateAccount(ctx, "left", ""); return err })
	left("the same order", func(ctx context.Context) error { _, err := trade(ctx, "stalled"); return err })
	left("a batch", func(ctx context.Context) error { _, err := d.TradeBatch(ctx, "safe", []db.Order{order}); return err })
	places := make(map[string]bool) // in the WAL, where each sign of life of the reader writes
	eventually(t, "several signs of life, and comparisons with the table", func() bool {
		var place string
		if err := p.First.Row(&place, "select pg_current_wal_lsn()::text"); err != nil {
			t.Fatal(err)
		}
		places[place] = true
		return len(places) > 8
	})
	if events, resets, state := sink.count(); events != 1 || resets != 1 || state != tape.Live {
		t.Errorf("while the standby stalls: %d events, %d resets, %s; want only the first, and the reader live", events, resets, state)
	}
	if n := waiting(t, p); n != 2 { // the others wait for the market that the first has locked
		t.Errorf("%d commits wait, want both: none was cancelled", n)
	}

	p.Second.Signal(syscall.SIGCONT)
	if err := <-traded; err != nil {
		t.Errorf("the trade that waited: %v", err)
	}
	eventually(t, "its event, and that of the batch", func() bool { events, _, _ := sink.count(); return events == 3 })
	if n, err := d.UnreadNotifications(ctx, "sam"); n != 0 || err != nil {
		t.Errorf("a row that is read as others are: %d (%v)", n, err)
	}
	if receipt, err := trade(ctx, "stalled"); err != nil || !receipt.Replayed {
		t.Errorf("asked again: %+v (%v), want what it had done", receipt, err)
	}
	if _, err := d.Account(ctx, "left"); err != nil {
		t.Errorf("what was asked for by who has left: %v", err)
	}
	if status := reader.Status(); status.Resets != 0 || status.Connects != 1 || status.Reconciled != 0 {
		t.Errorf("the reader: %+v", status)
	}
}

// poolersConnectionsKnow that commits wait: by themselves, as no reader connects through a pooler.
func poolersConnectionsKnow(t *testing.T, p *dbtest.Pair) {
	t.Helper()
	p.First.Exec("create role pooled login password 'secret' in role pgtape_server; alter role pooled set role = pgtape_server")
	eventually(t, "new sessions to have the setting", func() bool {
		d, err := db.Open(t.Context(), dbtest.URLs("pooled", "secret", db.OwnDatabase, p.First), db.Options{AsServer: true, Pooled: true})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		return d.Servers().Synchronous()
	})
}

// waiting is how many commits wait for the standby.
func waiting(t *testing.T, p *dbtest.Pair) (n int) {
	t.Helper()
	if err := p.First.Row(&n, "select count(*)::integer from pg_stat_activity where wait_event = 'SyncRep'"); err != nil {
		t.Fatal(err)
	}
	return n
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
