package db_test

import (
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// Each attack has two accounts and a market that the house funds. However it ends, together they
// have no more than they began with plus what the market maker stakes: ceil(b ln n) = 69.314719.
type attack struct {
	*dbtest.DB
	t        *testing.T
	ana, bo  string
	market   string
	sumStart string
}

func newAttack(t *testing.T) *attack {
	t.Helper()
	d := dbtest.New(t)
	return &attack{DB: d, t: t, ana: d.Account(t, "1000"), bo: d.Account(t, "1000"), market: d.Market(t), sumStart: "2000"}
}

// order is a buy of shares, or a sale of as many when they are negative, at any price.
func (a *attack) order(account, outcome string, shares db.Decimal) error {
	o := db.Order{Account: account, Market: a.market, Outcome: outcome, Side: "buy", Shares: shares, MaxCost: shares}
	if shares[0] == '-' {
		o.Side, o.Shares, o.MaxCost, o.MinProceeds = "sell", shares[1:], "", "0"
	}
	_, err := a.Trade(a.t.Context(), o)
	return err
}

func (a *attack) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// gained is what the attackers have more than at the start.
func (a *attack) gained() string {
	a.t.Helper()
	return less(a.t, a.DB, db.Decimal(sum(a.t, a.DB, balance(a.t, a.DB, a.ana), balance(a.t, a.DB, a.bo))), db.Decimal(a.sumStart))
}

// atMost fails unless the attackers have gained no more than that.
func (a *attack) atMost(limit string) {
	a.t.Helper()
	var holds bool
	gained := a.gained()
	if err := a.Pool().QueryRow(a.t.Context(), "select $1::text::numeric <= $2::text::numeric", gained, limit).Scan(&holds); err != nil {
		a.t.Fatal(err)
	}
	if !holds {
		a.t.Errorf("the attackers have gained %s, want at most %s", gained, limit)
	}
	a.Verify(a.t)
}

const worstLoss = "69.314719"

func TestAttackByRounding(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	// 2,000 buys of a micro, whose half micro of cost is rounded up each time, then one sale.
	placed := 0
	for range 20 {
		orders := make([]db.Order, 100)
		for i := range orders {
			orders[i] = db.Order{Account: a.ana, Outcome: "yes", Side: "buy", Shares: "0.000001", MaxCost: "0.000001"}
		}
		done, err := a.TradeBatch(t.Context(), a.market, orders)
		a.must(err)
		for _, p := range done {
			a.must(p.Err)
			placed++
		}
	}
	a.must(a.order(a.ana, "yes", "-0.002"))
	if got, want := a.gained(), "-0.001"; placed != 2000 || got != want {
		t.Errorf("%d buys and a sale have gained %s, want %s", placed, got, want)
	}
	a.atMost("0")
}

func TestAttackByFarmingAVoidMarket(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	// If a void market refunded what was paid net, these cycles would take more than the subsidy:
	// each buys dear what it sold cheap. What is paid instead is the declared vector.
	for range 5 {
		for _, step := range []struct {
			account, outcome string
			shares           db.Decimal
		}{{a.ana, "yes", "100"}, {a.bo, "no", "200"}, {a.ana, "yes", "-100"}, {a.bo, "no", "-200"}} {
			a.must(a.order(step.account, step.outcome, step.shares))
		}
	}
	a.must(a.order(a.ana, "yes", "100"))
	a.must(a.order(a.bo, "no", "200"))
	_, err := a.VoidMarket(t.Context(), a.market, "no answer")
	a.must(err)
	a.atMost("0") // (100 + 200) / 2 is less than C(100, 200) - C(0, 0)
}

func TestAttackByWashTradesAroundAResolution(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	for range 10 {
		a.must(a.order(a.ana, "yes", "50"))
		a.must(a.order(a.bo, "no", "50"))
		a.must(a.order(a.ana, "yes", "-50"))
		a.must(a.order(a.bo, "no", "-50"))
	}
	a.atMost("0")
	a.must(a.order(a.ana, "yes", "900"))
	_, err := a.ResolveMarket(t.Context(), a.market, []db.Decimal{"1", "0"}, "it did")
	a.must(err)
	a.atMost(worstLoss)
	for _, shares := range []db.Decimal{"-1", "1"} {
		if err := a.order(a.ana, "yes", shares); db.CodeOf(err) != db.MarketNotOpen {
			t.Errorf("traded %s after the resolution: %v", shares, err)
		}
	}
	if _, err := a.ResolveMarket(t.Context(), a.market, []db.Decimal{"1", "0"}, "again"); db.CodeOf(err) != db.MarketNotOpen {
		t.Errorf("resolved twice: %v", err)
	}
	a.atMost(worstLoss)
}

func TestAttackByKnowingTheAnswer(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	// Bo moves the price away, ana takes the other side, all day long; both know the answer.
	a.must(a.order(a.bo, "no", "400"))
	a.must(a.order(a.ana, "yes", "1000"))
	_, err := a.CloseMarket(t.Context(), a.market, "it is known")
	a.must(err)
	if err := a.order(a.ana, "yes", "1"); db.CodeOf(err) != db.MarketNotOpen {
		t.Errorf("bought after the close: %v", err)
	}
	_, err = a.ResolveMarket(t.Context(), a.market, []db.Decimal{"1", "0"}, "it did")
	a.must(err)
	a.atMost(worstLoss)
}

func TestAttackByCorrections(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	a.must(a.order(a.ana, "yes", "300"))
	a.must(a.order(a.bo, "no", "300"))
	_, err := a.ResolveMarket(t.Context(), a.market, []db.Decimal{"1", "0"}, "yes")
	a.must(err)
	for range 3 {
		for _, payout := range [][]db.Decimal{{"0", "1"}, {"1", "0"}} {
			_, err := a.CorrectResolution(t.Context(), a.market, payout, "or was it")
			a.must(err)
			a.atMost(worstLoss)
		}
	}
}
