package state_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

// TestMemoryIsWhatTheDatabaseHas by random programs of everything that moves a market.
func TestMemoryIsWhatTheDatabaseHas(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.follow(t)
	for i := range 8 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("program %d", i), func(t *testing.T) {
			t.Parallel()
			p := newProgram(t, n, i, seed)
			for range 40 {
				p.step()
			}
			p.finish()
		})
	}
	t.Cleanup(func() {
		if reads := n.reads.Load(); reads > 8 {
			t.Errorf("%d reads of 8 markets: something could not be applied", reads)
		}
	})
}

type program struct {
	t        *testing.T
	n        *node
	rng      *rand.Rand
	slug     string
	outcomes []string
	accounts []string
}

func newProgram(t *testing.T, n *node, number int, seed uint64) *program {
	t.Logf("seed %d", seed)
	p := &program{t: t, n: n, rng: rand.New(rand.NewPCG(seed, 1)), slug: fmt.Sprintf("m%d", number)}
	names := []string{"yes", "no", `a "quoted" <one>`, "möglich\u2028", "x y", "0"}
	p.outcomes = names[:2+p.rng.IntN(len(names)-1)]
	m := db.NewMarket{Slug: p.slug, Question: "<Will> it?", Outcomes: p.outcomes, Liquidity: "25.5", Draft: number%2 == 1}
	if number%3 == 0 {
		at := time.Now().Add(time.Hour)
		m.ClosesAt = &at
	}
	_, err := n.CreateMarket(t.Context(), m)
	must(t, err)
	for range 5 {
		p.accounts = append(p.accounts, n.Account(t, "1000000"))
	}
	n.same(t, p.slug)
	return p
}

func pick[T any](p *program, list ...T) T { return list[p.rng.IntN(len(list))] }

// step does something that may be refused.
func (p *program) step() {
	p.t.Helper()
	ctx, reason := p.t.Context(), pick(p, "because", `"so" <it> is`)
	var err error
	switch p.rng.IntN(16) {
	case 0:
		_, err = p.n.HaltMarket(ctx, p.slug, reason)
	case 1, 2, 3:
		_, err = p.n.OpenMarket(ctx, p.slug, reason)
	case 5:
		var c db.Comment
		c, err = p.n.Comment(ctx, db.NewComment{Market: p.slug, Body: reason, Account: pick(p, p.accounts...)})
		if err == nil && p.rng.IntN(2) == 0 {
			p.n.same(p.t, p.slug)
			err = p.n.RemoveComment(ctx, c.ID, "", c.Account)
		}
	case 4:
		_, err = p.n.TradeBatch(ctx, p.slug, []db.Order{p.order(), p.order(), p.order()})
	default:
		order := p.order()
		order.Market = p.slug
		_, err = p.n.Trade(ctx, order)
	}
	p.after(err)
}

func (p *program) after(err error) {
	p.t.Helper()
	switch db.CodeOf(err) {
	case "", db.MarketNotOpen, db.InsufficientShares, db.InsufficientFunds, db.InvalidOrder:
	default:
		p.t.Fatal(err)
	}
	p.n.same(p.t, p.slug)
}

func (p *program) order() db.Order {
	o := db.Order{Account: pick(p, p.accounts...), Outcome: pick(p, append(p.outcomes, "*")...), Side: "buy"}
	amount := db.Decimal(fmt.Sprintf("%d.%06d", p.rng.IntN(30), 1+p.rng.IntN(999_999)))
	switch p.rng.IntN(3) {
	case 0:
		o.Spend, o.MaxCost = amount, "1000000"
	case 1:
		o.Shares, o.MaxCost = amount, "1000000"
	default:
		o.Side, o.Shares, o.MinProceeds = "sell", amount, "0"
	}
	return o
}

// finish takes the market to its end, the long way or the short one.
func (p *program) finish() {
	p.t.Helper()
	ctx := p.t.Context()
	payout := func() []db.Decimal {
		all := make([]db.Decimal, len(p.outcomes))
		for i := range all {
			all[i] = "0"
		}
		all[0], all[1] = "0.25", "0.75"
		return all
	}
	run := func(_ db.Market, err error) {
		p.t.Helper()
		must(p.t, err)
		p.n.same(p.t, p.slug)
	}
	if pick(p, true, false) {
		run(p.n.VoidMarket(ctx, p.slug, "no answer"))
		run(p.n.CorrectResolution(ctx, p.slug, payout(), "there is one"))
		return
	}
	_, err := p.n.OpenMarket(ctx, p.slug, "to the end")
	p.after(err)
	run(p.n.CloseMarket(ctx, p.slug, "over"))
	run(p.n.ProposeResolution(ctx, p.slug, payout(), "seen"))
	run(p.n.DisputeMarket(ctx, p.slug, "not so", ""))
	run(p.n.ProposeResolution(ctx, p.slug, payout(), "seen again"))
	run(p.n.ResolveMarket(ctx, p.slug, payout(), "it is so"))
	run(p.n.CorrectResolution(ctx, p.slug, payout(), "to the same"))
}

// TestNobodyIsAnsweredByWhatIsOlderThanTheTape while markets are forgotten and read again in the
// middle of trading.
func TestNobodyIsAnsweredByWhatIsOlderThanTheTape(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	slug := n.Market(t)
	n.follow(t)
	var trading, asking sync.WaitGroup
	var over atomic.Bool
	for range 3 {
		account := n.Account(t, "10000")
		trading.Go(func() {
			for range 60 {
				n.buy(t, account, slug)
			}
		})
	}
	for range 4 {
		asking.Go(func() {
			var seen int64
			for !over.Load() {
				floor := n.Head(slug)
				view := n.get(t, slug)
				if view.Market.Version < max(seen, floor) {
					t.Errorf("version %d after %d, the tape being at %d", view.Market.Version, seen, floor)
					return
				}
				seen = view.Market.Version
				time.Sleep(time.Millisecond) // the trades need the machine too
			}
		})
	}
	asking.Go(func() {
		for !over.Load() {
			n.Forget(slug)
			time.Sleep(3 * time.Millisecond)
		}
	})
	trading.Wait()
	over.Store(true)
	asking.Wait()
	n.same(t, slug)
	t.Logf("%d reads", n.reads.Load())
}
