package lmsr

// Charge is what a trade costs a buyer or brings a seller, in micro-units.
type Charge struct {
	Amount int64
	// Or is right too where 40 digits may or may not tell on which side of a whole number the true
	// amount lies; else it is Amount.
	Or int64
}

// Allows tells whether an amount is what the trade costs, or brings.
func (c Charge) Allows(amount int64) bool { return amount == c.Amount || amount == c.Or }

// rounded is the charge where C moved by more than floor and less than floor + 1.
func rounded(floor, delta int64) Charge {
	amount := -floor - 1
	if delta > 0 {
		amount = floor + 1
	}
	amount = within(amount, delta)
	return Charge{Amount: amount, Or: amount}
}

// within keeps an amount to the bounds of every trade: a price lies strictly between 0 and 1,
// whatever 12 decimals show of it.
func within(amount, delta int64) int64 {
	if delta > 0 {
		return min(max(amount, 1), delta)
	}
	return min(max(amount, 0), -delta-1)
}
