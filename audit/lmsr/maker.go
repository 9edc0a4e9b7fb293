package lmsr

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	// Micro is the number of units in one credit or share.
	Micro = 1_000_000
	// Pico is the number of units in a price of 1.
	Pico = 1_000_000_000_000

	// MaxOutcomes is the most outcomes of one market.
	MaxOutcomes = 50
	// MaxShares is the most shares of one outcome, in micro-units.
	MaxShares = 1_000_000_000_000 * Micro
	// MinLiquidity and MaxLiquidity bound b, in micro-units.
	MinLiquidity = Micro / 100
	MaxLiquidity = 10_000_000 * Micro
)

// ErrRange says that a trade leaves the shares that a market can have outstanding.
var ErrRange = errors.New("shares outstanding out of range")

const (
	// The largest weight stays within e^-reach to e^reach; one that is e^-negligible of the
	// largest possible is left out of the sum, of which it is less than 2^-216.
	reach      = 50
	negligible = 200

	// What a weight, a sum of 50 and the logarithm of two sums can be off by (double.go), with
	// room to spare: relative 2^-93, then 2^-92.8, then absolute 2^-91. In charges, b times that.
	chargeError = 0x1p-88
	// A price has the relative error of a weight and of a sum; its remainder, in units of 10^-12,
	// is off by less than 10^12 * 2^-91 and the rounding to a float, 2^-53.
	remainderError = 0x1p-50
)

// Maker is the market maker of one market. It is not safe for use by several goroutines.
type Maker struct {
	b           int64
	outstanding []int64
	prices      []int64

	ref     int64    // m, in micro-units
	weights []double // exp((q_i - m)/b)
	sum     double
	log     double // ln of the sum

	remainders []float64
	fallbacks  int
}

// New makes the market maker of a market nobody has traded in; liquidity is b in micro-units.
func New(liquidity int64, outcomes int) (*Maker, error) {
	if liquidity < MinLiquidity || liquidity > MaxLiquidity {
		return nil, fmt.Errorf("a liquidity of %d micro-units", liquidity)
	}
	if outcomes < 2 || outcomes > MaxOutcomes {
		return nil, fmt.Errorf("%d outcomes", outcomes)
	}
	m := &Maker{
		b: liquidity, outstanding: make([]int64, outcomes), prices: make([]int64, outcomes),
		weights: make([]double, outcomes), remainders: make([]float64, outcomes),
	}
	m.weigh()
	m.reprice()
	return m, nil
}

// Outstanding gives the shares of each outcome, in micro-units. It changes with each trade.
func (m *Maker) Outstanding() []int64 { return m.outstanding }

// Prices gives the price of each outcome, in pico-units, which sum to Pico. They change with each
// trade.
func (m *Maker) Prices() []int64 { return m.prices }

// Fallbacks counts the numbers that needed decimal arithmetic.
func (m *Maker) Fallbacks() int { return m.fallbacks }

// Trade moves delta shares of one outcome, negative for a sale, and gives what it costs, or brings.
// Errors: ErrRange, and then nothing has moved.
func (m *Maker) Trade(outcome int, delta int64) (Charge, error) {
	after := m.outstanding[outcome] + delta
	if delta == 0 || delta < -MaxShares || delta > MaxShares || after < 0 || after > MaxShares {
		return Charge{}, ErrRange
	}
	ref, log := m.ref, m.log
	m.outstanding[outcome] = after
	if top := slices.Max(m.outstanding); top-m.ref > reach*m.b || m.ref-top > reach*m.b {
		m.ref = top
		m.weigh()
	} else {
		m.weights[outcome] = m.weight(after)
		m.add()
	}
	charge := m.charge(outcome, delta, m.ref-ref, m.log.minus(log))
	m.reprice()
	return charge, nil
}

// Sets moves complete sets: delta shares of every outcome. Each costs exactly 1, and no price moves.
// Errors: ErrRange, and then nothing has moved.
func (m *Maker) Sets(delta int64) error {
	if delta < -MaxShares || delta > MaxShares ||
		slices.Min(m.outstanding)+delta < 0 || slices.Max(m.outstanding)+delta > MaxShares {
		return ErrRange
	}
	for i := range m.outstanding {
		m.outstanding[i] += delta
	}
	m.ref += delta
	return nil
}

// weigh works all weights out again.
func (m *Maker) weigh() {
	for i, q := range m.outstanding {
		m.weights[i] = m.weight(q)
	}
	m.add()
}

// weight depends on q - m alone, so that equal shares have equal weights, to the bit.
func (m *Maker) weight(q int64) double {
	if q-m.ref < -negligible*m.b {
		return double{}
	}
	return exp(whole(q - m.ref).over(double{float64(m.b), 0}))
}

func (m *Maker) add() {
	m.sum = m.weights[0]
	for _, w := range m.weights[1:] {
		m.sum = m.sum.plus(w)
	}
	var ok bool
	if m.log, ok = ln(m.sum); !ok {
		m.log.hi = math.NaN() // No comparison with it holds, so nothing is decided by it.
	}
}

// charge rounds what C moved by: shift + b * log.
func (m *Maker) charge(outcome int, delta, shift int64, log double) Charge {
	moved := log.times(double{float64(m.b), 0}) // below 1.2e15 micro-units, so its fraction fits
	floor := math.Floor(moved.hi)
	fraction := (moved.hi - floor) + moved.lo
	if fraction < 0 {
		floor, fraction = floor-1, fraction+1
	}
	doubt := float64(m.b)*chargeError + 0x1p-50
	switch {
	case fraction > doubt && fraction < 1-doubt:
		return rounded(int64(floor)+shift, delta)
	case fraction <= doubt:
		return m.near(int64(floor)+shift, outcome, delta)
	case fraction >= 1-doubt:
		return m.near(int64(floor)+1+shift, outcome, delta)
	}
	return m.exactCharge(outcome, delta)
}

// near decides an amount that lies too close to a whole number to tell on which side.
func (m *Maker) near(moved int64, outcome int, delta int64) Charge {
	switch {
	case moved == 0 && delta > 0:
		return rounded(0, delta) // C grows with every share
	case moved == 0:
		return rounded(-1, delta)
	case moved == delta && delta > 0:
		return rounded(delta-1, delta) // by less than 1 a share
	case moved == delta:
		return rounded(delta, delta)
	case isShift(m.outstanding, outcome, delta, moved):
		return Charge{Amount: abs(moved), Or: abs(moved)}
	}
	return m.exactCharge(outcome, delta)
}

// isShift tells whether a trade that led to q moved every outcome by the same amount, up to the
// order of outcomes.
func isShift(q []int64, outcome int, delta, amount int64) bool {
	if amount*int64(len(q)) != delta {
		return false
	}
	after, before := slices.Clone(q), slices.Clone(q)
	before[outcome] -= delta
	slices.Sort(after)
	slices.Sort(before)
	for i := range after {
		if after[i]-before[i] != amount {
			return false
		}
	}
	return true
}

func abs(n int64) int64 { return max(n, -n) }
