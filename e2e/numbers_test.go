package e2e_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pgtape/pgtape/db"
)

// Numbers as pages show them, spaces made plain.

// percent is a price: a tenth of a percent, unless it is near an end.
func percent(price db.Decimal) string {
	switch p := number(price) * 100; {
	case p > 0 && p < 1:
		return "<1 %"
	case p > 99 && p < 100:
		return ">99 %"
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

// cents is a price per share.
func cents(price db.Decimal) string { return fmt.Sprintf("%.1f ¢", number(price)*100) }

// rounded is an amount of credits or shares that was traded, or is to be.
func rounded(amount db.Decimal) string { return grouped(fmt.Sprintf("%.2f", number(amount))) }

// held is what somebody has, rounded down.
func held(amount db.Decimal) string {
	whole, fraction, _ := strings.Cut(string(amount), ".")
	return grouped(whole + "." + (fraction + "00")[:2])
}

// exact is an amount with all its decimals.
func exact(amount db.Decimal) string { return grouped(string(amount)) }

func grouped(amount string) string {
	whole, fraction, _ := strings.Cut(amount, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + "." + fraction
}

// number is for what is shown: a float holds enough of it.
func number(d db.Decimal) float64 {
	f, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		panic(err) // the database gives decimals
	}
	return f
}
