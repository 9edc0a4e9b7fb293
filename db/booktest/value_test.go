package booktest

// holding is what selling all these shares brings, one number for each outcome: what C falls by,
// rounded as charge rounds a sale.
func (r *rule) holding(q []number, b number, held []number) number {
	fewest, largest, rest := held[0], held[0], make([]number, len(q))
	for i := range q {
		fewest, largest = least(fewest, held[i]), most(largest, held[i])
		rest[i] = q[i].minus(held[i])
	}
	if fewest.equals(largest) {
		return fewest
	}
	exact := r.at(q, b).cost.minus(r.at(rest, b).cost)
	nearest, value := exact.round(6), exact.floor(6)
	switch near := exact.minus(nearest).abs().less(b.times(scaled(1, -36))); {
	case near && shifted(rest, q, nearest, true):
		value = nearest
	case near:
		value = nearest.minus(micro)
	}
	return least(most(value, fewest), largest.minus(micro))
}

// value is what an account's shares of a market would bring now, or have brought.
func (b *book) value(m *market, a *account) number {
	held := m.held(a)
	if m.payout == nil {
		return b.rule.holding(m.q, m.b, held)
	}
	sum := zero
	for i, shares := range held {
		sum = sum.plus(shares.times(m.payout[i]))
	}
	return sum.floor(6)
}

// parts divides a value among the outcomes, by shares times price or payout.
func (m *market) parts(a *account, value number) []number {
	rates := m.payout
	if rates == nil {
		rates = m.prices
	}
	held, sums, sum, shares := m.held(a), make([]number, len(rates)), zero, zero
	for i := range held {
		sum = sum.plus(held[i].times(rates[i]))
		sums[i] = sum
	}
	if sum.sign() == 0 {
		for i := range held {
			shares = shares.plus(held[i])
			sums[i] = shares
		}
		sum = shares
	}
	parts, before := make([]number, len(rates)), zero
	for i := range parts {
		parts[i] = zero
		if value.sign() > 0 {
			upTo := value.times(sums[i]).over(sum).floor(6)
			parts[i], before = upTo.minus(before), upTo
		}
	}
	return parts
}
