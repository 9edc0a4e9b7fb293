package db

import (
	"context"
	"encoding/json"
	"fmt"
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
	type verdict struct {
		Receipt, Refusal json.RawMessage
	}
	verdicts, err := all[verdict](ctx, d, "select receipt, refusal from pgtape.trade_batch($1, $2) order by n", market, text)
	if err != nil {
		return nil, err
	}
	placed := make([]Placed, len(verdicts))
	for i, v := range verdicts {
		if v.Receipt != nil {
			err = json.Unmarshal(v.Receipt, &placed[i].Receipt)
		} else {
			placed[i].Err, err = refusalOf(v.Refusal)
		}
		if err != nil {
			return nil, fmt.Errorf("reading what became of an order: %w", err)
		}
	}
	return placed, nil
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
