package booktest

import (
	"slices"
)

// rule is the logarithmic market scoring rule by its definition: C(q) = b ln sum exp(q_i / b).
type rule struct {
	known map[string]point
}

// point is what holds at some q.
type point struct {
	cost   number
	prices []number
}

// lost is where exp(x) is too small for 70 digits of a sum that is at least 1.
var lost = whole(-165)

func (r *rule) at(q []number, b number) point {
	key := b.text(6) + literal(q, 6)
	p, ok := r.known[key]
	if !ok {
		p = calculate(q, b)
		r.known[key] = p
	}
	return p
}

func calculate(q []number, b number) point {
	top := slices.MaxFunc(q, compare)
	sum := zero
	weights := make([]number, len(q))
	for i := range q {
		weights[i] = weight(q[i].minus(top), b)
		sum = sum.plus(weights[i])
	}
	return point{cost: top.plus(b.times(sum.ln())), prices: prices(weights, sum)}
}

func weight(distance, b number) number {
	if exponent := distance.over(b); !exponent.less(lost) {
		return exponent.exp()
	}
	return zero
}

func compare(x, y number) int { return x.d.Cmp(y.d) }

// prices are the shares of the sum, with 12 decimals, rounded so that they sum to 1: what is
// missing goes to the largest remainders, of equal ones to the last.
func prices(weights []number, sum number) []number {
	list := make([]number, len(weights))
	remainders := make([]number, len(weights))
	order := make([]int, len(weights))
	missing := unity
	for i, w := range weights {
		price := w.over(sum)
		list[i] = price.floor(12)
		remainders[i] = price.minus(list[i])
		missing = missing.minus(list[i])
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if c := compare(remainders[j], remainders[i]); c != 0 {
			return c
		}
		return j - i
	})
	for _, i := range order {
		if missing.sign() == 0 {
			break
		}
		list[i] = list[i].plus(pico)
		missing = missing.minus(pico)
	}
	return list
}

// charge is what a buyer pays for delta shares of an outcome, or what a seller receives for -delta.
// Within b * 1e-36 of a micro the amount is exact if all of q has moved by it, and otherwise goes
// against the trader; sure is false in the thin band where 40 decimals may take either side.
func (r *rule) charge(q []number, b number, outcome int, delta number) (amount number, sure bool) {
	after := moved(q, outcome, delta)
	exact := r.at(after, b).cost.minus(r.at(q, b).cost).abs()
	nearest := exact.round(6)
	distance, limit := exact.minus(nearest).abs(), b.times(scaled(1, -36))
	buys := delta.sign() > 0

	error40 := b.plus(unity).times(whole(int64(2 * len(q)))).times(scaled(1, -40))
	sure = distance.minus(limit).abs().more(error40)
	switch {
	case distance.less(limit) && shifted(q, after, nearest, buys):
		amount = nearest
	case distance.less(limit) && buys:
		amount = nearest.plus(micro)
	case distance.less(limit):
		amount = nearest.minus(micro)
	case buys:
		amount = exact.ceil(6)
	default:
		amount = exact.floor(6)
	}
	if buys {
		return least(most(amount, micro), delta), sure
	}
	return least(most(amount, zero), delta.negative().minus(micro)), sure
}

func moved(q []number, outcome int, delta number) []number {
	after := slices.Clone(q)
	after[outcome] = after[outcome].plus(delta)
	return after
}

// shifted tells whether q became after by adding an amount (taking it away, of a sale) to each, up
// to the order.
func shifted(q, after []number, amount number, buys bool) bool {
	if !buys {
		amount = amount.negative()
	}
	q, after = slices.SortedFunc(slices.Values(q), compare), slices.SortedFunc(slices.Values(after), compare)
	for i := range q {
		if !q[i].plus(amount).equals(after[i]) {
			return false
		}
	}
	return true
}

// shares are the most, to 6 decimals, whose charge is at most spend.
func (r *rule) shares(q []number, b number, outcome int, spend number) (shares number, sure bool) {
	target := r.at(q, b).cost.plus(spend)
	rest := unity
	for i := range q {
		if i != outcome {
			rest = rest.minus(weight(q[i].minus(target), b))
		}
	}
	shares = target.minus(q[outcome]).plus(b.times(rest.ln())).floor(6)

	// The formula says where to look, the charge decides.
	sure = true
	within := func(s number) bool {
		amount, certain := r.charge(q, b, outcome, s)
		sure = sure && certain
		return !amount.more(spend)
	}
	for within(shares.plus(micro)) {
		shares = shares.plus(micro)
	}
	for !within(shares) {
		shares = shares.minus(micro)
	}
	return shares, sure
}

// subsidy is the worst loss of the market maker, b ln n, rounded up.
func subsidy(b number, n int) number {
	return b.times(whole(int64(n)).ln()).ceil(6)
}
