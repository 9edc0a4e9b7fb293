package rivals

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/pgtape/pgtape/db"
)

// direct calls pgtape's own functions without its server.
type direct struct {
	db      *db.DB
	markets []string
	traders []*trader
	batch   int // orders of a call; 0: one by one
}

// trader buys a share somewhere and sells it again, over and over, as those of the bench do.
type trader struct {
	account string
	index   int
	pairs   int
	holds   *db.Order
}

func newDirect(ctx context.Context, o Options) (rival, error) { return setDirect(ctx, o, 0) }

func newBatch(ctx context.Context, o Options) (rival, error) { return setDirect(ctx, o, o.Batch) }

func setDirect(ctx context.Context, o Options, batch int) (rival, error) {
	owner, err := db.Open(ctx, o.Superuser, db.Options{MaxConns: 1})
	if err != nil {
		return nil, err
	}
	defer owner.Close()
	d := &direct{batch: batch}
	name := "rival-" + strings.ToLower(crand.Text()[:8])
	for i := range o.Markets {
		slug := fmt.Sprintf("%s-%d", name, i)
		if _, err := owner.CreateMarket(ctx, db.NewMarket{Slug: slug, Question: "Rival " + slug, Category: "bench"}); err != nil {
			return nil, err
		}
		d.markets = append(d.markets, slug)
	}
	for i := range o.Connections * max(batch, 1) {
		account, err := owner.CreateAccount(ctx, fmt.Sprintf("%s-%d", name, i), "")
		if err != nil {
			return nil, err
		}
		d.traders = append(d.traders, &trader{account: account.Handle, index: i})
	}
	d.db, err = db.Open(ctx, o.Server, db.Options{AsServer: true, MaxConns: int32(o.Connections)})
	return d, err
}

func (d *direct) close() { d.db.Close() }

func (d *direct) call(ctx context.Context, connection int) (done, error) {
	if d.batch > 0 {
		return d.callBatch(ctx, connection)
	}
	t := d.traders[connection]
	order := t.wish(d.markets)
	if _, err := d.db.Trade(ctx, order); err != nil {
		return done{}, err
	}
	t.took(order)
	return done{accepted: 1}, nil
}

func (d *direct) callBatch(ctx context.Context, connection int) (got done, err error) {
	traders := d.traders[connection*d.batch:][:d.batch]
	market := d.markets[connection%len(d.markets)]
	orders := make([]db.Order, len(traders))
	for i, t := range traders {
		orders[i] = t.wish([]string{market})
	}
	placed, err := d.db.TradeBatch(ctx, market, orders)
	for i, p := range placed {
		if p.Err != nil {
			got.rejected++
			continue
		}
		got.accepted++
		traders[i].took(orders[i])
	}
	return got, err
}

func (t *trader) wish(markets []string) db.Order {
	o := db.Order{Side: "buy", Shares: "1", MaxCost: "1", Account: t.account, IdempotencyKey: crand.Text()}
	if t.holds != nil {
		o.Market, o.Outcome, o.Side, o.MaxCost, o.MinProceeds = t.holds.Market, t.holds.Outcome, "sell", "", "0"
		return o
	}
	o.Market = markets[(t.index+t.pairs)%len(markets)]
	o.Outcome = [...]string{"yes", "no"}[rand.IntN(2)]
	t.pairs++
	return o
}

func (t *trader) took(o db.Order) {
	if t.holds = nil; o.Side == "buy" {
		t.holds = &o
	}
}
