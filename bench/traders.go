package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
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
}

func (c *counts) accept() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted++
}

func (c *counts) reject(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rejected == nil {
		c.rejected = map[string]int64{}
	}
	c.rejected[code]++
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

// trade lets the traders trade, and the readers read, until ctx ends and what they have begun has
// ended.
func (r *run) trade(ctx context.Context) {
	r.start = time.Now()
	orders, reads := &Schedule{start: r.start, rate: r.Rate}, &Schedule{start: r.start, rate: r.ReadRate}
	var work sync.WaitGroup
	for _, t := range r.traders[:r.Clients] {
		work.Go(func() { t.trade(ctx, orders) })
	}
	for _, reader := range r.readers {
		work.Go(func() { reader.read(ctx, reads) })
	}
	if r.Storm {
		work.Go(func() {
			if wait(ctx, r.Duration/3) {
				r.storm.begin(r.listeners)
			}
		})
	}
	work.Go(func() { <-ctx.Done() })
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() { r.watch(ended) })
	work.Wait()
	close(ended)
	watcher.Wait()
}

// trader buys a share somewhere and sells it again, over and over, so that its balance stays.
type trader struct {
	run      *run
	index    int
	caller   *caller
	pairs    int
	holds    *holding          // the share to sell
	seen     map[string]string // market and outcome: the price seen last
	receipts []receipt
}

type holding struct{ market, outcome, shares string }

// receipt is a trade that was answered: the event that it must have made.
type receipt struct {
	market        string
	seq, id       int64
	due, answered time.Time
}

func (t *trader) trade(ctx context.Context, orders *Schedule) {
	for {
		due, ok := orders.Next(ctx)
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
			t.run.counts.accept()
			t.run.http.Record(t.index, answered.Sub(due))
			t.receipts = append(t.receipts, receipt{market, got.Version, got.TradeID, due, answered})
			t.took(market, order, got)
		case errors.As(err, &refused) && refused.Code != "":
			t.run.counts.reject(refused.Code)
			t.run.http.Record(t.index, answered.Sub(due))
			t.refused(market, order, refused)
			if refused.Code == client.CodeUnavailable && !wait(ctx, 100*time.Millisecond) {
				return
			}
		default:
			t.run.counts.fail()
			t.holds = nil
		}
		if err == nil && t.run.OneByOne && !t.run.awaitFirst(ctx, market, got.Version) {
			return
		}
	}
}

// awaitFirst waits until the first socket has heard of a version; false when ctx ends first.
func (r *run) awaitFirst(ctx context.Context, market string, version int64) bool {
	if len(r.listeners) == 0 {
		return ctx.Err() == nil
	}
	first := r.listeners[0]
	h := first.heard[market]
	for h != nil && h.seq.Load() < version {
		select {
		case <-first.news:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// wish is the next order: to sell what it holds, or to buy one share.
func (t *trader) wish() (market string, o client.Order) {
	if t.holds != nil {
		market, o = t.holds.market, client.Order{Outcome: t.holds.outcome, Side: "sell", Shares: t.holds.shares, MinProceeds: "0"}
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

func (t *trader) took(market string, o client.Order, r client.Receipt) {
	if t.run.SlippageBps > 0 {
		t.seen[market+" "+o.Outcome] = r.PriceAfter
	}
	if o.Side == "buy" {
		t.holds = &holding{market, o.Outcome, o.Shares}
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
	path, key, body := "/api/v1/markets/"+market+"/trades", client.NewKey(), jsonText(o)
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		answer, err := t.caller.call(ctx, http.MethodPost, path, key, body)
		if err == nil {
			return readReceipt(answer)
		}
		if client.CodeOf(err) != "" || pause > time.Second {
			return client.Receipt{}, err
		}
		wait(ctx, pause)
	}
}

// readReceipt takes what the bench needs from a receipt.
func readReceipt(answer []byte) (client.Receipt, error) {
	var r client.Receipt
	var err, errID error
	r.Version, err = strconv.ParseInt(member(answer, "version"), 10, 64)
	r.TradeID, errID = strconv.ParseInt(member(answer, "trade_id"), 10, 64)
	r.PriceAfter = member(answer, "price_after")
	if err == nil && errID == nil {
		return r, nil
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return client.Receipt{}, fmt.Errorf("malformed receipt: %w", err)
	}
	return r, nil
}
