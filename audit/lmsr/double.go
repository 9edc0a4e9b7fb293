package lmsr

import "math"

// double is an unevaluated sum of two floats, |lo| <= ulp(hi)/2: about 106 bits. With u = 2^-53
// every operation below has a relative error under 16 u^2 = 2^-102 (Joldes, Muller and Popescu,
// "Tight and rigorous error bounds for basic building blocks of double-word arithmetic", 2017:
// sum 3 u^2, product 5 u^2, quotient 15 u^2 + 56 u^3), far from overflow and underflow. float64
// around a product keeps the compiler from fusing it into a following sum.
type double struct{ hi, lo float64 }

// ln2 to 107 bits.
var ln2 = double{math.Ln2, 2.3190468138462996e-17}

// whole is exact for every int64.
func whole(n int64) double {
	high := n >> 32 << 32
	return quickSum(float64(high), float64(n-high))
}

// quickSum is exact where |a| >= |b| or a is 0.
func quickSum(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

func exactSum(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

func exactProduct(a, b float64) double {
	p := float64(a * b)
	return double{p, math.FMA(a, b, -p)}
}

func (x double) plus(y double) double {
	s, t := exactSum(x.hi, y.hi), exactSum(x.lo, y.lo)
	v := quickSum(s.hi, s.lo+t.hi)
	return quickSum(v.hi, t.lo+v.lo)
}

func (x double) minus(y double) double { return x.plus(double{-y.hi, -y.lo}) }

func (x double) times(y double) double {
	p := exactProduct(x.hi, y.hi)
	cross := math.FMA(x.lo, y.hi, math.FMA(x.hi, y.lo, float64(x.lo*y.lo)))
	return quickSum(p.hi, p.lo+cross)
}

func (x double) over(y double) double {
	t := x.hi / y.hi
	p := exactProduct(y.hi, t)
	r := quickSum(p.hi, math.FMA(y.lo, t, p.lo))
	return quickSum(t, ((x.hi-r.hi)+(x.lo-r.lo))/y.hi)
}

// scale multiplies by a power of two, exactly; |k| < 1000.
func (x double) scale(k int) double {
	f := math.Float64frombits(uint64(1023+k) << 52)
	return double{x.hi * f, x.lo * f}
}

// inverseFactorials are 1/2! to 1/9!.
var inverseFactorials = func() (inverse [8]double) {
	f := 1.0
	for i := range inverse {
		f *= float64(i + 2)
		inverse[i] = double{1, 0}.over(double{f, 0})
	}
	return inverse
}()

// exp is e^x for |x| <= 200, where x is itself off by up to |x| 2^-102. Its relative error is below
// 2^-93: x and k ln2 contribute 200 * 2^-102 each, together under 2^-93.3; the series 4 * 2^-102
// and the nine doublings 2 * 2^-102 each, amplified by less than 1.5 in all.
func exp(x double) double {
	k := math.Round(x.hi / math.Ln2)
	r := x.minus(ln2.times(double{k, 0})).scale(-9)

	// s = e^r - 1 by its series: |r| < 0.00068, so what is left out is below s * 2^-117.
	sum := inverseFactorials[len(inverseFactorials)-1]
	for i := len(inverseFactorials) - 2; i >= 0; i-- {
		sum = sum.times(r).plus(inverseFactorials[i])
	}
	s := r.plus(r.times(r).times(sum))

	// e^2r - 1 = 2s + s^2, nine times.
	for range 9 {
		s = s.scale(1).plus(s.times(s))
	}
	return s.plus(double{1, 0}).scale(int(k))
}

// ln is the natural logarithm for e^-60 <= x <= e^60; ok tells that a float came as near to it as
// the rest needs. Its absolute error is below 2^-94 plus the relative error of x: the float y
// leaves ln(1 + d) with d = x e^-y - 1, of which three terms are more than enough.
func ln(x double) (y double, ok bool) {
	y = double{math.Log(x.hi), 0}
	d := x.times(exp(double{-y.hi, 0})).minus(double{1, 0})
	half := d.times(d).scale(-1)
	cube := d.hi * d.hi * d.hi / 3
	return y.plus(d.minus(half)).plus(double{cube, 0}), math.Abs(d.hi) < 0x1p-40
}
