package db_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// gated opens a database as a server does, with so many connections under a name of their own.
func gated(t *testing.T, d *dbtest.DB, o db.Options) (server *db.DB, name string) {
	t.Helper()
	name = "gated" + strings.ToLower(t.Name()[4:])
	o.AsServer = true
	server, err := db.Open(t.Context(), withParameter(d.URL(), "application_name="+name), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, name
}

func withParameter(url, parameter string) string {
	if strings.Contains(url, "?") {
		return url + "&" + parameter
	}
	return url + "?" + parameter
}

// peak watches how many connections of a name there are, until it is asked for the most.
func peak(t *testing.T, d *dbtest.DB, name string) func() int {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	most, ended := 0, make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			var n int
			if d.Pool().QueryRow(ctx, "select count(*) from pg_stat_activity where application_name = $1", name).Scan(&n) == nil {
				most = max(most, n)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return func() int {
		stop()
		<-ended
		return most
	}
}

func budget(t *testing.T, d *db.DB, kind string) db.Budget {
	t.Helper()
	all := d.Budgets()
	i := slices.IndexFunc(all, func(b db.Budget) bool { return b.Kind == kind })
	return all[i]
}

// Fifty times as many at once as there are connections: all are answered, in their turn, and Postgres
// never has more connections than it was told.
func TestFiftyTimesAsManyAsConnectionsWaitTheirTurn(t *testing.T) {
	t.Parallel()
	const conns, asked, rest = 8, 50 * 8, 0.03
	d := dbtest.New(t)
	server, name := gated(t, d, db.Options{MaxConns: conns, Wait: time.Minute})
	usable := conns - 4 // of reads: one is kept for operators, one for reports, two for trades

	var alone time.Duration
	for range 10 {
		began := time.Now()
		if err := server.Sleep(t.Context(), "read", rest); err != nil {
			t.Fatal(err)
		}
		alone += time.Since(began) / 10
	}
	most := peak(t, d, name)
	took := make([]time.Duration, asked)
	var waiting sync.WaitGroup
	for i := range asked {
		waiting.Go(func() {
			began := time.Now()
			if err := server.Sleep(t.Context(), "read", rest); err != nil {
				t.Errorf("request %d: %v", i, err)
			}
			took[i] = time.Since(began)
		})
	}
	waiting.Wait()
	if n := most(); n > conns {
		t.Errorf("%d connections at a time, want %d at most", n, conns)
	}
	slices.Sort(took)
	ideal := time.Duration(asked/usable) * alone
	p99 := took[asked*99/100]
	t.Logf("%d requests, %d connections, %v each: p99 %v, ideal %v", asked, usable, alone, p99, ideal)
	if p99 > ideal*3/2 {
		t.Errorf("p99 %v, want 1.5 times %v at most", p99, ideal)
	}
	if b := budget(t, server, "read"); b.Admitted < asked || b.Full+b.Late > 0 || b.Waiting+b.InUse > 0 {
		t.Errorf("%+v", b)
	}
}

// Clients that give up leave no connection behind that would be one too many.
func TestWhoGivesUpLeavesNoConnectionBehind(t *testing.T) {
	t.Parallel()
	const conns = 8
	d := dbtest.New(t)
	server, name := gated(t, d, db.Options{MaxConns: conns, Wait: time.Minute})
	most := peak(t, d, name)
	var waiting sync.WaitGroup
	for i := range 200 {
		waiting.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i)*time.Millisecond)
			defer cancel()
			_ = server.Sleep(ctx, []string{"read", "trade", "insight", "operate"}[i%4], 0.02)
		})
	}
	waiting.Wait()
	if n := most(); n > conns {
		t.Errorf("%d connections at a time, want %d at most", n, conns)
	}
	if err := server.Sleep(t.Context(), "insight", 0); err != nil {
		t.Error(err)
	}
	for _, b := range server.Budgets() {
		if b.InUse+b.Waiting > 0 {
			t.Errorf("still there: %+v", b)
		}
	}
}

// Reports that take for ever fill their budget, and trades are as fast as before.
func TestSlowReportsDoNotHoldUpTrades(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server, _ := gated(t, d, db.Options{MaxConns: 8, Wait: time.Minute})
	market, account := d.Market(t), d.Account(t, "1000")
	median := func() time.Duration {
		var took []time.Duration
		for range 30 {
			began := time.Now()
			_, err := server.Trade(t.Context(), db.Order{Account: account, Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"})
			if err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	median()
	before := median()

	ctx, end := context.WithCancel(t.Context())
	var reports sync.WaitGroup
	for range 40 {
		reports.Go(func() { _ = server.Sleep(ctx, "insight", 60) })
	}
	dbtest.WaitUntil(t, "the reports", func() bool {
		b := budget(t, server, "insight")
		return b.InUse == b.Most && b.InUse+b.Waiting == 40
	})
	during := median()
	b := budget(t, server, "insight")
	end()
	reports.Wait()
	t.Logf("a trade takes %v, beside %d reports and %d that wait %v", before, b.InUse, b.Waiting, during)
	if b.InUse != 2 || b.Waiting != 38 {
		t.Errorf("the reports did not last: %+v", b)
	}
	if during > 3*before+5*time.Millisecond { // of what the machine does besides
		t.Errorf("a trade takes %v beside reports, %v without", during, before)
	}
}

// Who would be one too many, or waits too long, is told so; operators still get through.
func TestWhoWaitsTooLongIsTurnedAway(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server, _ := gated(t, d, db.Options{MaxConns: 8, Wait: time.Second})
	ctx, end := context.WithCancel(t.Context())
	var holding sync.WaitGroup
	for _, kind := range []string{"read", "trade", "insight"} {
		for range 8 {
			holding.Go(func() { _ = server.Sleep(ctx, kind, 60) })
		}
	}
	dbtest.WaitUntil(t, "all to be taken", func() bool {
		n := 0
		for _, b := range server.Budgets() {
			n += b.InUse
			if b.Waiting > 0 {
				return false // those that wait are soon turned away
			}
		}
		return n == 7
	})
	var refused atomic.Int64
	var asking sync.WaitGroup
	for range 600 { // there is room for 512
		asking.Go(func() {
			if err := server.Sleep(t.Context(), "read", 0); db.CodeOf(err) == db.Unavailable {
				refused.Add(1)
			}
		})
	}
	asking.Wait()
	if err := server.Ping(t.Context()); err != nil {
		t.Errorf("no sign of life: %v", err)
	}
	b := budget(t, server, "read")
	end()
	holding.Wait()
	if refused.Load() != 600 || b.Full == 0 || b.Late == 0 {
		t.Errorf("%d refused, %+v", refused.Load(), b)
	}
}

// Where the login may have fewer connections than the pool would take, a statement waits for one that
// is there; where somebody else has them all, the caller hears why.
func TestAStatementWaitsForAConnectionThatIsThere(t *testing.T) {
	t.Parallel()
	const limit, asked = 3, 72
	d := dbtest.New(t)
	name := "few_" + strings.ToLower(rand.Text()[:8])
	d.Exec(t, fmt.Sprintf("create role %s login connection limit %d in role pgtape_server", name, limit))
	defer d.Exec(t, "drop role "+name)
	url := withParameter(d.URL(), "user="+name)
	few, err := db.Open(t.Context(), url, db.Options{AsServer: true, MaxConns: 16, Wait: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer few.Close()
	var waiting sync.WaitGroup
	for i := range asked {
		waiting.Go(func() {
			if err := few.Sleep(t.Context(), []string{"read", "trade", "operate"}[i%3], 0.01); err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		})
	}
	waiting.Wait()
	few.Close()

	none, err := db.Open(t.Context(), url, db.Options{AsServer: true, MaxConns: 16, Wait: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	none.Pool().Reset()
	for range limit {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
	}
	var refused *db.Error
	err = none.Sleep(t.Context(), "read", 0)
	if !errors.As(err, &refused) || refused.Reason != db.ReasonConnections {
		t.Errorf("without a connection: %v", err)
	}
	if counts, _ := none.Failures(); counts[db.ReasonConnections] == 0 {
		t.Errorf("nothing is counted: %v", counts)
	}
}
