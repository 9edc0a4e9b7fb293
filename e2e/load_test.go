package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

const (
	loadLasts   = 10 * time.Second
	loadTraders = 16 // half of them by HTTP, half in SQL
)

func TestSixteenTradersOnOneMarketAndEveryoneSeesItAll(t *testing.T) {
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := open(t, siteOptions{mode: mode})
			market := s.Market(t)
			first := s.market(t, market).Cursor
			traders := make([]*trader, loadTraders)
			for i := range traders {
				traders[i] = s.newTrader(t, market, i%2 == 0)
			}
			audience := &audience{site: s, market: market}
			for range 8 {
				audience.joinSocket(t, "")
			}
			for range 2 {
				audience.joinStream(t, "")
			}

			trading, stop := context.WithCancel(t.Context())
			defer stop()
			var tasks sync.WaitGroup
			for _, trader := range traders {
				tasks.Go(func() { trader.run(trading) })
			}
			// Some come when a third of the time has passed, some at two thirds: with a cursor, from
			// the first event or the one of that moment, and without.
			whole := time.After(loadLasts)
			third := time.NewTicker(loadLasts / 3)
			defer third.Stop()
			for range 2 {
				<-third.C
				for _, after := range []string{"", first, s.market(t, market).Cursor} {
					audience.joinSocket(t, after)
					audience.joinStream(t, after)
				}
			}
			<-whole
			stop()
			tasks.Wait()

			m := s.market(t, market)
			if made := confirmed(t, traders); m.Trades != made || m.Version != made+1 {
				t.Errorf("the market has %d trades and version %d, want the %d trades that were confirmed", m.Trades, m.Version, made)
			}
			audience.sawItAll(t, m.Version)
			if n := value[int64](t, s, "select deadlocks from pg_stat_database where datname = current_database()"); n != 0 {
				t.Errorf("%d deadlocks", n)
			}
			s.Verify(t)
		})
	}
}

// confirmed is how many trades the traders were told of.
func confirmed(t *testing.T, traders []*trader) (trades int64) {
	t.Helper()
	stale := 0
	for _, trader := range traders {
		trades, stale = trades+trader.made, stale+trader.stale
		if trader.made == 0 {
			t.Errorf("trader %s made no trade in %v", trader.account, loadLasts)
		}
	}
	t.Logf("%d trades, %d stale quotes", trades, stale)
	return trades
}

// trader trades on one market, as fast as it is answered.
type trader struct {
	t       *testing.T
	account string
	place   func(context.Context, client.Order) (held string, err error)
	quote   func(context.Context, client.Question) (client.Quote, error) // nil: bounds of its own only
	held    map[string]float64
	made    int64
	stale   int
}

func (s *site) newTrader(t *testing.T, market string, byHTTP bool) *trader {
	t.Helper()
	trader := &trader{t: t, account: s.Account(t, "100000"), held: map[string]float64{}}
	if byHTTP {
		c := client.New(s.url)
		t.Cleanup(c.Close)
		_, err := c.SignIn(t.Context(), trader.account)
		must(t, err)
		trader.place = func(ctx context.Context, o client.Order) (string, error) {
			receipt, err := c.Trade(ctx, market, o, client.NewKey())
			return receipt.Position, err
		}
		trader.quote = func(ctx context.Context, q client.Question) (client.Quote, error) { return c.Quote(ctx, market, q) }
		return trader
	}
	conn, err := pgx.Connect(t.Context(), s.trader(t, trader.account))
	must(t, err)
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	trader.place = func(ctx context.Context, o client.Order) (held string, err error) {
		maxCost, minProceeds := nullable(o.MaxCost), nullable(o.MinProceeds)
		err = conn.QueryRow(ctx, `
			select "position"::text from pgtape.trade($1, $2, $3, shares => $4::text::numeric,
				max_cost => $5::text::numeric, min_proceeds => $6::text::numeric)`,
			market, o.Outcome, o.Side, o.Shares, maxCost, minProceeds).Scan(&held)
		return held, err
	}
	return trader
}

func nullable(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// run trades until ctx ends; an order under way is let through. A bound that did not hold is part
// of the game, every other error fails the test.
func (tr *trader) run(ctx context.Context) {
	lasting := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		o, err := tr.order(lasting)
		if err == nil {
			var held string
			held, err = tr.place(lasting, o)
			if err == nil {
				tr.held[o.Outcome] = number(db.Decimal(held))
				tr.made++
				continue
			}
		}
		if !isStale(err) {
			tr.t.Errorf("trader %s: %+v: %v", tr.account, o, err)
			return
		}
		tr.stale++
	}
}

// order sells some of what is held one time in three. Half of those who can ask for a quote do, and
// take hardly anything worse.
func (tr *trader) order(ctx context.Context) (client.Order, error) {
	outcome := []string{"yes", "no"}[rand.IntN(2)]
	shares := fmt.Sprintf("%.3f", 0.1+5*rand.Float64())
	if held := tr.held[outcome]; held > 6 && rand.IntN(3) == 0 {
		return client.Order{Outcome: outcome, Side: "sell", Shares: shares, MinProceeds: "0.001"}, nil
	}
	if tr.quote != nil && rand.IntN(2) == 0 {
		quote, err := tr.quote(ctx, client.Question{Outcome: outcome, Side: "buy", Shares: shares})
		return quote.Order(rand.IntN(30)), err
	}
	return client.Order{Outcome: outcome, Side: "buy", Shares: shares, MaxCost: shares}, nil
}

func isStale(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "TP001"
	}
	return client.CodeOf(err) == client.CodeStaleQuote
}

// count is how many things have happened, for whoever waits for more.
type count struct {
	n    atomic.Int64
	more chan struct{}
}

func newCount() *count { return &count{more: make(chan struct{}, 1)} }

func (c *count) set(n int64) {
	c.n.Store(n)
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// reach waits until there are so many; it tells whether they came in time.
func (c *count) reach(ctx context.Context, n int64) bool {
	for c.n.Load() < n {
		select {
		case <-c.more:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
