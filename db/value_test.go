package db_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// holding is what somebody buys, in this order, while others hold the shares before it.
type holding struct {
	name      string
	liquidity db.Decimal
	outcomes  int
	others    []string // "outcome shares", as the next
	bought    []string
}

var holdings = []holding{
	{"a thousand complete sets", "100", 2, nil, []string{"* 1000"}},
	{"200 of yes and 200 of no", "100", 2, nil, []string{"o0 200", "o1 200"}},
	{"one outcome at a price that shows as 1", "100", 2, nil, []string{"o0 3000"}},
	{"both outcomes at a price that shows as 1", "100", 2, nil, []string{"o0 3000", "o1 400.5"}},
	{"a mirrored market, whose value is exact", "100", 2, []string{"o1 50"}, []string{"o0 100"}},
	{"a single share beside others'", "100", 2, []string{"o0 20", "o1 35"}, []string{"o0 1"}},
	{"three of three", "10", 3, []string{"o2 5"}, []string{"o0 3.333333", "o1 12", "o2 0.000001"}},
	{"all but one", "250", 5, []string{"o4 90"}, []string{"o0 40", "o1 80", "o2 120", "o3 10"}},
}

func TestValueIsWhatSellingAllBrings(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	random := rand.New(rand.NewPCG(13, 1))
	cases := holdings
	for i := range 12 {
		cases = append(cases, randomHolding(random, i))
	}
	for _, h := range cases {
		t.Run(h.name, func(t *testing.T) {
			market := d.Market(t, dbtest.Outcomes(names(h.outcomes)...), dbtest.Liquidity(h.liquidity))
			ana, bo := d.Account(t, "100000"), d.Account(t, "100000")
			for _, order := range h.others {
				place(t, d, bo, market, "buy", order)
			}
			for _, order := range h.bought {
				place(t, d, ana, market, "buy", order)
			}
			value := saysOneValue(t, d, ana, market)
			before := micros(t, balance(t, d, ana))
			sales := sellAll(t, d, random, ana, market)
			brought := micros(t, balance(t, d, ana)) - before
			if brought > value || brought < value-int64(max(1, sales-1)) {
				t.Errorf("the value is %d micros, selling all in %d sales brings %d", value, sales, brought)
			}
		})
	}
	d.Verify(t)
}

func randomHolding(random *rand.Rand, i int) holding {
	n := 2 + random.IntN(6)
	h := holding{name: fmt.Sprintf("random %d", i), outcomes: n, liquidity: db.Decimal(fmt.Sprint(1 + random.IntN(300)))}
	for range random.IntN(3 * n) {
		order := fmt.Sprintf("o%d %d.%06d", random.IntN(n), random.IntN(150), 1+random.IntN(999_999))
		if random.IntN(3) == 0 {
			h.others = append(h.others, order)
		} else {
			h.bought = append(h.bought, order)
		}
	}
	if h.bought == nil || random.IntN(2) == 0 {
		h.bought = append(h.bought, fmt.Sprintf("* %d", 1+random.IntN(50)))
	}
	return h
}

func names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("o%d", i))
	}
	return list
}

func place(t *testing.T, d *dbtest.DB, account, market, side, order string) {
	t.Helper()
	outcome, shares, _ := strings.Cut(order, " ")
	o := db.Order{Account: account, Market: market, Outcome: outcome, Side: side, Shares: db.Decimal(shares), MaxCost: "1000000"}
	if side == "sell" {
		o.MaxCost, o.MinProceeds = "", "0"
	}
	if _, err := d.Trade(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// saysOneValue asks every door what an account's only holding is worth, and gives it in micros.
func saysOneValue(t *testing.T, d *dbtest.DB, account, market string) int64 {
	t.Helper()
	var value int64
	for i, door := range []string{
		"select positions_value from pgtape.leaderboard where account = $1 and $2 <> ''",
		"select sum(value) from pgtape.positions where account = $1 and market = $2",
		"select value from pgtape.account_markets($1) where market = $2",
		"select sum(value) from pgtape.holders($2, 1000) where account = $1",
		// less what it has cost: then these are its profit
		"select profit from pgtape.leaderboard where account = $1 and $2 <> ''",
		"select profit from pgtape.account_profile($1) where $2 <> ''",
		"select (array_agg(profit order by at desc))[1] from pgtape.profit_history($1) where $2 <> ''",
		// the moment before now is valued as now is
		"select round((array_agg(profit order by at desc))[2], 4) from pgtape.profit_history($1, clock_timestamp() - interval '1 microsecond', 2) where $2 <> ''",
	} {
		var got db.Decimal
		if err := d.Pool().QueryRow(t.Context(), "select ("+door+")::numeric(30, 6)::text", account, market).Scan(&got); err != nil {
			t.Fatal(err)
		}
		shown := micros(t, got)
		if i >= 4 {
			shown += 100_000_000_000 - micros(t, balance(t, d, account))
		}
		if i == 0 {
			value = shown
		}
		if difference := shown - value; difference != 0 && (i < 7 || difference > 60 || difference < -60) {
			t.Errorf("the value is %d micros, but %d of %s", value, shown, door)
		}
	}
	return value
}

// sellAll redeems the complete sets in a holding and sells the rest, in any order.
func sellAll(t *testing.T, d *dbtest.DB, random *rand.Rand, account, market string) (sales int) {
	t.Helper()
	var sets db.Decimal
	if err := d.Pool().QueryRow(t.Context(), `
		select (case when count(*) filter (where shares > 0) = (select cardinality(outcomes) from pgtape.markets where slug = $2)
		        then min(shares) else 0 end)::text
		from pgtape.positions where account = $1 and market = $2`, account, market).Scan(&sets); err != nil {
		t.Fatal(err)
	}
	if micros(t, sets) > 0 {
		place(t, d, account, market, "sell", "* "+string(sets))
		sales++
	}
	positions, err := d.Positions(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	random.Shuffle(len(positions), func(i, j int) { positions[i], positions[j] = positions[j], positions[i] })
	for _, p := range positions {
		place(t, d, account, market, "sell", p.Outcome+" "+string(p.Shares))
		sales++
	}
	return sales
}

func micros(t *testing.T, d db.Decimal) int64 {
	t.Helper()
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		t.Fatalf("not a number: %q", d)
	}
	return r.Mul(r, big.NewRat(1_000_000, 1)).Num().Int64()
}

// A holding of several outcomes shows no jump in the profit over time, neither at now nor when what
// it is worth is paid out.
func TestProfitOverTimeHasNoCliff(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ends := map[string]func(market string) error{
		"now": func(string) error { return nil },
		"void": func(market string) error {
			_, err := d.VoidMarket(t.Context(), market, "no answer")
			return err
		},
		"resolved": func(market string) error {
			_, err := d.ResolveMarket(t.Context(), market, []db.Decimal{"0.5", "0.5"}, "shared")
			return err
		},
	}
	for name, end := range ends {
		for _, bought := range [][]string{{"* 1000"}, {"o0 200", "o1 200"}, {"o0 3000", "o1 3000.000001"}} {
			market, ana := d.Market(t, dbtest.Outcomes("o0", "o1")), d.Account(t, "100000")
			for _, order := range bought {
				place(t, d, ana, market, "buy", order)
			}
			var held time.Time
			if err := d.Pool().QueryRow(t.Context(), "select clock_timestamp()").Scan(&held); err != nil {
				t.Fatal(err)
			}
			if err := end(market); err != nil {
				t.Fatal(err)
			}
			points, err := d.ProfitHistory(t.Context(), ana, &held, 20)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range points {
				if m := micros(t, p.Profit); m < -20 || m > 20 {
					t.Errorf("%v, %s: a profit of %s at %s", bought, name, p.Profit, p.At)
				}
			}
		}
	}
}
