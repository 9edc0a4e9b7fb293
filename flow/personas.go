package flow

import (
	"math"
	"math/rand/v2"
)

// persona is a way to trade: it looks at a market and its own shares and says what it wants.
type persona func(rng *rand.Rand, v view, held []float64) (wish, bool)

// wish is an order before it is quoted; shares are a size, not yet money.
type wish struct {
	outcome int
	side    string
	shares  float64
}

// view is what a bot sees of a market.
type view struct {
	liquidity float64
	prices    []float64
	average   []float64 // of the prices of late
	belief    []float64 // where those who know something think the prices belong
}

const (
	buy  = "buy"
	sell = "sell"
)

// noise trades for no reason, small, as gladly out as in.
func noise(rng *rand.Rand, v view, held []float64) (wish, bool) {
	i := rng.IntN(len(v.prices))
	shares := v.liquidity * (0.01 + 0.03*rng.Float64())
	if held[i] > 0 && rng.IntN(2) == 0 {
		return wish{i, sell, min(held[i], shares)}, true
	}
	return wish{i, buy, shares}, true
}

// momentum buys what rises, and is out of it as soon as it falls.
func momentum(rng *rand.Rand, v view, held []float64) (wish, bool) {
	const trend = 0.008
	best, rise := 0, 0.0
	for i := range v.prices {
		moved := v.prices[i] - v.average[i]
		if moved < -trend && held[i] > 0 {
			return wish{i, sell, held[i]}, true
		}
		if moved > rise {
			best, rise = i, moved
		}
	}
	if rise < trend {
		return wish{}, false
	}
	return wish{best, buy, v.liquidity * (0.02 + 0.02*rng.Float64())}, true
}

// informed pulls the prices toward its belief: it sells what is dear and buys what is cheap, a part
// of the way each time.
func informed(rng *rand.Rand, v view, held []float64) (wish, bool) {
	const enough = 0.012
	dear, cheap := 0, 0
	for i := range v.prices {
		if over := v.prices[i] - v.belief[i]; over > v.prices[dear]-v.belief[dear] && held[i] > 0 || held[dear] == 0 {
			dear = i
		}
		if v.prices[i]-v.belief[i] < v.prices[cheap]-v.belief[cheap] {
			cheap = i
		}
	}
	part := 0.4 + 0.4*rng.Float64()
	if v.prices[dear]-v.belief[dear] > enough && held[dear] > 0 {
		return wish{dear, sell, min(held[dear], part*v.sharesTo(dear))}, true
	}
	if v.belief[cheap]-v.prices[cheap] > enough {
		return wish{cheap, buy, part * v.sharesTo(cheap)}, true
	}
	return wish{}, false
}

// sharesTo is how many shares of an outcome move its price to the belief, at most a fifth of the
// liquidity: LMSR moves the log-odds by shares / b.
func (v view) sharesTo(outcome int) float64 {
	return v.liquidity * min(0.2, math.Abs(logOdds(v.belief[outcome])-logOdds(v.prices[outcome])))
}

func logOdds(p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	return math.Log(p / (1 - p))
}

// shed gives back what a bot has more of than a limit, so that no balance drains into positions.
func shed(rng *rand.Rand, v view, held []float64, limit float64) (wish, bool) {
	for i := range held {
		if held[i] > limit {
			return wish{i, sell, min(held[i], v.liquidity*(0.02+0.06*rng.Float64()))}, true
		}
	}
	return wish{}, false
}

// drift is a belief that wanders, in log-weights, and is drawn back to its anchor.
type drift struct {
	anchor, at []float64
}

func newDrift(beliefs []float64) *drift {
	d := &drift{}
	for _, p := range beliefs {
		d.anchor = append(d.anchor, math.Log(max(p, 1e-6)))
	}
	d.at = append(d.at, d.anchor...)
	return d
}

func (d *drift) step(rng *rand.Rand) {
	for i := range d.at {
		d.at[i] += 0.05*(d.anchor[i]-d.at[i]) + 0.03*rng.NormFloat64()
	}
}

func (d *drift) belief() []float64 {
	belief, sum := make([]float64, len(d.at)), 0.0
	for i, weight := range d.at {
		belief[i] = math.Exp(weight)
		sum += belief[i]
	}
	for i := range belief {
		belief[i] /= sum
	}
	return belief
}
