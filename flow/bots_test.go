package flow

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// TestBotsKeepTheDemoAlive has the bots make the trades of many minutes: prices move and stay where
// the README's order for rain is within its bound, and nobody's balance drains.
func TestBotsKeepTheDemoAlive(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ctx := t.Context()
	if err := CreateMarkets(ctx, d.DB, DemoMarkets()); err != nil {
		t.Fatal(err)
	}
	if err := CreateMarkets(ctx, d.DB, DemoMarkets()); err != nil {
		t.Fatalf("making the markets again: %v", err)
	}
	bots := NewBots(d.DB, BotOptions{Markets: DemoMarkets(), Seed: 1})
	if err := bots.Prepare(ctx); err != nil {
		t.Fatal(err)
	}

	const steps, settling = 400, 40
	inside, lowest, highest := 0, 1.0, 0.0
	for i := range steps {
		if err := bots.Step(ctx); err != nil {
			t.Fatal(err)
		}
		rain, err := d.DB.Market(ctx, "rain")
		if err != nil {
			t.Fatal(err)
		}
		yes := float(rain.Prices[0])
		if i >= settling {
			lowest, highest = min(lowest, yes), max(highest, yes)
			if yes > 0.35 && yes < 0.55 {
				inside++
			}
		}
	}
	t.Logf("rain between %.3f and %.3f, %d of %d inside", lowest, highest, inside, steps-settling)
	if share := float64(inside) / (steps - settling); share < 0.95 || highest-lowest < 0.02 {
		t.Errorf("the price of rain was inside 0.35 to 0.55 for %.2f of the time, from %.3f to %.3f", share, lowest, highest)
	}

	for _, m := range DemoMarkets() {
		market, err := d.DB.Market(ctx, m.Slug)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d trades, prices %v", m.Slug, market.Trades, market.Prices)
		if market.Trades < steps/10 {
			t.Errorf("%s had %d trades, want at least %d", m.Slug, market.Trades, steps/10)
		}
	}
	for _, trader := range bots.traders {
		account, err := d.DB.Account(ctx, trader.handle)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s has %s", trader.handle, account.Balance)
		if float(account.Balance) < 0.8*botOpening {
			t.Errorf("%s has %s left of %d", trader.handle, account.Balance, botOpening)
		}
	}
	d.Verify(t)
}

func TestBotsAreRepeatable(t *testing.T) {
	t.Parallel()
	var cursors [2]db.Decimal
	for i := range cursors {
		d := dbtest.New(t)
		markets := DemoMarkets()[:1]
		bots := NewBots(d.DB, BotOptions{Markets: markets, Seed: 7})
		if err := CreateMarkets(t.Context(), d.DB, markets); err != nil {
			t.Fatal(err)
		}
		if err := bots.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			if err := bots.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		market, err := d.DB.Market(t.Context(), "rain")
		if err != nil {
			t.Fatal(err)
		}
		cursors[i] = market.Prices[0]
	}
	if cursors[0] != cursors[1] || cursors[0] == "0.500000000000" {
		t.Errorf("prices %v, want the same, moved", cursors)
	}
}

func TestBotsRunUntilTheyAreStopped(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	slug := d.Market(t)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	bots := NewBots(d.DB, BotOptions{Rate: 200, Markets: []BotMarket{{NewMarket: db.NewMarket{Slug: slug}}}})
	done := make(chan error, 1)
	go func() { done <- bots.Run(ctx) }()
	for traded := int64(0); traded < 20; {
		market, err := d.DB.Market(ctx, slug)
		if err != nil {
			t.Fatal(err)
		}
		traded = market.Trades
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("the bots ended with %v", err)
	}
	d.Verify(t)
}

func TestABotThatHasLostItsSharesElsewhereLooksAgain(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	slug := d.Market(t)
	bots := NewBots(d.DB, BotOptions{Markets: []BotMarket{{NewMarket: db.NewMarket{Slug: slug}}}})
	if err := bots.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	bot := bots.traders[0]
	bot.held[slug][0] = 30
	market, err := d.DB.Market(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	if err := bots.trade(t.Context(), bot, market, wish{0, sell, 30}); err != nil {
		t.Fatal(err)
	}
	if bot.held[slug][0] != 0 {
		t.Errorf("the bot still believes to hold %v", bot.held[slug][0])
	}
}

func TestPersonas(t *testing.T) {
	t.Parallel()
	calm := view{liquidity: 100, prices: []float64{0.5, 0.5}, average: []float64{0.5, 0.5}, belief: []float64{0.5, 0.5}}
	dear := view{liquidity: 100, prices: []float64{0.6, 0.4}, average: []float64{0.6, 0.4}, belief: []float64{0.5, 0.5}}
	rising := view{liquidity: 100, prices: []float64{0.6, 0.4}, average: []float64{0.5, 0.5}, belief: []float64{0.5, 0.5}}
	hasty := func(rng *rand.Rand, v view, held []float64) (wish, bool) { return shed(rng, v, held, 30) }
	tests := []struct {
		name    string
		persona persona
		view    view
		held    []float64
		outcome int
		side    string // empty: wants nothing
	}{
		{"the informed leave a right price alone", informed, calm, []float64{9, 9}, 0, ""},
		{"the informed sell what is dear", informed, dear, []float64{9, 0}, 0, sell},
		{"the informed buy what is cheap", informed, dear, []float64{0, 0}, 1, buy},
		{"the informed buy what is cheap though they hold it", informed, dear, []float64{0, 9}, 1, buy},
		{"momentum rests when nothing moves", momentum, dear, []float64{9, 9}, 0, ""},
		{"momentum buys what rises", momentum, rising, []float64{0, 0}, 0, buy},
		{"momentum leaves what falls", momentum, rising, []float64{0, 9}, 1, sell},
		{"who holds too much gives some back", hasty, calm, []float64{0, 90}, 1, sell},
		{"who holds little keeps it", hasty, calm, []float64{9, 9}, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				w, ok := tt.persona(rand.New(rand.NewPCG(seed, 0)), tt.view, tt.held)
				switch {
				case ok != (tt.side != ""):
					t.Fatalf("wants something: %v", ok)
				case ok && (w.outcome != tt.outcome || w.side != tt.side || w.shares <= 0):
					t.Fatalf("wants %+v, want to %s outcome %d", w, tt.side, tt.outcome)
				case w.side == sell && w.shares > tt.held[w.outcome]:
					t.Fatalf("sells %v of %v", w.shares, tt.held[w.outcome])
				}
			}
		})
	}
}
