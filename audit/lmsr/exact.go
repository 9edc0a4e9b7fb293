package lmsr

import (
	"slices"

	"github.com/cockroachdb/apd/v3"
)

// digits of the decimal arithmetic. It leaves C exact to b * 10^-58 and 10^-45 micro-units, far
// below what is undecided.
const digits = 64

var (
	// undecided is the distance from a whole number, over b, up to which an amount counts against
	// the trader: what 40 digits cannot tell.
	undecided = apd.New(1, -36)
	half      = apd.New(5, -1)
	two       = apd.New(2, 0)
)

// impossible is an amount and a price that nothing has, in case decimal arithmetic ever fails.
const impossible = -1

type decimal struct{ apd.ErrDecimal }

func newDecimal() *decimal {
	return &decimal{apd.MakeErrDecimal(apd.BaseContext.WithPrecision(digits))}
}

func (d *decimal) plus(x, y *apd.Decimal) *apd.Decimal  { return d.Add(new(apd.Decimal), x, y) }
func (d *decimal) minus(x, y *apd.Decimal) *apd.Decimal { return d.Sub(new(apd.Decimal), x, y) }
func (d *decimal) times(x, y *apd.Decimal) *apd.Decimal { return d.Mul(new(apd.Decimal), x, y) }
func (d *decimal) over(x, y *apd.Decimal) *apd.Decimal  { return d.Quo(new(apd.Decimal), x, y) }
func (d *decimal) exp(x *apd.Decimal) *apd.Decimal      { return d.Exp(new(apd.Decimal), x) }
func (d *decimal) ln(x *apd.Decimal) *apd.Decimal       { return d.Ln(new(apd.Decimal), x) }

// floor gives the largest whole number up to x, also as an integer.
func (d *decimal) floor(x *apd.Decimal) (*apd.Decimal, int64) {
	floor := d.Floor(new(apd.Decimal), x)
	return floor, d.Int64(floor)
}

// weights gives exp((q_i - max q)/b) and their sum.
func (d *decimal) weights(q []int64, b int64) (weights []*apd.Decimal, sum *apd.Decimal) {
	top := slices.Max(q)
	sum = apd.New(0, 0)
	for _, shares := range q {
		weight := apd.New(0, 0)
		if shares-top >= -negligible*b {
			weight = d.exp(d.over(apd.New(shares-top, 0), apd.New(b, 0)))
		}
		weights = append(weights, weight)
		sum = d.plus(sum, weight)
	}
	return weights, sum
}

// moved gives by how much C is larger at after than at before, in micro-units.
func (d *decimal) moved(before, after []int64, b int64) *apd.Decimal {
	_, sumBefore := d.weights(before, b)
	_, sumAfter := d.weights(after, b)
	logs := d.minus(d.ln(sumAfter), d.ln(sumBefore))
	return d.plus(apd.New(slices.Max(after)-slices.Max(before), 0), d.times(apd.New(b, 0), logs))
}

// exactCharge is the charge of a trade that led to the shares outstanding and is no shift.
func (m *Maker) exactCharge(outcome int, delta int64) Charge {
	m.fallbacks++
	before := slices.Clone(m.outstanding)
	before[outcome] -= delta
	d := newDecimal()
	moved := d.moved(before, m.outstanding, m.b)
	nearest, floor := d.floor(d.plus(moved, half))
	distance := d.minus(moved, nearest)
	limit := d.times(apd.New(m.b, 0), undecided)
	if d.Err() != nil {
		return Charge{Amount: impossible, Or: impossible}
	}

	// Moved to just above the whole number, C takes a micro-unit more of a buyer, and gives a
	// seller one less, than just below it.
	against := rounded(floor, delta)
	if distance.Negative {
		floor--
	}
	truth := rounded(floor, delta)
	distance.Negative = false
	switch {
	case distance.Cmp(d.times(limit, two)) > 0:
		return truth
	case distance.Cmp(d.times(limit, half)) < 0:
		return against
	}
	return Charge{Amount: truth.Amount, Or: against.Amount}
}

// exactPrices are the prices where the remainders need more digits. Equal shares have equal ones.
func (m *Maker) exactPrices() {
	m.fallbacks++
	d := newDecimal()
	weights, sum := d.weights(m.outstanding, m.b)
	missing := int64(Pico)
	remainders := make([]*apd.Decimal, len(weights))
	order := make([]int, len(weights))
	for i, weight := range weights {
		price := d.over(d.times(weight, apd.New(Pico, 0)), sum)
		floor, units := d.floor(price)
		remainders[i] = d.minus(price, floor)
		m.prices[i] = units
		missing -= units
		order[i] = i
	}
	if d.Err() != nil {
		m.prices[0] = impossible
		return
	}
	slices.SortFunc(order, func(i, j int) int {
		if byRemainder := remainders[j].Cmp(remainders[i]); byRemainder != 0 {
			return byRemainder
		}
		return j - i
	})
	for _, i := range order[:max(0, min(int(missing), len(order)))] {
		m.prices[i]++
	}
}

// Subsidy is the worst loss of the market maker, b ln n, rounded up to a micro-unit.
func Subsidy(liquidity int64, outcomes int) int64 {
	d := newDecimal()
	_, subsidy := d.floor(d.times(apd.New(liquidity, 0), d.ln(apd.New(int64(outcomes), 0))))
	if d.Err() != nil {
		return impossible
	}
	return subsidy + 1 // b ln n is irrational
}
