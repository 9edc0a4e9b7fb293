package booktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// odds is true once in n times; shrinking makes it false.
func odds(t *rapid.T, n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}

func pick[T any](t *rapid.T, label string, from ...T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(t, label)]
}

// text shows a value as JSON, which follows pointers.
type text struct{ value any }

func (x text) String() string {
	shown, err := json.Marshal(x.value)
	if err != nil {
		return err.Error()
	}
	return string(shown)
}

// drawAmount draws a number of 1 to 3 digits of any size: from a micro to 10^12.
func drawAmount(t *rapid.T, label string) number {
	exponent := pick(t, label+" exponent", 0, 0, 0, 1, 1, 2, -1, -2, -3, -4, -5, -6, -6, 3, 4, 5, 6, 7, 8, 9)
	return scaled(rapid.Int64Range(1, 999).Draw(t, label), exponent)
}

func drawBalance(t *rapid.T) db.Decimal {
	return pick[db.Decimal](t, "balance", "1000", "", "1000000", "1000000000000", "1000000000000", "1000000000", "10.5", "0.000001", "0", "100000000.000001")
}

func drawLiquidity(t *rapid.T) db.Decimal {
	return pick[db.Decimal](t, "liquidity", "100", "", "1", "0.01", "10", "0.123457", "1000000", "10000000", "3333.333333")
}

// drawOutcomes draws names that arrays and JSON must quote, and sometimes very many.
func drawOutcomes(t *rapid.T) []string {
	if odds(t, 12, "many outcomes") {
		var many []string
		for i := range rapid.IntRange(5, 50).Draw(t, "outcomes") {
			many = append(many, fmt.Sprint("o", i))
		}
		return many
	}
	names := []string{"yes", "no", "may be", `"so"`, "{x,y}", "NULL", `\`, "größer", "<b>", "O'Hara"}
	from := rapid.IntRange(0, 6).Draw(t, "first name")
	return names[from : from+pick(t, "outcomes", 2, 3, 4)]
}

func drawReason(t *rapid.T) string {
	if odds(t, 20, "bad reason") {
		return pick(t, "reason", "", "   ", strings.Repeat("x", 2001))
	}
	return pick(t, "reason", "so", `it "said" {so}`, "größer\n", strings.Repeat("x", 2000))
}

// drawPayout draws a payout vector: plain answers, shared ones, any of 6 decimals, wrong ones.
func drawPayout(t *rapid.T, outcomes int) []db.Decimal {
	numbers := slices.Repeat([]number{zero}, outcomes)
	if odds(t, 8, "wrong payout") {
		return drawWrongPayout(t, outcomes)
	}
	switch pick(t, "payout", "plain", "any", "uniform") {
	case "plain":
		numbers[rapid.IntRange(0, outcomes-1).Draw(t, "answer")] = unity
	case "any":
		left := int64(1_000_000)
		for i := range outcomes - 1 {
			part := rapid.Int64Range(0, left).Draw(t, "part")
			numbers[i] = scaled(part, -6)
			left -= part
		}
		numbers[outcomes-1] = scaled(left, -6)
	case "uniform":
		numbers = uniform(outcomes)
	}
	return decimals(numbers)
}

func drawWrongPayout(t *rapid.T, outcomes int) []db.Decimal {
	numbers := uniform(outcomes)
	switch pick(t, "wrong payout", "more than 1", "less than 1", "negative", "too fine", "too long", "too short", "NaN", "none", "missing") {
	case "more than 1":
		numbers[0] = numbers[0].plus(micro)
	case "less than 1":
		numbers[0] = numbers[0].minus(micro)
	case "negative":
		numbers[1] = numbers[1].plus(numbers[0]).plus(micro)
		numbers[0] = micro.negative()
	case "too fine":
		numbers[0], numbers[1] = numbers[0].plus(scaled(1, -7)), numbers[1].minus(scaled(1, -7))
	case "too long":
		numbers = append(numbers, zero)
	case "too short":
		numbers = numbers[:outcomes-1]
		numbers[0] = numbers[0].plus(unity.minus(total(numbers)))
	case "NaN":
		return append(decimals(numbers[1:]), "NaN")
	case "none":
		return []db.Decimal{}
	case "missing":
		return nil
	}
	return decimals(numbers)
}

func decimals(numbers []number) []db.Decimal {
	list := make([]db.Decimal, len(numbers))
	for i, n := range numbers {
		list[i] = n.decimal()
	}
	return list
}

// anyDoor draws who calls: usually one who may.
func (p *program) anyDoor(t *rapid.T) *caller {
	if odds(t, 12, "other caller") {
		return pick(t, "caller", p.doors.all()...)
	}
	return p.doors.operator
}

// anyHandle draws whom a call is about: seldom nobody, the house or another spelling.
func (p *program) anyHandle(t *rapid.T) string {
	handle := pick(t, "account", p.book.accounts...).handle
	if odds(t, 20, "odd account") {
		return pick(t, "handle", strings.ToUpper(handle), "nobody", "house", "House", "market:"+p.prefix+"-m1")
	}
	return handle
}

// anyMarket draws a market in some status, if there is one, and otherwise any.
func (p *program) anyMarket(t *rapid.T, statuses ...string) *market {
	var fitting []*market
	for _, m := range p.book.markets {
		if slices.Contains(statuses, m.status) {
			fitting = append(fitting, m)
		}
	}
	if len(fitting) == 0 || odds(t, 10, "any market") {
		fitting = p.book.markets
	}
	return pick(t, "market", fitting...)
}

// anySlug draws a market as anyMarket does, or one that is none.
func (p *program) anySlug(t *rapid.T, statuses ...string) (slug string, outcomes int) {
	m := p.anyMarket(t, statuses...)
	if odds(t, 30, "no market") {
		return pick(t, "slug", "nowhere", "house", "no-"+m.slug), len(m.outcomes)
	}
	return m.slug, len(m.outcomes)
}
