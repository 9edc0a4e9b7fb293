package db

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Placed is what became of one order of a batch: a receipt, or an Error.
type Placed struct {
	Receipt Receipt
	Err     error
}

// TradeBatch carries out orders of one market in their turn, in one transaction: each is accepted
// or refused on its own. Without an error there is one Placed for each order, in their order.
// Errors: NotFound when there is no such market; Unavailable when it is not known what became of
// the batch: to be sent again, orders need idempotency keys.
func (d *DB) TradeBatch(ctx context.Context, market string, orders []Order) ([]Placed, error) {
	text, err := encodeOrders(orders)
	if err != nil {
		return nil, err
	}
	verdicts, err := d.tradeBatch(ctx, batchStatement, market, text)
	placed := make([]Placed, len(verdicts))
	for i, v := range verdicts {
		placed[i] = v.Placed
	}
	return placed, err
}

// TradeFree carries out orders of any markets, those of each market in their turn, in one
// transaction, but waits for nobody: an order whose market or account is held by somebody else is
// left alone. placed has what became of order i; left, in their order, those of which nothing has.
// Errors: as those of TradeBatch.
func (d *DB) TradeFree(ctx context.Context, orders []Order) (placed map[int]Placed, left []int, err error) {
	text, err := encodeOrders(orders)
	if err != nil {
		return nil, nil, err
	}
	verdicts, err := d.tradeBatch(ctx, freeStatement, text)
	if err != nil {
		return nil, nil, err
	}
	placed = make(map[int]Placed, len(verdicts))
	for _, v := range verdicts {
		placed[v.n-1] = v.Placed
	}
	for i := range orders {
		if _, done := placed[i]; !done {
			left = append(left, i)
		}
	}
	return placed, left, nil
}

func encodeOrders(orders []Order) ([]byte, error) {
	type row struct {
		Order
		IdempotencyKey string `json:"idempotency_key,omitempty"`
		Account        string `json:"account,omitempty"`
	}
	batch := make([]row, len(orders))
	for i, o := range orders {
		batch[i] = row{o, o.IdempotencyKey, o.Account}
	}
	text, err := json.Marshal(batch)
	if err != nil {
		return nil, fmt.Errorf("encoding orders: %w", err)
	}
	return text, nil
}

// verdict is what became of the nth order of a batch; the first is 1.
type verdict struct {
	n int
	Placed
}

const (
	batchStatement = batchOf + "pgtape.trade_batch($1, $2)" + inTurn
	freeStatement  = batchOf + "pgtape.trade_batch($1)" + inTurn

	batchOf = "select n, " + receiptColumns + ", refusal from (select b.n, (b.receipt).*, b.refusal from "
	inTurn  = " b offset 0) b order by n"
)

func (d *DB) tradeBatch(ctx context.Context, statement string, args ...any) ([]verdict, error) {
	return detach(as(ctx, trading), d.pool, func(ctx context.Context) ([]verdict, error) {
		rows, err := d.pool.Query(ctx, statement, args...)
		if err != nil {
			return nil, refusal(err)
		}
		verdicts, err := pgx.CollectRows(rows, verdictOf)
		return verdicts, refusal(err)
	})
}

// verdictOf reads a row: the columns of a receipt, which are null if there is a refusal.
func verdictOf(row pgx.CollectableRow) (v verdict, err error) {
	into := make([]any, len(row.RawValues()))
	last := len(into) - 1
	into[0] = &v.n
	if row.RawValues()[last] == nil {
		r := &v.Receipt
		copy(into[1:], []any{ // in the order of receiptColumns
			&r.Market, &r.Version, &r.Outcome, &r.Side, &r.Shares, &r.Amount, &r.AvgPrice, &r.PriceBefore, &r.PriceAfter,
			&r.TradeID, &r.Account, &r.Balance, &r.Position, &r.At, &r.Replayed,
		})
		return v, row.Scan(into...)
	}
	var text []byte
	into[last] = &text
	if err := row.Scan(into...); err != nil {
		return v, err
	}
	v.Err, err = refusalOf(text)
	return v, err
}

// refusalOf reads a refusal that was returned, not raised.
func refusalOf(text []byte) (*Error, error) {
	var r struct {
		Code    Code            `json:"code"`
		Message string          `json:"message"`
		Hint    string          `json:"hint"`
		Detail  json.RawMessage `json:"detail"`
	}
	err := json.Unmarshal(text, &r)
	return &Error{Code: r.Code, Message: r.Message, Hint: r.Hint, Detail: r.Detail}, err
}
