package delivery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/db"
)

const (
	webTraders = 6
	sqlTraders = 2

	answerWithin = 5 * time.Second // then a trader asks again
	burstOrders  = 250             // in one batch
)

// acknowledgement is a receipt, and in which histories the trade may be: from the one in which it
// was asked for to the one in which it was answered.
type acknowledgement struct {
	key      string
	trade    trade
	from, to int32
}

// floor is where the traders are, who can be asked to pause.
type floor struct {
	w    *world
	stop context.CancelFunc
	wait sync.WaitGroup

	mu       sync.Mutex
	open     chan struct{} // closed while trading is on
	busy     int           // orders under way
	acks     []acknowledgement
	repeated int // orders that had to be sent again
}

func newFloor(w *world) *floor {
	ctx, stop := context.WithCancel(w.t.Context())
	f := &floor{w: w, stop: stop, open: make(chan struct{})}
	for i := range webTraders {
		f.run(ctx, newWebTrader(w, fmt.Sprintf("web%d", i)))
	}
	for i := range sqlTraders {
		f.run(ctx, newSQLTrader(w, fmt.Sprintf("sql%d", i)))
	}
	w.t.Cleanup(f.end)
	return f
}

func (f *floor) end() {
	f.stop()
	f.wait.Wait()
}

// trader sends one order. known is false when nobody knows what became of it.
type trader interface {
	name() string
	place(ctx context.Context, market string, order client.Order, key string) (t trade, done, known bool)
}

// run trades: two buys for each sale, so that there is always something to sell.
func (f *floor) run(ctx context.Context, who trader) {
	f.wait.Go(func() {
		for n := 0; f.enter(ctx); n++ {
			order := client.Order{Outcome: "yes", Side: "buy", Shares: "0.1", MaxCost: "0.2"}
			if n%2 == 1 {
				order.Outcome = "no"
			}
			if n%3 == 2 {
				order.Side, order.MaxCost, order.MinProceeds = "sell", "", "0"
			}
			f.insist(ctx, who, markets[n/3%len(markets)], order, fmt.Sprintf("%s-%d", who.name(), n))
			f.leave()
			pause(ctx, rand.N(120*time.Millisecond))
		}
	})
}

// insist sends an order until it is answered.
func (f *floor) insist(ctx context.Context, who trader, market string, order client.Order, key string) {
	from := f.w.restores.Load()
	for again := false; ctx.Err() == nil; again = true {
		bounded, cancel := context.WithTimeout(ctx, answerWithin)
		t, done, known := who.place(bounded, market, order, key)
		cancel()
		if known {
			f.mu.Lock()
			if done {
				f.acks = append(f.acks, acknowledgement{key, t, from, f.w.restores.Load()})
			}
			if again {
				f.repeated++
			}
			f.mu.Unlock()
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// enter waits until trading is on; false when it is over.
func (f *floor) enter(ctx context.Context) bool {
	for ctx.Err() == nil {
		f.mu.Lock()
		open := f.open
		select {
		case <-open:
			f.busy++
			f.mu.Unlock()
			return true
		default:
			f.mu.Unlock()
		}
		select {
		case <-open:
		case <-ctx.Done():
		}
	}
	return false
}

func (f *floor) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
}

func (f *floor) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.open)
}

// acknowledged is how many trades were.
func (f *floor) acknowledged() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.acks)
}

// rest lets nobody begin an order, and waits for those under way.
func (f *floor) rest(within time.Duration) error {
	f.mu.Lock()
	f.open = make(chan struct{})
	f.mu.Unlock()
	for deadline := time.Now().Add(within); ; pause(context.Background(), 20*time.Millisecond) {
		f.mu.Lock()
		busy := f.busy
		f.mu.Unlock()
		if busy == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d orders were not answered within %v", busy, within)
		}
	}
}

// definite says whether an error is an answer: a refusal, after which nothing was written.
func (f *floor) definite(code, name string, err error) bool {
	switch code {
	case "", client.CodeUnavailable:
		return false
	case client.CodeStaleQuote, client.CodeInsufficientFunds, client.CodeInsufficientShares:
		return true
	}
	f.w.t.Errorf("%s: an order was answered by %s: %v", name, code, err)
	return true
}

// webTrader trades as a browser does.
type webTrader struct {
	w      *world
	handle string
	client *client.Client
}

func newWebTrader(w *world, handle string) *webTrader {
	w.t.Helper()
	t := &webTrader{w: w, handle: handle, client: client.New(w.webURL())}
	w.t.Cleanup(t.client.Close)
	_, err := t.client.SignIn(w.t.Context(), handle)
	must(w.t, err)
	return t
}

func (t *webTrader) name() string { return t.handle }

func (t *webTrader) place(ctx context.Context, market string, order client.Order, key string) (trade, bool, bool) {
	r, err := t.client.Trade(ctx, market, order, key)
	if err != nil {
		return trade{}, false, t.w.floor.definite(client.CodeOf(err), t.handle, err)
	}
	return trade{market, r.Amount, r.TradeID, r.Version}, true, true
}

// sqlTrader trades by the database's own functions, past both links.
type sqlTrader struct {
	w      *world
	handle string
	db     *db.DB
}

func newSQLTrader(w *world, handle string) *sqlTrader {
	w.t.Helper()
	url := w.database
	if url == "" {
		url = w.socketURL(db.OwnServer)
	}
	d, err := db.Open(w.t.Context(), url, db.Options{AsServer: true, MaxConns: 2})
	must(w.t, err)
	w.t.Cleanup(d.Close)
	w.exec("select pgtape.create_account($1, 100000)", handle) // the server gives no balance of its own
	return &sqlTrader{w: w, handle: handle, db: d}
}

func (t *sqlTrader) name() string { return t.handle }

func (t *sqlTrader) place(ctx context.Context, market string, order client.Order, key string) (trade, bool, bool) {
	r, err := t.db.Trade(ctx, t.order(market, order, key))
	if err != nil {
		return trade{}, false, t.w.floor.definite(string(db.CodeOf(err)), t.handle, err)
	}
	return trade{market, string(r.Amount), r.TradeID, r.Version}, true, true
}

func (t *sqlTrader) order(market string, o client.Order, key string) db.Order {
	return db.Order{
		Market: market, Outcome: o.Outcome, Side: o.Side, Shares: db.Decimal(o.Shares),
		MaxCost: db.Decimal(o.MaxCost), MinProceeds: db.Decimal(o.MinProceeds), Account: t.handle, IdempotencyKey: key,
	}
}

// burst makes many trades of one market at once: more than a client that does not read can be sent.
func (t *sqlTrader) burst(ctx context.Context, market, name string, trades int) error {
	for made := 0; made < trades; {
		orders := make([]db.Order, burstOrders)
		for i := range orders {
			side := []string{"buy", "sell"}[i%2]
			o := client.Order{Outcome: "yes", Side: side, Shares: "0.1"}
			if side == "buy" {
				o.MaxCost = "0.2"
			} else {
				o.MinProceeds = "0"
			}
			orders[i] = t.order(market, o, fmt.Sprintf("%s-%d", name, made+i))
		}
		placed, err := t.db.TradeBatch(ctx, market, orders)
		if db.CodeOf(err) == db.Unavailable && ctx.Err() == nil {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		made += burstOrders
		for _, p := range placed {
			if p.Err != nil && db.CodeOf(p.Err) != db.InsufficientShares { // of a buy that was lost
				return p.Err
			}
		}
	}
	return nil
}

// audit holds every acknowledgement against the histories in which its trade may be.
func (f *floor) audit() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var wrong []error
	for _, a := range f.acks {
		found := false
		// A history lacks those that a later one has as well.
		for h := a.from; h < int32(len(f.w.histories)) && !found; h++ {
			found = f.w.histories[h].trades[a.key] == a.trade
		}
		if !found {
			wrong = append(wrong, fmt.Errorf("the trade %s was acknowledged (%+v) and is in no table from history %d on", a.key, a.trade, a.from))
		}
	}
	return errors.Join(wrong...)
}
