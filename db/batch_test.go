package db_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestABatchIsItsOrdersInTurn(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market := d.Account(t, "20"), d.Account(t, "1000"), d.Market(t)
	buy := func(account, outcome string, shares, bound db.Decimal) db.Order {
		return db.Order{Account: account, Market: market, Outcome: outcome, Side: "buy", Shares: shares, MaxCost: bound}
	}
	keyed := buy(bo, "no", "1", "1")
	keyed.IdempotencyKey = "k"
	sell := db.Order{Account: ana, Market: market, Outcome: "yes", Side: "sell", Shares: "30", MinProceeds: "0"}
	orders := []db.Order{
		buy(ana, "yes", "30", "30"),  // leaves her with less than 5
		buy(ana, "yes", "30", "30"),  // which is not enough for this
		sell,                         // but her shares are there to be sold
		buy(bo, "no", "10", "1"),     // a bound that fails alone
		buy(bo, "maybe", "10", "10"), // and an outcome that is none
		buy(bo, "no", "10", "10"),
		keyed, keyed,
		{Account: bo, Outcome: "no", Side: "buy", Shares: "1"}, // blind
	}
	want := []db.Code{"", db.InsufficientFunds, "", db.StaleQuote, db.NotFound, "", "", "", db.InvalidOrder}

	placed, err := d.TradeBatch(t.Context(), market, orders)
	if err != nil {
		t.Fatal(err)
	}
	var got []db.Code
	for _, p := range placed {
		got = append(got, db.CodeOf(p.Err))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("codes %q, want %q", got, want)
	}
	if placed[7].Receipt.Version != placed[6].Receipt.Version || !placed[7].Receipt.Replayed {
		t.Errorf("the repeated order: %+v, first %+v", placed[7].Receipt, placed[6].Receipt)
	}
	if _, err := d.TradeBatch(t.Context(), "nowhere", orders); db.CodeOf(err) != db.NotFound {
		t.Errorf("no market: %v", err)
	}
	for _, orders := range []string{`{}`, `[1]`, `[[]]`, `[null]`, `[{"shares":"many"}]`, `null`, `"yes"`} {
		_, err := d.Pool().Exec(t.Context(), "select pgtape.trade_batch($1, $2)", market, orders)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "TP008" {
			t.Errorf("orders %s: %v", orders, err)
		}
	}
	if placed, err := d.TradeBatch(t.Context(), market, nil); err != nil || len(placed) != 0 {
		t.Errorf("no orders: %v, %v", placed, err)
	}
	d.Verify(t)
}

// Whatever the orders are, a batch leaves the database, and answers its callers, as the same orders
// one by one do.
func TestABatchIsTheSameAsOneByOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			batched, single := dbtest.New(t), dbtest.New(t)
			outcomes := []string{"yes", "no", "per\"haps"}[:2+seed%2]
			for _, d := range []*dbtest.DB{batched, single} {
				for i := range 5 {
					d.Exec(t, "select pgtape.create_account($1, $2)", fmt.Sprint("a", i), 5+45*i)
				}
				d.Exec(t, "select pgtape.create_market('rain', 'Will it?', $1, 20)", outcomes)
			}
			draw := rand.New(rand.NewPCG(seed, 7))
			for range 8 {
				orders := make([]db.Order, draw.IntN(33))
				for i := range orders {
					orders[i] = randomOrder(draw, outcomes, orders[:i])
				}
				placed, err := batched.TradeBatch(t.Context(), "rain", orders)
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range orders {
					o.Market = "rain"
					receipt, err := single.Trade(t.Context(), o)
					got, want := answer(t, placed[i].Receipt, placed[i].Err), answer(t, receipt, err)
					if got != want {
						t.Fatalf("order %d of %d, %+v:\nin the batch %s\nalone        %s", i, len(orders), o, got, want)
					}
				}
			}
			for _, table := range []string{
				"select market, seq, kind, body from pgtape_core.tape order by 1, 2",
				"select handle, balance from pgtape_core.account order by 1",
				"select account_id, market_id, outcome, shares from pgtape_core.position order by 1, 2, 3",
				"select transaction_id, account_id, amount, kind, market_id, seq from pgtape_core.ledger_entry order by 1, 2",
				"select status, version, outstanding, prices, volume, trades, proposal, payout from pgtape_core.book",
				"select " + tradeColumns + " from pgtape_core.trade order by id",
			} {
				if got, want := rows(t, batched, table), rows(t, single, table); got != want {
					t.Errorf("%s:\nby batches %s\none by one %s", table, got, want)
				}
			}
			batched.Verify(t)
			single.Verify(t)
		})
	}
}

const tradeColumns = `id, market_id, seq, account_id, outcome, side, shares, amount, price_before, price_after, balance,
	"position", spend, expected_price, expected_version, max_slippage_bps, max_cost, min_proceeds, deadline,
	idempotency_key, request_hash`

// randomOrder draws an order, which may well be a bad one, or one of those before once more.
func randomOrder(draw *rand.Rand, outcomes []string, before []db.Order) db.Order {
	odds := func(n int) bool { return draw.IntN(n) == 0 }
	if len(before) > 0 && odds(8) {
		o := before[draw.IntN(len(before))]
		if odds(4) {
			o.Shares = "1"
		}
		return o
	}
	amount := db.Decimal(fmt.Sprintf("%d.%06d", draw.IntN(12), draw.IntN(1e6)))
	o := db.Order{
		Account: fmt.Sprint("a", draw.IntN(5)), Outcome: append(outcomes, "*")[draw.IntN(len(outcomes)+1)],
		Side: "buy", Shares: amount, MaxCost: "1000",
	}
	switch draw.IntN(5) {
	case 0, 1:
		o.Side, o.MaxCost, o.MinProceeds = "sell", "", "0"
	case 2:
		o.Shares, o.Spend = "", amount
	}
	if odds(2) {
		o.IdempotencyKey = fmt.Sprint("key ", draw.IntN(40))
	}
	if odds(6) {
		slippage := draw.Int32N(3000)
		o.ExpectedPrice, o.MaxSlippageBps = "0.5", &slippage
	}
	if odds(10) {
		version := draw.Int64N(100)
		o.ExpectedVersion = &version
	}
	past, future := time.Unix(1e9, 0), time.Unix(1e10, 0)
	spoil := []func(){
		func() { o.Deadline = &past },
		func() { o.Deadline = &future },
		func() { o.Account = strings.ToUpper(o.Account) },
		func() { o.Account = "nobody" },
		func() { o.Account = "house" },
		func() { o.Account = "" },
		func() { o.Outcome = "maybe" },
		func() { o.Shares, o.Spend = "1000000000000", "" },
		func() { o.Shares, o.Spend = "", "" },
		func() { o.MaxCost, o.MinProceeds = "", "" },
		func() { o.MaxCost = "0.5" },
	}
	if odds(4) {
		spoil[draw.IntN(len(spoil))]()
	}
	return o
}

// answer is all that a caller is told, but the time.
func answer(t *testing.T, receipt db.Receipt, err error) string {
	t.Helper()
	receipt.At = time.Time{}
	var refusal *db.Error
	var detail map[string]any
	if err != nil && !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if refusal != nil && refusal.Detail != nil {
		if err := json.Unmarshal(refusal.Detail, &detail); err != nil {
			t.Fatal(err)
		}
		delete(detail, "code") // only in what is raised
		if len(detail) == 0 {
			detail = nil
		}
	}
	text, failed := json.Marshal([]any{receipt, db.CodeOf(err), fmt.Sprint(err), hintOf(refusal), detail})
	if failed != nil {
		t.Fatal(failed)
	}
	return string(text)
}

func hintOf(e *db.Error) string {
	if e == nil {
		return ""
	}
	return e.Hint
}

// rows is what a query finds, as text.
func rows(t *testing.T, d *dbtest.DB, query string) (text string) {
	t.Helper()
	err := d.Pool().QueryRow(t.Context(), "select coalesce(string_agg(x::text, E'\n'), '') from ("+query+") x").Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Batches on several markets that share accounts, each in another order of accounts.
func TestBatchesThatShareAccountsDoNotWaitInACircle(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	const markets, accounts, rounds = 4, 6, 12
	var names []string
	for range accounts {
		names = append(names, d.Account(t, "10000"))
	}
	var wait sync.WaitGroup
	for m := range markets {
		market := d.Market(t)
		wait.Go(func() {
			for round := range rounds {
				var orders []db.Order
				for i := range accounts {
					account := names[(i*(1+m%2*(accounts-2))+m+round)%accounts] // ascending here, descending there
					orders = append(orders, db.Order{
						Account: account, Outcome: []string{"yes", "no"}[(i+round)%2], Side: "buy", Shares: "1", MaxCost: "1",
						IdempotencyKey: fmt.Sprint(market, round, i),
					})
				}
				placed, err := d.TradeBatch(t.Context(), market, orders)
				if err != nil {
					t.Error(err)
					return
				}
				for _, p := range placed {
					if p.Err != nil {
						t.Error(p.Err)
					}
				}
			}
		})
	}
	wait.Wait()
	if got, want := tradeCount(t, d), markets*accounts*rounds; got != want {
		t.Errorf("%d trades, want %d", got, want)
	}
	d.Verify(t)
}

// A batch of many markets gives what the same orders one by one do, and leaves alone what somebody
// else has locked, without waiting for it.
func TestABatchOfManyMarketsWaitsForNobody(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	free, held := d.Market(t), d.Market(t)
	rich, poor, busy := d.Account(t, "1000"), d.Account(t, "1"), d.Account(t, "1000")
	order := func(market, account, key string) db.Order {
		return db.Order{Market: market, Outcome: "yes", Side: "buy", Shares: "2", MaxCost: "2", Account: account, IdempotencyKey: key}
	}
	list := []db.Order{
		order(held, rich, "0"), order(free, rich, "1"), order("nowhere", rich, "2"), order(free, busy, "3"),
		order(free, poor, "4"), order("", rich, "5"), order(free, rich, "6"), order(free, rich, "1"), order(free, "nobody", "7"),
	}
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = tx.Exec(t.Context(), `select from pgtape_core.book b, pgtape_core.market m, pgtape_core.account a
		where m.id = b.market_id and m.slug = $1 and a.handle = $2 for update of b, a`, held, busy)
	if err != nil {
		t.Fatal(err)
	}

	placed, left, err := d.TradeFree(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(left, []int{0, 3}) {
		t.Errorf("left %v, want those of the locked market and account", left)
	}
	want := map[int]db.Code{1: "", 2: db.NotFound, 4: db.InsufficientFunds, 5: db.InvalidOrder, 6: "", 7: "", 8: db.NotFound}
	for i, code := range want {
		if p, ok := placed[i]; !ok || db.CodeOf(p.Err) != code {
			t.Errorf("order %d: %+v, want %q", i, p, code)
		}
	}
	if r := placed[7].Receipt; !r.Replayed || r.Version != 2 || placed[6].Receipt.Version != 3 {
		t.Errorf("the order sent twice: %+v, the next one %+v", r, placed[6].Receipt)
	}
	if _, _, err := d.TradeFree(t.Context(), []db.Order{{Shares: "many"}}); db.CodeOf(err) != db.InvalidOrder {
		t.Errorf("an order that cannot be read: %v", err)
	}
	if placed, left, err := d.TradeFree(t.Context(), nil); err != nil || len(placed)+len(left) != 0 {
		t.Errorf("no orders: %v %v %v", placed, left, err)
	}
	d.Verify(t)
}

// Batches of many markets, of one, and single trades, all of the same accounts: nobody waits in a
// circle, and nothing is done twice.
func TestBatchesOfManyMarketsBesideOthers(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	markets := []string{d.Market(t), d.Market(t), d.Market(t)}
	accounts := []string{d.Account(t, "10000"), d.Account(t, "10000"), d.Account(t, "10000")}
	order := func(n int) db.Order {
		return db.Order{
			Market: markets[n%3], Account: accounts[n/3%3], Outcome: []string{"yes", "no"}[n%2], Side: "buy", Shares: "1", MaxCost: "1",
			IdempotencyKey: fmt.Sprint(n),
		}
	}
	const workers, rounds, size = 6, 10, 9
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for round := range rounds {
				var list []db.Order
				for i := range size {
					list = append(list, order((w*rounds+round)*size+(i*(1+w%2*7))%size))
				}
				var err error
				switch w % 3 {
				case 0:
					for left := list; len(left) > 0 && err == nil; {
						var again []int
						var next []db.Order
						if _, again, err = d.TradeFree(t.Context(), left); len(again) == len(left) {
							time.Sleep(time.Millisecond)
						}
						for _, i := range again {
							next = append(next, left[i])
						}
						left = next
					}
				case 1:
					for _, market := range markets {
						var own []db.Order
						for _, o := range list {
							if o.Market == market {
								own = append(own, o)
							}
						}
						if _, e := d.TradeBatch(t.Context(), market, own); e != nil {
							err = e
						}
					}
				default:
					for _, o := range list {
						if _, e := d.Trade(t.Context(), o); e != nil {
							err = e
						}
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	if got, want := tradeCount(t, d), workers*rounds*size; got != want {
		t.Errorf("%d trades, want %d", got, want)
	}
	d.Verify(t)
}
