package state_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/state"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const patience = 3 * time.Minute

// node is a memory that follows a database of its own.
type node struct {
	*dbtest.DB
	*state.Markets
	reads atomic.Int64
	pages atomic.Int64               // of pasts
	read  atomic.Pointer[state.Read] // instead of the database's
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{DB: dbtest.New(t)}
	asServer := n.AsServer(t)
	n.Markets = state.New(func(ctx context.Context, slug string) (db.MarketState, error) {
		n.reads.Add(1)
		if read := n.read.Load(); read != nil {
			return (*read)(ctx, slug)
		}
		return asServer.MarketState(ctx, slug)
	}, func(ctx context.Context, slug, after string, limit int) ([]tape.Event, error) {
		n.pages.Add(1)
		return asServer.TapeAfter(ctx, slug, after, limit)
	})
	return n
}

// follow runs a tape reader and returns when it is live.
func (n *node) follow(t *testing.T) {
	t.Helper()
	reader := tape.NewReader(tape.Options{URL: n.URL()})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx, n.Markets) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	dbtest.WaitUntil(t, "a live tape", func() bool { return reader.Status().State == tape.Live })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (n *node) get(t testing.TB, slug string) *state.View {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	view, err := n.Get(ctx, slug)
	must(t, err)
	return view
}

// stored is the market as the database has it.
func (n *node) stored(t testing.TB, slug string) (m db.Market, text string) {
	t.Helper()
	m, err := n.DB.DB.Market(t.Context(), slug)
	must(t, err)
	encoded, err := json.Marshal(m)
	must(t, err)
	return m, string(encoded)
}

// same compares memory and database when the tape has brought all there is.
func (n *node) same(t testing.TB, slug string) {
	t.Helper()
	m, want := n.stored(t, slug)
	dbtest.WaitUntil(t, "the tape", func() bool { return n.get(t, slug).Market.Version >= m.Version })
	if got := string(n.get(t, slug).JSON()); got != want {
		t.Fatalf("in memory\n%s\nin the database\n%s", got, want)
	}
}

func (n *node) buy(t testing.TB, account, slug string) db.Receipt {
	t.Helper()
	receipt, err := n.Trade(t.Context(), db.Order{
		Account: account, Market: slug, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1",
	})
	must(t, err)
	return receipt
}

// event is the one of a seq, as the tape has it.
func (n *node) event(t testing.TB, slug string, seq int64) tape.Event {
	t.Helper()
	events, err := n.TapeAfter(t.Context(), slug, "", int(seq))
	must(t, err)
	return events[seq-1]
}
