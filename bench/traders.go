package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pgtape/pgtape/client"
)

// counts are what the traders have done so far, in all.
type counts struct {
	mu       sync.Mutex
	accepted int64
	rejected map[string]int64 // by code
	failed   int64            // nobody knows what became of them
	http     latencies
}

func (c *counts) accept(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted++
	c.http.record(took)
}

func (c *counts) reject(code string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rejected == nil {
		c.rejected = map[string]int64{}
	}
	c.rejected[code]++
	c.http.record(took)
}

func (c *counts) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed++
}

func (c *counts) soFar() (accepted, rejected, failed int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range maps.Values(c.rejected) {
		rejected += n
	}
	return c.accepted, rejected, c.failed
}

// trade lets the traders trade until ctx ends, and what they have begun end.
func (r *run) trade(ctx context.Context) {
	r.start = time.Now()
	orders := &schedule{start: r.start, rate: r.Rate}
	var traders sync.WaitGroup
	for _, t := range r.traders[:r.Clients] {
		traders.Go(func() { t.trade(ctx, orders) })
	}
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() { r.watch(ended) })
	traders.Wait()
	close(ended)
	watcher.Wait()
}

// watch writes a line each second.
func (r *run) watch(ended <-chan struct{}) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var before int64
	for last := r.start; ; {
		select {
		case <-ended:
			return
		case now := <-second.C:
			accepted, rejected, failed := r.counts.soFar()
			socket := r.toSocket.merged().latency()
			fmt.Fprintf(r.Progress, "%4.0f s  %7.0f trades/s  %d rejected  %d failed  commit→socket p50 %.1f ms  p99 %.1f ms\n",
				now.Sub(r.start).Seconds(), float64(accepted-before)/now.Sub(last).Seconds(), rejected, failed, socket.P50, socket.P99)
			before, last = accepted, now
		}
	}
}

// schedule says when the next order is due. With a rate, an order that comes late since all
// clients were waiting for answers is measured from when it was due.
type schedule struct {
	start time.Time
	rate  float64

	mu     sync.Mutex
	issued int64
}

func (s *schedule) next(ctx context.Context) (due time.Time, ok bool) {
	if s.rate == 0 {
		return time.Now(), ctx.Err() == nil
	}
	s.mu.Lock()
	due = s.start.Add(time.Duration(float64(s.issued) / s.rate * float64(time.Second)))
	s.issued++
	s.mu.Unlock()
	return due, pause(ctx, time.Until(due))
}

// pause is false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// trader buys a share somewhere and sells it again, over and over, so that its balance stays.
type trader struct {
	run      *run
	index    int
	client   *client.Client
	pairs    int
	holds    *client.Receipt   // the share to sell
	seen     map[string]string // market and outcome: the price seen last
	receipts []receipt
}

// receipt is a trade that was answered: the event that it must have made.
type receipt struct {
	market   string
	seq, id  int64
	answered time.Time
}

func (t *trader) trade(ctx context.Context, orders *schedule) {
	for {
		due, ok := orders.next(ctx)
		if !ok {
			return
		}
		market, order := t.wish()
		// What is sent is seen through, so that no receipt is missing.
		got, err := t.send(context.WithoutCancel(ctx), market, order)
		answered := time.Now()
		var refused *client.Error
		switch {
		case err == nil:
			t.run.counts.accept(answered.Sub(due))
			t.receipts = append(t.receipts, receipt{market, got.Version, got.TradeID, answered})
			t.took(got)
		case errors.As(err, &refused) && refused.Code != "":
			t.run.counts.reject(refused.Code, answered.Sub(due))
			t.refused(market, order, refused)
			if refused.Code == client.CodeUnavailable && !pause(ctx, 100*time.Millisecond) {
				return
			}
		default:
			t.run.counts.fail()
			t.holds = nil
		}
	}
}

// wish is the next order: to sell what it holds, or to buy one share.
func (t *trader) wish() (market string, o client.Order) {
	if t.holds != nil {
		market, o = t.holds.Market, client.Order{Outcome: t.holds.Outcome, Side: "sell", Shares: t.holds.Shares, MinProceeds: "0"}
	} else {
		market = t.run.markets[(t.index+t.pairs)%len(t.run.markets)]
		o = client.Order{Outcome: [...]string{"yes", "no"}[rand.IntN(2)], Side: "buy", Shares: "1", MaxCost: "1"}
		t.pairs++
	}
	if price := t.seen[market+" "+o.Outcome]; t.run.SlippageBps > 0 && price != "" {
		o.ExpectedPrice, o.MaxSlippageBps = price, &t.run.SlippageBps
	}
	return market, o
}

func (t *trader) took(r client.Receipt) {
	t.seen[r.Market+" "+r.Outcome] = r.PriceAfter
	if r.Side == "buy" {
		t.holds = &r
	} else {
		t.holds = nil
	}
}

func (t *trader) refused(market string, o client.Order, e *client.Error) {
	switch {
	case e.Quote != nil:
		t.seen[market+" "+o.Outcome] = e.Quote.AvgPrice
	case o.Side == "sell":
		t.holds = nil
	}
}

// send sends an order until it is known what became of it, with the same key, a few times.
func (t *trader) send(ctx context.Context, market string, o client.Order) (client.Receipt, error) {
	key := client.NewKey()
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		got, err := t.client.Trade(ctx, market, o, key)
		if err == nil || client.CodeOf(err) != "" || wait > time.Second {
			return got, err
		}
		pause(ctx, wait)
	}
}
