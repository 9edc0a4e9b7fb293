package lmsr

import (
	"math"
	"slices"
)

// reprice rounds the prices to 12 decimals that sum to 1: all are cut off, and what is then missing
// goes, a unit each, to the largest remainders; of equal ones the last.
func (m *Maker) reprice() {
	if m.allEqual() {
		m.repriceEqual()
		return
	}
	unit := double{Pico, 0}.over(m.sum)
	missing := int64(Pico)
	for i, w := range m.weights {
		price := w.times(unit)
		m.prices[i] = int64(price.hi)
		m.remainders[i] = (price.hi - float64(m.prices[i])) + price.lo
		missing -= m.prices[i]
	}
	if missing < 0 || missing > int64(len(m.prices)) || !m.hand(int(missing)) {
		m.exactPrices()
	}
}

func (m *Maker) allEqual() bool {
	for _, q := range m.outstanding[1:] {
		if q != m.outstanding[0] {
			return false
		}
	}
	return true
}

func (m *Maker) repriceEqual() {
	n := int64(len(m.prices))
	for i := range m.prices {
		m.prices[i] = Pico / n
		if n-int64(i) <= Pico%n {
			m.prices[i]++
		}
	}
}

// taken marks a remainder whose outcome has got its unit; true ones are never as small.
const taken = -2

// hand gives out the missing units. False says that it is not sure who should have them, because a
// remainder that got one and one that got none, of different shares, are too close to tell apart.
// A price that is cut off on the wrong side of a whole unit does no harm: its remainder is then
// all but 1, first to get its unit, or all but 0, last.
func (m *Maker) hand(missing int) bool {
	var given [MaxOutcomes]float64
	least := math.Inf(1)
	for range missing {
		at := 0
		for i, r := range m.remainders {
			if r >= m.remainders[at] {
				at = i
			}
		}
		least = m.remainders[at]
		given[at], m.remainders[at] = least, taken
		m.prices[at]++
	}
	if slices.Max(m.remainders) < least-2*remainderError {
		return true
	}
	for i, r := range m.remainders {
		for j, chosen := range given[:len(m.prices)] {
			if r != taken && m.remainders[j] == taken && r >= chosen-2*remainderError && m.outstanding[i] != m.outstanding[j] {
				return false
			}
		}
	}
	return true
}
