package booktest

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgtape/pgtape/db"
)

// number is a decimal that never changes: exact for credits, shares and prices, and good to 70
// digits for what is no finite decimal.
type number struct{ d *apd.Decimal }

// arithmetic is that of number in each direction of rounding.
var (
	arithmetic = apd.BaseContext.WithPrecision(70)
	downwards  = rounding(apd.RoundFloor)
	upwards    = rounding(apd.RoundCeiling)
	halfAway   = rounding(apd.RoundHalfUp)
)

func rounding(r apd.Rounder) *apd.Context {
	c := apd.BaseContext.WithPrecision(100)
	c.Rounding = r
	return c
}

// scaled is n times ten to the power of e.
func scaled(n int64, e int) number { return number{apd.New(n, int32(e))} }

func whole(n int64) number { return scaled(n, 0) }

var (
	zero  = whole(0)
	unity = whole(1)
	micro = scaled(1, -6)
	pico  = scaled(1, -12)
)

// parse reads what Postgres reads as a finite number; ok is false for anything else.
func parse(text db.Decimal) (n number, ok bool) {
	d, _, err := apd.NewFromString(strings.TrimSpace(string(text)))
	if err != nil || d.Form != apd.Finite {
		return number{}, false
	}
	return number{d}, true
}

// must is for what a calculation of the model cannot fail at.
func must(d *apd.Decimal, err error) number {
	if err != nil {
		panic(err)
	}
	return number{d}
}

type operation func(d, x, y *apd.Decimal) (apd.Condition, error)

func (x number) with(op operation, y number) number {
	d := new(apd.Decimal)
	_, err := op(d, x.d, y.d)
	return must(d, err)
}

func (x number) plus(y number) number  { return x.with(arithmetic.Add, y) }
func (x number) minus(y number) number { return x.with(arithmetic.Sub, y) }
func (x number) times(y number) number { return x.with(arithmetic.Mul, y) }
func (x number) over(y number) number  { return x.with(arithmetic.Quo, y) }
func (x number) negative() number      { return zero.minus(x) }
func (x number) sign() int             { return x.d.Sign() }
func (x number) more(y number) bool    { return x.d.Cmp(y.d) > 0 }
func (x number) less(y number) bool    { return x.d.Cmp(y.d) < 0 }
func (x number) equals(y number) bool  { return x.d.Cmp(y.d) == 0 }

func (x number) abs() number {
	if x.sign() < 0 {
		return x.negative()
	}
	return x
}

func (x number) exp() number {
	d := new(apd.Decimal)
	_, err := arithmetic.Exp(d, x.d)
	return must(d, err)
}

func (x number) ln() number {
	d := new(apd.Decimal)
	_, err := arithmetic.Ln(d, x.d)
	return must(d, err)
}

func (x number) quantize(c *apd.Context, places int) number {
	d := new(apd.Decimal)
	_, err := c.Quantize(d, x.d, int32(-places))
	return must(d, err)
}

func (x number) floor(places int) number { return x.quantize(downwards, places) }
func (x number) ceil(places int) number  { return x.quantize(upwards, places) }
func (x number) round(places int) number { return x.quantize(halfAway, places) }

// decimals is how many it needs after the point.
func (x number) decimals() int {
	d, _ := new(apd.Decimal).Reduce(x.d)
	return max(0, -int(d.Exponent))
}

// text is the number with so many decimals, as Postgres prints it.
func (x number) text(places int) string {
	text := x.round(places).d.Text('f')
	if x.sign() == 0 {
		text = strings.TrimPrefix(text, "-")
	}
	return text
}

// decimal is the number as an argument, without trailing zeros.
func (x number) decimal() db.Decimal {
	return db.Decimal(x.text(x.decimals()))
}

func least(x, y number) number {
	if y.less(x) {
		return y
	}
	return x
}

func most(x, y number) number {
	if y.more(x) {
		return y
	}
	return x
}

func total(numbers []number) number {
	sum := zero
	for _, n := range numbers {
		sum = sum.plus(n)
	}
	return sum
}

// literal is an array of numbers as Postgres prints it; none is null.
func literal(numbers []number, places int) string {
	if numbers == nil {
		return "null"
	}
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = n.text(places)
	}
	return "{" + strings.Join(texts, ",") + "}"
}
