package state_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// TestQuotesAreThoseOfTheDatabase digit by digit, on random books: whatever is quoted from memory.
func TestQuotesAreThoseOfTheDatabase(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.SetState(tape.Live)
	rng := rand.New(rand.NewPCG(rand.Uint64(), 2))
	account := n.Account(t, "900000000000")
	quoted, left := 0, 0
	for i := range 60 {
		slug, outcomes := fmt.Sprintf("m%d", i), []string{"yes", "no", "maybe", "a", "b", "c"}[:2+rng.IntN(5)]
		liquidity := amount(rng, 0.01, 1e6)
		_, err := n.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Will it?", Outcomes: outcomes, Liquidity: liquidity})
		must(t, err)
		for range rng.IntN(4) {
			shares := amount(rng, 0.000001, 1e7)
			_, err := n.Trade(t.Context(), db.Order{
				Account: account, Market: slug, Outcome: outcomes[rng.IntN(len(outcomes))], Side: "buy", Shares: shares, MaxCost: shares,
			})
			must(t, err)
		}
		n.Forget(slug)
		view := n.get(t, slug)
		for range 25 {
			o := db.Order{Market: slug, Side: []string{"buy", "sell"}[rng.IntN(2)], Outcome: append(outcomes, "*", "none")[rng.IntN(len(outcomes)+2)]}
			switch most := math.Pow(10, 14*rng.Float64()-1); {
			case o.Side == "buy" && rng.IntN(2) == 0:
				o.Spend = amount(rng, 0.000001, most)
			case o.Side == "sell" && rng.IntN(2) == 0:
				o.Shares = view.Market.Outstanding[0]
			default:
				o.Shares = amount(rng, 0.000001, most)
			}
			want, err := n.Quote(t.Context(), o)
			got, ok := view.Quote(o, time.Now())
			switch {
			case ok && (err != nil || got != want):
				t.Errorf("b %s, outstanding %s, %+v\n got %+v\nwant %+v (%v)", liquidity, view.Market.Outstanding, o, got, want, err)
			case ok:
				quoted++
			case err == nil:
				left++
			}
		}
	}
	t.Logf("%d quoted, %d left to the database", quoted, left)
	if left > quoted/20 {
		t.Errorf("%d quoted, %d left to the database", quoted, left)
	}
}

// amount is of any size between, as likely small as large.
func amount(rng *rand.Rand, least, most float64) db.Decimal {
	return db.Decimal(fmt.Sprintf("%.6f", math.Max(least, least*math.Pow(math.Max(most/least, 1), rng.Float64()))))
}

func TestWhatIsRefusedIsLeftToTheDatabase(t *testing.T) {
	t.Parallel()
	n, slug, _ := scene(t)
	soon := time.Now().Add(time.Hour)
	_, err := n.CreateMarket(t.Context(), db.NewMarket{Slug: "soon", Question: "Will it?", ClosesAt: &soon})
	must(t, err)
	for name, o := range map[string]db.Order{
		"no side":          {Outcome: "yes", Shares: "1"},
		"no outcome":       {Side: "buy", Shares: "1"},
		"another outcome":  {Outcome: "maybe", Side: "buy", Shares: "1"},
		"no number":        {Outcome: "yes", Side: "buy"},
		"two numbers":      {Outcome: "yes", Side: "buy", Shares: "1", Spend: "1"},
		"nothing":          {Outcome: "yes", Side: "buy", Shares: "0"},
		"less":             {Outcome: "yes", Side: "buy", Shares: "-1"},
		"too exact":        {Outcome: "yes", Side: "buy", Shares: "1.0000001"},
		"too much":         {Outcome: "yes", Side: "buy", Shares: "1000000000000.000001"},
		"what nobody has":  {Outcome: "yes", Side: "sell", Shares: "1"},
		"sets nobody has":  {Outcome: "*", Side: "sell", Shares: "1"},
		"a sale to spend":  {Outcome: "yes", Side: "sell", Spend: "1"},
		"more than a book": {Outcome: "yes", Side: "buy", Spend: "1000000000000"},
	} {
		o.Market = slug
		_, err := n.Quote(t.Context(), o)
		if quote, ok := n.get(t, slug).Quote(o, time.Now()); ok || err == nil {
			t.Errorf("%s: %v %+v; the database says %v", name, ok, quote, err)
		}
	}
	plain := db.Order{Outcome: "yes", Side: "buy", Shares: "1"}
	for in, want := range map[time.Duration]bool{0: true, 59*time.Minute + time.Second: false, 2 * time.Hour: false} {
		if _, ok := n.get(t, "soon").Quote(plain, time.Now().Add(in)); ok != want {
			t.Errorf("quoted in %v: %v", in, ok)
		}
	}
	_, err = n.HaltMarket(t.Context(), slug, "to see")
	must(t, err)
	n.Forget(slug)
	if _, ok := n.get(t, slug).Quote(plain, time.Now()); ok {
		t.Error("quoted of a market that is halted")
	}
}
