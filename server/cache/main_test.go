package cache_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/cache"
)

// A commit with synchronous_commit = on waits for a standby that never comes: it is in the WAL, and
// no session sees its rows, until somebody cancels the waiting.
func TestMain(m *testing.M) {
	dbtest.Main(m, map[string]string{"synchronous_standby_names": "nobody", "synchronous_commit": "local"})
}

const patience = 3 * time.Minute

// node is a cache that follows a database of its own, and what the node says that it has seen.
type node struct {
	*dbtest.DB
	*cache.Cache
	own     *db.DB // of the test's, so that nobody keeps it waiting
	reader  *tape.Reader
	mode    tape.Mode
	isNaive bool // byPlace

	mu     sync.Mutex
	heads  map[string]int64   // by market
	trades map[string]int64   // by account
	by     map[string][]trade // by market
	resets int                // a head may go back: a commit that is held for seconds is taken back, and comes again
	lsn    map[uint64]uint64
}

func newNode(t *testing.T, mode tape.Mode) *node {
	t.Helper()
	n := &node{
		DB: dbtest.New(t), mode: mode,
		heads: map[string]int64{}, trades: map[string]int64{}, lsn: map[uint64]uint64{}, by: map[string][]trade{},
	}
	n.Cache = cache.New(n.AsServer(t), 0)
	var err error
	n.own, err = db.Open(t.Context(), n.URL(), db.Options{MaxConns: 4})
	must(t, err)
	t.Cleanup(n.own.Close)
	return n
}

// follow runs the reader and returns when it is live.
func (n *node) follow(t *testing.T) {
	t.Helper()
	n.reader = tape.NewReader(tape.Options{URL: n.URL(), Mode: n.mode, Early: true})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.reader.Run(ctx, n) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	dbtest.WaitUntil(t, "a live tape", func() bool { return n.reader.Status().State == tape.Live })
}

// Publish is what the server's sink does: the cache first, then the hub, which tells the head.
func (n *node) Publish(e tape.Event) {
	if n.isNaive {
		at := n.walAt(context.Background())
		n.mu.Lock()
		n.lsn[e.XID] = at
		n.mu.Unlock()
	}
	n.Cache.Publish(e)
	account, _ := cache.TraderOf(e)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heads[e.Market] = e.Seq
	if account != "" {
		n.trades[account]++
		n.by[e.Market] = append(n.by[e.Market], trade{e.Seq, account})
	}
}

func (n *node) Reset(market string, head tape.Head) {
	n.Cache.Reset(market, head)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heads[market] = head.Seq
	n.resets++
	for last := len(n.by[market]) - 1; last >= 0 && n.by[market][last].seq > head.Seq; last-- {
		n.trades[n.by[market][last].account]--
		n.by[market] = n.by[market][:last]
	}
}

// trade is one that the tape has brought.
type trade struct {
	seq     int64
	account string
}

func (n *node) head(market string) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.heads[market]
}

// byPlace makes the cache one that stamps a fill with its place in the WAL, and keeps it if that is
// behind every event it depends on: what one would do who thinks that what is in the WAL can be seen.
func (n *node) byPlace() {
	n.lsn[0] = 0
	n.Judge(func(ctx context.Context, read func(context.Context, *db.DB) error) (db.Snapshot, error) {
		at := n.walAt(ctx)
		return db.Snapshot{Max: at}, read(ctx, n.DB.DB)
	}, func(s db.Snapshot, xid uint64) bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		at, known := n.lsn[xid]
		return known && s.Max >= at
	})
	n.mode = tape.WAL
	n.isNaive = true
}

func (n *node) walAt(ctx context.Context) (at uint64) {
	_ = n.own.Pool().QueryRow(ctx, "select (pg_current_wal_lsn() - '0/0')::bigint").Scan(&at)
	return at
}

// held is a trade whose commit waits.
type held struct {
	n    *node
	pid  uint32
	done chan error
}

// hold makes a trade whose commit waits until it is released.
func (n *node) hold(t *testing.T, account, market string) *held {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.URL())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	_, err = conn.Exec(t.Context(), "set synchronous_commit = on")
	must(t, err)
	h := &held{n, conn.PgConn().PID(), make(chan error, 1)}
	go func() {
		_, err := conn.Exec(t.Context(), "select pgtape.trade($1, 'yes', 'buy', shares => 1, max_cost => 1, account => $2)", market, account)
		h.done <- err
	}()
	return h
}

// release lets the commit be seen.
func (h *held) release(t *testing.T) {
	t.Helper()
	for deadline := time.After(patience); ; {
		_, err := h.n.own.Pool().Exec(t.Context(), "select pg_cancel_backend($1)", h.pid)
		must(t, err)
		select {
		case err := <-h.done:
			must(t, err)
			return
		case <-deadline:
			t.Fatal("the commit is held for ever")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// market is a query for a market's state.
func market(slug string) cache.Query[db.Market] {
	return cache.Query[db.Market]{
		Name: []string{"market", slug}, Keys: []cache.Key{cache.Market(slug)},
		Read: func(ctx context.Context, d *db.DB) (db.Market, error) { return d.Market(ctx, slug) },
	}
}

func (n *node) get(t testing.TB, slug string) cache.Found[db.Market] {
	t.Helper()
	found, err := cache.Get(t.Context(), n.Cache, market(slug))
	must(t, err)
	return found
}

// is fails the test if an answer was not come by like this, or is of another version.
func (n *node) is(t *testing.T, slug string, how cache.How, version int64) {
	t.Helper()
	if found := n.get(t, slug); found.How != how || found.Value.Version != version {
		t.Fatalf("a %s of version %d, want a %s of %d", found.How, found.Value.Version, how, version)
	}
}

func (n *node) buy(t testing.TB, account, market string) db.Receipt {
	t.Helper()
	receipt, err := n.Trade(t.Context(), db.Order{Account: account, Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"})
	must(t, err)
	return receipt
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
