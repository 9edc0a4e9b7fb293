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

func TestMain(m *testing.M) { dbtest.Main(m) }

// crowd is a market that is held up in the database, so that orders gather, and a queue to it.
type crowd struct {
	t       *testing.T
	db      *dbtest.DB
	market  string
	account string
	queue   *orders.Queue
	release func()

	wait sync.WaitGroup
	mu   sync.Mutex
	got  map[string]db.Placed // by idempotency key
}

func gather(t *testing.T, book func(d *dbtest.DB) orders.Book) *crowd {
	t.Helper()
	d := dbtest.New(t)
	c := &crowd{t: t, db: d, market: d.Market(t), account: d.Account(t, "1000"), got: map[string]db.Placed{}}
	c.queue = orders.New(book(d))
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select from pgtape_core.book for update"); err != nil {
		t.Fatal(err)
	}
	c.release = sync.OnceFunc(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	t.Cleanup(c.release)
	return c
}

func direct(d *dbtest.DB) orders.Book { return d.DB }

func (c *crowd) order(key string) db.Order {
	return db.Order{
		Market: c.market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: c.account, IdempotencyKey: key,
	}
}

// send puts an order into the queue beside the test.
func (c *crowd) send(ctx context.Context, o db.Order) {
	c.wait.Go(func() {
		receipt, err := c.queue.Trade(ctx, o)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got[o.IdempotencyKey] = db.Placed{Receipt: receipt, Err: err}
	})
}

// sendAll sends one order, waits until it waits in the database, and then the others.
func (c *crowd) sendAll(ctx context.Context, first db.Order, others ...db.Order) {
	c.t.Helper()
	c.send(ctx, first)
	for waits := false; !waits; {
		err := c.db.Pool().QueryRow(c.t.Context(), `select exists (select from pg_stat_activity
			where wait_event_type = 'Lock' and datname = current_database())`).Scan(&waits)
		if err != nil {
			c.t.Fatal(err)
		}
	}
	for _, o := range others {
		c.send(ctx, o)
	}
	for deadline := time.Now().Add(10 * time.Second); c.queue.Waiting(c.market) < len(others); {
		if time.Now().After(deadline) {
			c.t.Fatalf("%d orders wait, want %d", c.queue.Waiting(c.market), len(others))
		}
		time.Sleep(time.Millisecond)
	}
}

func (c *crowd) count(what string) (n int) {
	c.t.Helper()
	if err := c.db.Pool().QueryRow(c.t.Context(), "select "+what+" from pgtape_core.trade").Scan(&n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *crowd) orders(n int) []db.Order {
	var list []db.Order
	for i := range n {
		list = append(list, c.order(fmt.Sprint(i)))
	}
	return list
}

func TestWhatGathersGoesTogether(t *testing.T) {
	t.Parallel()
	c := gather(t, direct)
	c.sendAll(t.Context(), c.order("first"), c.orders(100)...)
	c.release()
	c.wait.Wait()
	versions := map[int64]bool{}
	for key, p := range c.got {
		if p.Err != nil {
			t.Errorf("order %s: %v", key, p.Err)
		}
		versions[p.Receipt.Version] = true
	}
	if len(versions) != 101 || !versions[2] || !versions[102] {
		t.Errorf("%d versions, want 2 to 102", len(versions))
	}
	if commits := c.count("count(distinct xmin::text)"); commits != 3 { // 1, 64, 36
		t.Errorf("%d commits, want 3", commits)
	}
	if c.queue.Waiting(c.market) != 0 {
		t.Error("somebody still waits")
	}
	c.db.Verify(t)
}

func TestAnOrderFailsAlone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*db.Order){
		"by a bound":          func(o *db.Order) { o.MaxCost = "0.1" },
		"by what it is":       func(o *db.Order) { o.Side = "hold" },
		"by what no text has": func(o *db.Order) { o.Outcome = "y\x00s" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := gather(t, direct)
			list := c.orders(10)
			spoil(&list[4])
			c.sendAll(t.Context(), c.order("first"), list...)
			c.release()
			c.wait.Wait()
			for key, p := range c.got {
				if (p.Err != nil) != (key == "4") {
					t.Errorf("order %s: %v", key, p.Err)
				}
			}
			if code := db.CodeOf(c.got["4"].Err); code != db.StaleQuote && code != db.InvalidOrder {
				t.Errorf("code %s", code)
			}
			if trades := c.count("count(*)"); trades != 10 {
				t.Errorf("%d trades, want 10", trades)
			}
		})
	}
}

func TestWhoLeavesBeforeHisTurnHasNotTraded(t *testing.T) {
	t.Parallel()
	c := gather(t, direct)
	ctx, leave := context.WithCancel(t.Context())
	c.sendAll(t.Context(), c.order("first"))
	c.send(ctx, c.order("impatient"))
	for c.queue.Waiting(c.market) == 0 {
		time.Sleep(time.Millisecond)
	}
	c.send(t.Context(), c.order("patient"))
	leave()
	for {
		c.mu.Lock()
		_, gone := c.got["impatient"]
		c.mu.Unlock()
		if gone {
			break
		}
		time.Sleep(time.Millisecond)
	}
	c.release()
	c.wait.Wait()
	if code := db.CodeOf(c.got["impatient"].Err); code != db.Unavailable {
		t.Errorf("code %s", code)
	}
	if c.got["patient"].Err != nil || c.count("count(*)") != 2 {
		t.Errorf("%v, %d trades, want 2", c.got["patient"].Err, c.count("count(*)"))
	}
}

// The connection is lost under a batch: everybody hears that nobody knows, and asks again with his
// key.
func TestALostBatchIsAskedForAgain(t *testing.T) {
	t.Parallel()
	var lose func()
	c := gather(t, func(d *dbtest.DB) orders.Book {
		through, l := dbtest.Linked(t, d.URL())
		lose = l.Reset
		far, err := db.Open(t.Context(), through, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(far.Close)
		return far
	})
	list := c.orders(20)
	c.sendAll(t.Context(), c.order("first"), list...)
	lose() // the first alone; then, held up as well, the batch
	for c.queue.Waiting(c.market) > 0 {
		time.Sleep(time.Millisecond)
	}
	for waits := 0; waits == 0; {
		err := c.db.Pool().QueryRow(t.Context(), `select count(*) from pg_stat_activity
			where wait_event_type = 'Lock' and datname = current_database() and query like '%trade_batch%'`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
	lose()
	c.wait.Wait()
	for key, p := range c.got {
		if db.CodeOf(p.Err) != db.Unavailable {
			t.Errorf("order %s: %v", key, p.Err)
		}
	}
	c.release()
	for range 2 {
		for _, o := range append(list, c.order("first")) {
			c.send(t.Context(), o)
		}
		c.wait.Wait()
	}
	for key, p := range c.got {
		if p.Err != nil || !p.Receipt.Replayed {
			t.Errorf("order %s: %+v", key, p)
		}
	}
	if trades := c.count("count(*)"); trades != 21 {
		t.Errorf("%d trades, want 21", trades)
	}
	c.db.Verify(t)
}
