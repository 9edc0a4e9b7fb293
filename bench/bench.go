// Package bench puts load on a running server, over the network like anybody else, and checks
// what it got: traders trade by HTTP (traders.go, caller.go) and readers read (readers.go) while
// listeners hold sockets open (listeners.go, socket.go, frame.go); afterwards the receipts and what
// every socket has heard are held against the tape (audit.go).
//
// It measures from outside, with its own clock and the event's: report.go and latency.go say what
// each number is, process.go what the run cost. The load generator takes its share of the machine it
// runs on, and says how much.
package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/client"
)

const (
	setupWithin  = 2 * time.Minute
	settleWithin = 15 * time.Second // for what is under way when trading ends to arrive
	joinAtOnce   = 250              // sockets that are opened side by side
	crowd        = 100              // sockets of which it is worth telling what memory each takes
)

// run is one run: who takes part, and what they have seen so far.
type run struct {
	Options
	name      string
	markets   []string // slugs
	traders   []*trader
	readers   []*reader
	listeners []*listener
	stalled   []*listener // whose hearing is of no account

	start     time.Time // of trading
	http      Stopwatch // from when an order was due to its answer
	reads     Stopwatch
	toSocket  Stopwatch // from an event's at to its arrival
	delivered atomic.Int64
	counts    counts
	storm     storm
	series    []Point
	cost      Cost
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
	interrupted := context.AfterFunc(ctx, func() { hangUp(context.Cause(ctx)) })
	if err := r.openSockets(listening, &sockets, hangUp); err != nil {
		return Report{}, fmt.Errorf("opening %d sockets: %w", r.Sockets, err)
	}
	interrupted() // from here on an interruption ends the trading, and there is a report

	meter := r.Processes.Meter()
	trading, stop := context.WithTimeout(ctx, o.Duration)
	defer stop()
	defer context.AfterFunc(listening, stop)()
	r.trade(trading)
	elapsed := time.Since(r.start)
	// What has not come within a while is reported as lost.
	answered := r.answeredHeads()
	_ = r.awaitAll(listening, settleWithin, r.listeners, func(l *listener) bool { return l.has(answered) })
	settled := time.Since(r.start)
	meter.Read(&r.cost, r.counts.accepted, r.delivered.Load())
	r.weighLast()

	tapes, err := r.readTapes(context.WithoutCancel(ctx))
	if err != nil {
		return Report{}, err
	}
	heads := headsOf(tapes)
	_ = r.awaitAll(listening, settleWithin, r.listeners, func(l *listener) bool { return l.has(heads) })
	if err := context.Cause(listening); err != nil {
		return Report{}, err
	}
	hangUp(nil)
	sockets.Wait()
	return r.report(elapsed, settled, tapes), nil
}

func (r *run) close() {
	for _, t := range r.traders {
		t.caller.close()
	}
	for _, reader := range r.readers {
		reader.caller.close()
	}
}

// setUp signs the traders in and lets them make the markets, one each, as far as they go.
func (r *run) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupWithin)
	defer cancel()
	// Enough of them to fund the markets, though some then only fund.
	group, inGroup := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range max(r.Clients, r.Markets) {
		caller, err := newCaller(r.URL)
		if err != nil {
			return err
		}
		r.traders = append(r.traders, &trader{run: r, index: i, caller: caller, seen: map[string]string{}})
	}
	for i, t := range r.traders {
		group.Go(func() error { return t.caller.signIn(inGroup, fmt.Sprintf("%s-%d", r.name, i)) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("signing in (the server must let everybody in): %w", err)
	}
	for i := range r.Markets {
		market := client.NewMarket{
			Slug: fmt.Sprintf("%s-%d", r.name, i), Question: fmt.Sprintf("Load test %s, market %d", r.name, i+1),
			Category: "bench", Liquidity: "100", Description: "Made by pgtape bench.",
		}
		if _, err := r.traders[i].caller.call(ctx, http.MethodPost, "/api/v1/markets", "", jsonText(market)); err != nil {
			return fmt.Errorf("creating a market: %w", err)
		}
		r.markets = append(r.markets, market.Slug)
	}
	for i := range r.Readers {
		caller, err := newCaller(r.URL)
		if err != nil {
			return err
		}
		r.readers = append(r.readers, &reader{run: r, index: i, caller: caller, versions: map[string]int64{}})
	}
	r.seatListeners()
	return nil
}

func (r *run) seatListeners() {
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
}

// openSockets starts the listeners, and returns when all have joined.
func (r *run) openSockets(ctx context.Context, sockets *sync.WaitGroup, hangUp context.CancelCauseFunc) error {
	if before, ok := residentOf(r.Processes.Server); ok {
		r.cost.ServerIdle = &before
	}
	for some := range slices.Chunk(slices.Concat(r.listeners, r.stalled), joinAtOnce) {
		for _, l := range some {
			sockets.Go(func() {
				if err := l.listen(ctx); err != nil {
					hangUp(fmt.Errorf("socket: %w", err))
				}
			})
		}
		if err := r.awaitAll(ctx, setupWithin, some, (*listener).joined); err != nil {
			return err
		}
	}
	if r.Sockets < crowd || r.cost.ServerIdle == nil {
		return nil
	}
	wait(ctx, 2*time.Second) // some heartbeats: a socket that was never written to weighs less
	if joined, ok := residentOf(r.Processes.Server); ok {
		each := float64(joined-*r.cost.ServerIdle) / float64(r.Sockets)
		r.cost.ServerJoined, r.cost.PerSocket = &joined, &each
	}
	return nil
}

func (r *run) weighLast() {
	last, ok := residentOf(r.Processes.Server)
	if !ok {
		return
	}
	r.cost.ServerLast = &last
	if r.Sockets >= crowd && r.cost.ServerIdle != nil {
		each := float64(last-*r.cost.ServerIdle) / float64(r.Sockets)
		r.cost.PerSocketLoaded = &each
	}
}

// answeredHeads are the newest versions that the traders know of.
func (r *run) answeredHeads() map[string]int64 {
	heads := map[string]int64{}
	for _, t := range r.traders {
		for _, receipt := range t.receipts {
			heads[receipt.market] = max(heads[receipt.market], receipt.seq)
		}
	}
	return heads
}

// awaitAll waits until something is true of all those listeners.
// Errors: DeadlineExceeded; why the sockets were hung up.
func (r *run) awaitAll(ctx context.Context, within time.Duration, all []*listener, ready func(*listener) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errors.New("not all have come in time"))
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
