// Package bench puts load on a running server, over the network like anybody else, and checks
// what it got: traders trade by HTTP while listeners hold sockets open (traders.go, listeners.go);
// afterwards the receipts and what every socket has heard are held against the tape (audit.go).
//
// It measures from outside, with its own clock and the event's: latency.go and report.go say what
// each number is. The load generator takes its share of the machine it runs on.
package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/client"
)

// Options of a run. URL is required.
type Options struct {
	URL      string
	Clients  int           // who trade, each on its own connection and account; 0: 16
	Markets  int           // that they trade on; 0: 4
	Sockets  int           // that listen; 0: 16; negative: none
	Stalled  int           // of the sockets, that stop reading once they have joined; what the others hear is measured
	OneEach  bool          // a socket listens to one market instead of all
	Duration time.Duration // of trading; 0: 10 s
	Rate     float64       // orders per second of all clients together; 0: as fast as they are answered
	// SlippageBps makes each order bound to the price that its client saw last, with this much
	// tolerance, so that orders are refused as stale under contention. 0: bounds that always hold.
	SlippageBps int
	Progress    io.Writer // a line each second; nil: none
}

func (o Options) withDefaults() (Options, error) {
	o.Clients = cmp.Or(o.Clients, 16)
	o.Markets = cmp.Or(o.Markets, 4)
	o.Sockets = max(cmp.Or(o.Sockets, 16), 0)
	o.Duration = cmp.Or(o.Duration, 10*time.Second)
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	switch {
	case o.Clients < 0 || o.Markets < 0 || o.Duration < 0:
		return o, errors.New("clients, markets and duration must be positive")
	case !(o.Rate >= 0 && o.Rate < 1e6):
		return o, errors.New("rate must be from 0 to a million orders per second")
	case o.Stalled < 0 || o.Stalled > o.Sockets:
		return o, errors.New("stalled must be from 0 to the number of sockets")
	case o.SlippageBps < 0 || o.SlippageBps > 10000:
		return o, errors.New("slippage must be from 0 to 10000 basis points")
	}
	return o, nil
}

const (
	setupWithin  = time.Minute
	settleWithin = 15 * time.Second // for what is under way when trading ends to arrive
)

// run is one run: who takes part, and what they have seen so far.
type run struct {
	Options
	name      string
	markets   []string // slugs
	traders   []*trader
	listeners []*listener
	stalled   []*listener // whose hearing is of no account

	start    time.Time // of trading
	toSocket shards    // from an event's at to its arrival
	counts   counts
}

// Run makes accounts and markets of its own, trades for a while, and reports. When ctx ends it
// stops trading and reports what there is.
// Errors: what keeps it from running: no server, no sign-in, refused subscriptions. What goes
// wrong under load is in the report.
func Run(ctx context.Context, o Options) (Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Report{}, err
	}
	r := &run{Options: o, name: "bench-" + strings.ToLower(rand.Text()[:8])}
	defer r.close()
	if err := r.setUp(ctx); err != nil {
		return Report{}, err
	}

	listening, hangUp := context.WithCancelCause(context.WithoutCancel(ctx))
	var sockets sync.WaitGroup
	defer sockets.Wait()
	defer hangUp(nil)
	for _, l := range slices.Concat(r.listeners, r.stalled) {
		sockets.Go(func() {
			if err := l.listen(listening); err != nil {
				hangUp(fmt.Errorf("socket: %w", err))
			}
		})
	}
	interrupted := context.AfterFunc(ctx, func() { hangUp(context.Cause(ctx)) })
	if err := r.awaitAll(listening, setupWithin, slices.Concat(r.listeners, r.stalled), (*listener).joined); err != nil {
		return Report{}, fmt.Errorf("opening %d sockets: %w", r.Sockets, err)
	}
	interrupted() // from here on an interruption ends the trading, and there is a report

	trading, stop := context.WithTimeout(ctx, o.Duration)
	defer stop()
	defer context.AfterFunc(listening, stop)()
	r.trade(trading)
	elapsed := time.Since(r.start)

	tapes, err := r.readTapes(context.WithoutCancel(ctx))
	if err != nil {
		return Report{}, err
	}
	_ = r.awaitAll(listening, settleWithin, r.listeners, func(l *listener) bool { return l.has(tapes) }) // what has not come by then is reported as lost
	if err := context.Cause(listening); err != nil {
		return Report{}, err
	}
	hangUp(nil)
	sockets.Wait()
	return r.report(elapsed, tapes), nil
}

func (r *run) close() {
	for _, t := range r.traders {
		t.client.Close()
	}
}

// setUp signs the traders in and lets them make the markets, one each, as far as they go.
func (r *run) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupWithin)
	defer cancel()
	// Enough of them to fund the markets, though some then only fund.
	group, inGroup := errgroup.WithContext(ctx)
	group.SetLimit(8)
	r.traders = make([]*trader, max(r.Clients, r.Markets))
	for i := range r.traders {
		r.traders[i] = &trader{run: r, index: i, client: client.New(r.URL), seen: map[string]string{}}
		group.Go(func() error {
			_, err := r.traders[i].client.SignIn(inGroup, fmt.Sprintf("%s-%d", r.name, i))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("signing in (the server must let everybody in): %w", err)
	}
	for i := range r.Markets {
		market := client.NewMarket{
			Slug: fmt.Sprintf("%s-%d", r.name, i), Question: fmt.Sprintf("Load test %s, market %d", r.name, i+1),
			Category: "bench", Liquidity: "100", Description: "Made by pgtape bench.",
		}
		if _, err := r.traders[i].client.CreateMarket(ctx, market); err != nil {
			return fmt.Errorf("creating a market: %w", err)
		}
		r.markets = append(r.markets, market.Slug)
	}
	for i := range r.Sockets {
		markets := r.markets
		if r.OneEach {
			markets = markets[i%len(markets):][:1]
		}
		l := newListener(r, i, markets)
		if l.stalls = i >= r.Sockets-r.Stalled; l.stalls {
			r.stalled = append(r.stalled, l)
		} else {
			r.listeners = append(r.listeners, l)
		}
	}
	return nil
}

// awaitAll waits until something is true of all those listeners.
// Errors: DeadlineExceeded; why the sockets were hung up.
func (r *run) awaitAll(ctx context.Context, within time.Duration, all []*listener, ready func(*listener) bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for _, l := range all {
		for !ready(l) {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-look.C:
			}
		}
	}
	return nil
}
