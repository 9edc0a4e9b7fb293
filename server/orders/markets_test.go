package orders_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server/orders"
)

// gated is a book whose single trades wait at a gate, and that counts the calls of many markets.
type gated struct {
	*db.DB
	waiting, open chan struct{}

	mu    sync.Mutex
	calls []int // orders of each TradeFree
}

func (g *gated) Trade(ctx context.Context, o db.Order) (db.Receipt, error) {
	g.waiting <- struct{}{}
	<-g.open
	return g.DB.Trade(ctx, o)
}

func (g *gated) TradeFree(ctx context.Context, list []db.Order) (map[int]db.Placed, []int, error) {
	g.mu.Lock()
	g.calls = append(g.calls, len(list))
	g.mu.Unlock()
	return g.DB.TradeFree(ctx, list)
}

func (g *gated) count() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, orders := range g.calls {
		n += orders
	}
	return n
}

// While all lanes are taken, orders of many markets gather and go together; those of a market that
// somebody has locked hold up no other.
func TestOrdersOfManyMarketsGoTogether(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	g := &gated{DB: d.DB, waiting: make(chan struct{}, 100), open: make(chan struct{})}
	q := orders.New(g)
	q.SetPatience(time.Hour)
	var (
		sent sync.WaitGroup
		mu   sync.Mutex
		got  = map[string]db.Receipt{}
	)
	send := func(market, account, key string) {
		sent.Go(func() {
			receipt, err := q.Trade(t.Context(), db.Order{
				Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: account, IdempotencyKey: key,
			})
			if err != nil {
				t.Errorf("order %s: %v", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[key] = receipt
		})
	}
	for i := range 4 { // who take the lanes
		send(d.Market(t), d.Account(t, "100"), fmt.Sprint("lane ", i))
		<-g.waiting
	}
	var markets []string
	for range 10 {
		markets = append(markets, d.Market(t))
	}
	locked := lock(t, d, "book b join pgtape_core.market m on m.id = b.market_id where m.slug = '"+markets[0]+"'")
	for i, market := range markets {
		for k := range 3 {
			send(market, d.Account(t, "100"), fmt.Sprint(i, " ", k))
		}
	}
	for _, market := range markets {
		waitUntil(t, "orders to gather", func() bool { return q.Waiting(market) == 3 })
	}
	close(g.open)
	waitUntil(t, "all but the locked market's", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == 4+9*3
	})
	if n := g.count(); n != 30 {
		t.Errorf("%d orders went in calls of many markets (%v), want 30", n, g.calls)
	}
	locked()
	sent.Wait()
	for _, market := range markets {
		m, err := d.DB.Market(t.Context(), market)
		if err != nil || m.Version != 4 {
			t.Errorf("market %+v (%v), want version 4", m, err)
		}
	}
	d.Verify(t)
}

// A market that stays locked keeps nobody else from trading, however many wait for it.
func TestLanesAreNotHeldByLockedMarkets(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	q := orders.New(d.DB)
	var stuck sync.WaitGroup
	trade := func(market, account string) error {
		_, err := q.Trade(t.Context(), db.Order{Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: account})
		return err
	}
	var slugs []string
	for i := range 6 {
		slug := fmt.Sprint("locked-", i)
		if _, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Will it?"}); err != nil {
			t.Fatal(err)
		}
		slugs = append(slugs, slug)
	}
	free, account := d.Market(t), d.Account(t, "100")
	unlock := lock(t, d, "book b join pgtape_core.market m on m.id = b.market_id where m.slug like 'locked%'")
	for _, slug := range slugs {
		other := d.Account(t, "100")
		stuck.Go(func() {
			if err := trade(slug, other); err != nil {
				t.Errorf("%s: %v", slug, err)
			}
		})
	}
	began := time.Now()
	if err := trade(free, account); err != nil {
		t.Error(err)
	}
	if waited := time.Since(began); waited > 5*time.Second {
		t.Errorf("a free market waited %s", waited)
	}
	unlock()
	stuck.Wait()
	d.Verify(t)
}

// What waits behind a slow call is carried out after it, also if nobody comes any more.
func TestWhatWaitsBehindASlowCallGoesNext(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	q := orders.New(d.DB)
	q.SetPatience(time.Millisecond)
	market := d.Market(t)
	unlock := lock(t, d, "book b join pgtape_core.market m on m.id = b.market_id where m.slug = '"+market+"'")
	var sent sync.WaitGroup
	for i := range 3 {
		account := d.Account(t, "100")
		sent.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if _, err := q.Trade(ctx, db.Order{Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: account}); err != nil {
				t.Errorf("order %d: %v", i, err)
			}
		})
		if i == 0 {
			waitUntil(t, "the call to wait in the database", func() (waits bool) {
				err := d.Pool().QueryRow(t.Context(), `select exists (select from pg_stat_activity
					where wait_event_type = 'Lock' and datname = current_database())`).Scan(&waits)
				return err == nil && waits
			})
		}
	}
	waitUntil(t, "the others", func() bool { return q.Waiting(market) == 2 })
	time.Sleep(20 * time.Millisecond) // past its patience
	unlock()
	sent.Wait()
}

// lock locks rows until the function is called.
func lock(t *testing.T, d *dbtest.DB, what string) func() {
	t.Helper()
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := sync.OnceFunc(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	t.Cleanup(done)
	if _, err := tx.Exec(t.Context(), "select from pgtape_core."+what+" for update of b"); err != nil {
		t.Fatal(err)
	}
	return done
}

func waitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 15 s for %s", what)
		}
	}
}
