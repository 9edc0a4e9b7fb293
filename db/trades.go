package db

import (
	"context"
	"encoding/json"
	"time"
)

// Order is what a trader asks for: exactly one of Shares and Spend (credits, to buy), and at least
// one bound: MaxCost, MinProceeds, or ExpectedPrice with MaxSlippageBps.
type Order struct {
	Market          string     `json:"market,omitempty"`
	Outcome         string     `json:"outcome"`
	Side            string     `json:"side"` // buy, sell
	Shares          Decimal    `json:"shares,omitempty"`
	Spend           Decimal    `json:"spend,omitempty"`
	ExpectedPrice   Decimal    `json:"expected_price,omitempty"`   // average price per share of the quote
	ExpectedVersion *int64     `json:"expected_version,omitempty"` // the version of the quote
	MaxSlippageBps  *int32     `json:"max_slippage_bps,omitempty"` // 1/100 of a percent of ExpectedPrice
	MaxCost         Decimal    `json:"max_cost,omitempty"`
	MinProceeds     Decimal    `json:"min_proceeds,omitempty"`
	Deadline        *time.Time `json:"deadline,omitempty"`

	IdempotencyKey string `json:"-"`
	Account        string `json:"-"`
}

// Quote is what an order would do at Version. Amount is what a buyer pays or a seller receives.
type Quote struct {
	Market      string  `json:"market"`
	Version     int64   `json:"version"`
	Outcome     string  `json:"outcome"`
	Side        string  `json:"side"`
	Shares      Decimal `json:"shares"`
	Amount      Decimal `json:"amount"`
	AvgPrice    Decimal `json:"avg_price"`
	PriceBefore Decimal `json:"price_before"`
	PriceAfter  Decimal `json:"price_after"`
}

// Receipt is what an order did; Version is the market's after it. Replayed says that its
// idempotency key had done it before.
type Receipt struct {
	Quote
	TradeID  int64     `json:"trade_id"`
	Account  string    `json:"account"`
	Balance  Decimal   `json:"balance"`  // of the account, after the trade
	Position Decimal   `json:"position"` // shares of the outcome held after the trade
	At       time.Time `json:"at"`
	Replayed bool      `json:"replayed"`
}

const quoteColumns = `market, version, outcome, side, shares::text, amount::text, avg_price::text,
	price_before::text, price_after::text`

const receiptColumns = quoteColumns + `, trade_id, account, balance::text, "position"::text, at, replayed`

const tradeStatement = `
	select ` + receiptColumns + `
	from pgtape.trade(
		market => $1, outcome => $2, side => $3, shares => $4::text::numeric, spend => $5::text::numeric,
		expected_price => $6::text::numeric, expected_version => $7, max_slippage_bps => $8,
		max_cost => $9::text::numeric, min_proceeds => $10::text::numeric, deadline => $11,
		idempotency_key => $12, account => $13)`

// Quote tells what an order would do now. Only Market, Outcome, Side, Shares and Spend count.
// Errors: MarketNotOpen, InsufficientShares, NotFound, InvalidOrder.
func (d *DB) Quote(ctx context.Context, o Order) (Quote, error) {
	quote, err := one[Quote](ctx, d, `
		select `+quoteColumns+` from pgtape.quote($1, $2, $3, $4::text::numeric, $5::text::numeric)`,
		o.Market, o.Outcome, o.Side, o.Shares.arg(), o.Spend.arg())
	return quote, orderError(err)
}

// Trade carries out an order, or refuses it and writes nothing.
// Errors: StaleQuote (QuoteOf has a fresh one), MarketNotOpen, InsufficientFunds,
// InsufficientShares, DeadlinePassed, IdempotencyMismatch, NotFound, InvalidOrder, NotPermitted.
func (d *DB) Trade(ctx context.Context, o Order) (Receipt, error) {
	receipt, err := one[Receipt](as(ctx, trading), d, tradeStatement,
		o.Market, o.Outcome, o.Side, o.Shares.arg(), o.Spend.arg(), o.ExpectedPrice.arg(), o.ExpectedVersion,
		o.MaxSlippageBps, o.MaxCost.arg(), o.MinProceeds.arg(), o.Deadline, nullable(o.IdempotencyKey), nullable(o.Account))
	return receipt, orderError(err)
}

// orderError makes a value that Postgres could not even read the order's fault.
func orderError(err error) error {
	if e, ok := refusal(err).(*Error); ok && e.Code == InvalidRequest {
		return &Error{Code: InvalidOrder, Message: e.Message, Hint: e.Hint, Detail: e.Detail, cause: err}
	}
	return err
}

// QuoteOf returns the fresh quote that a StaleQuote error carries.
func (e *Error) QuoteOf() (Quote, bool) {
	var detail struct {
		Quote *Quote `json:"quote"`
	}
	if json.Unmarshal(e.Detail, &detail) != nil || detail.Quote == nil {
		return Quote{}, false
	}
	return *detail.Quote, true
}
