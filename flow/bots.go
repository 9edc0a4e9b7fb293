package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/pgtape/pgtape/db"
)

// BotOptions say how bots trade; the zero value trades on no market.
type BotOptions struct {
	Markets []BotMarket
	// Rate is trades per second of all bots together, on average. 0: 1.5.
	Rate float64
	// Seed makes the bots' wishes repeatable: the same markets and the same trades of others give
	// the same trades.
	Seed uint64
}

// Bots trade small orders like people: some for no reason, some after the trend, some toward a
// belief that drifts. What they hold they sell again, so that they can go on for ever.
type Bots struct {
	db      *db.DB
	rate    float64
	rng     *rand.Rand
	topics  []*topic
	traders []*trader
}

// topic is a market as the bots remember it.
type topic struct {
	BotMarket
	drift   *drift
	average []float64
}

// trader is a bot's account. Balance and shares are as of its last receipt.
type trader struct {
	handle   string
	persona  persona
	patience float64 // how much it holds of an outcome, as a part of the liquidity, before it sheds
	balance  float64
	held     map[string][]float64 // by market, outcome
}

const botOpening = 10000

// NewBots makes bots; d must be allowed to act for all accounts.
func NewBots(d *db.DB, o BotOptions) *Bots {
	b := &Bots{db: d, rate: o.Rate, rng: rand.New(rand.NewPCG(o.Seed, 0x7461_7065))}
	if b.rate == 0 {
		b.rate = 1.5
	}
	for _, m := range o.Markets {
		b.topics = append(b.topics, &topic{BotMarket: m})
	}
	// The informed hold out longest: all others together cannot push a price away for good.
	for _, t := range []trader{
		{handle: "bot-nora", persona: noise, patience: 0.3},
		{handle: "bot-nils", persona: noise, patience: 0.3},
		{handle: "bot-noor", persona: noise, patience: 0.3},
		{handle: "bot-mona", persona: momentum, patience: 0.3},
		{handle: "bot-milo", persona: momentum, patience: 0.3},
		{handle: "bot-ines", persona: informed, patience: 2},
		{handle: "bot-ivan", persona: informed, patience: 2},
		{handle: "bot-iris", persona: informed, patience: 2},
	} {
		b.traders = append(b.traders, &t)
	}
	return b
}

// Prepare makes the bots' accounts, unless they are there, and reads what they hold.
func (b *Bots) Prepare(ctx context.Context) error {
	for _, t := range b.traders {
		_, err := b.db.CreateAccount(ctx, t.handle, db.Decimal(strconv.Itoa(botOpening)))
		if err != nil && db.CodeOf(err) != db.AlreadyExists {
			return fmt.Errorf("creating account %s: %w", t.handle, err)
		}
		if err := b.reload(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// reload reads what a bot has.
func (b *Bots) reload(ctx context.Context, t *trader) error {
	account, err := b.db.Account(ctx, t.handle)
	if err != nil {
		return err
	}
	positions, err := b.db.Positions(ctx, t.handle)
	if err != nil {
		return err
	}
	t.balance, t.held = float(account.Balance), map[string][]float64{}
	for _, topic := range b.topics {
		market, err := b.db.Market(ctx, topic.Slug)
		if err != nil {
			return err
		}
		held := make([]float64, len(market.Outcomes))
		for i, outcome := range market.Outcomes {
			for _, p := range positions {
				if p.Market == topic.Slug && p.Outcome == outcome {
					held[i] = float(p.Shares)
				}
			}
		}
		t.held[topic.Slug] = held
	}
	return nil
}

// Run trades until ctx ends. A market that does not trade is left alone, a refused order too; a
// database that is away is waited for.
// Errors: those of Prepare; what is no refusal.
func (b *Bots) Run(ctx context.Context) error {
	err := b.Prepare(ctx)
	for err == nil && len(b.topics) > 0 {
		pause := time.Duration(b.rng.ExpFloat64() / b.rate * float64(time.Second))
		if err = waitUntil(ctx, time.Now().Add(min(pause, 10*time.Second))); err != nil {
			break
		}
		err = b.Step(ctx)
		if db.CodeOf(err) == db.Unavailable {
			err = waitUntil(ctx, time.Now().Add(time.Second))
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Step lets one bot act on one market; if it wants nothing, another is asked, a few times.
// Errors: Unavailable; what is no refusal.
func (b *Bots) Step(ctx context.Context) error {
	topic := b.topics[b.rng.IntN(len(b.topics))]
	market, err := b.db.Market(ctx, topic.Slug)
	if err != nil || market.Status != "open" {
		return err
	}
	view := topic.look(b.rng, market)
	for range 4 {
		t := b.traders[b.rng.IntN(len(b.traders))]
		w, ok := t.want(b.rng, view, topic.Slug)
		if !ok {
			continue
		}
		return b.trade(ctx, t, market, w)
	}
	return nil
}

// look takes note of the prices and lets the belief drift.
func (t *topic) look(rng *rand.Rand, m db.Market) view {
	v := view{liquidity: float(m.Liquidity)}
	for _, price := range m.Prices {
		v.prices = append(v.prices, float(price))
	}
	if t.drift == nil {
		beliefs := t.Beliefs
		if len(beliefs) != len(v.prices) {
			beliefs = v.prices
		}
		t.drift, t.average = newDrift(beliefs), append([]float64(nil), v.prices...)
	}
	t.drift.step(rng)
	v.belief = t.drift.belief()
	v.average = append([]float64(nil), t.average...)
	for i, price := range v.prices {
		t.average[i] += 0.2 * (price - t.average[i])
	}
	return v
}

// want asks the bot's persona. Whoever has lost much begins to think, and whoever has little left
// only sells, so nobody is ruined by his nature.
func (t *trader) want(rng *rand.Rand, v view, market string) (wish, bool) {
	held := t.held[market]
	if w, ok := shed(rng, v, held, t.patience*v.liquidity); ok {
		return w, true
	}
	act := t.persona
	if t.balance < 0.7*botOpening {
		act = informed
	}
	w, ok := act(rng, v, held)
	return w, ok && (w.side == sell || t.balance > 0.1*botOpening)
}

// trade quotes a wish and orders it at that quote. If the quote has become stale the fresh one is
// taken, unless it is much worse: then the bot lets it be.
func (b *Bots) trade(ctx context.Context, t *trader, m db.Market, w wish) error {
	cents := math.Floor(w.shares * 100)
	if cents < 1 {
		return nil
	}
	order := db.Order{
		Market: m.Slug, Account: t.handle, Outcome: m.Outcomes[w.outcome], Side: w.side,
		Shares: db.Decimal(strconv.FormatFloat(cents/100, 'f', 2, 64)),
	}
	quote, err := b.db.Quote(ctx, order)
	if err != nil {
		return b.settle(ctx, t, err)
	}
	receipt, err := b.order(ctx, order, quote)
	if fresh, stale := freshQuote(err); stale && near(quote, fresh) {
		receipt, err = b.order(ctx, order, fresh)
	}
	if err != nil {
		return b.settle(ctx, t, err)
	}
	t.balance = float(receipt.Balance)
	t.held[m.Slug][w.outcome] = float(receipt.Position)
	return nil
}

func (b *Bots) order(ctx context.Context, o db.Order, q db.Quote) (db.Receipt, error) {
	slippage := int32(100)
	o.ExpectedPrice, o.ExpectedVersion, o.MaxSlippageBps = q.AvgPrice, &q.Version, &slippage
	return b.db.Trade(ctx, o)
}

func near(q, fresh db.Quote) bool {
	return math.Abs(float(q.AvgPrice)-float(fresh.AvgPrice)) < 0.03
}

// settle takes a refusal as it is; what the bot has may have been changed by somebody else.
func (b *Bots) settle(ctx context.Context, t *trader, err error) error {
	switch db.CodeOf(err) {
	case db.InsufficientShares, db.InsufficientFunds:
		return b.reload(ctx, t)
	case db.StaleQuote, db.MarketNotOpen:
		return nil
	}
	return err
}

func freshQuote(err error) (db.Quote, bool) {
	var refused *db.Error
	if !errors.As(err, &refused) || refused.Code != db.StaleQuote {
		return db.Quote{}, false
	}
	return refused.QuoteOf()
}
