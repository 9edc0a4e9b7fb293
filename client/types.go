package client

import "time"

// Account is somebody who trades.
type Account struct {
	Handle    string    `json:"handle"`
	Balance   string    `json:"balance"`
	CreatedAt time.Time `json:"created_at"`
}

// NewMarket declares a market. Without Outcomes they are yes and no, without Liquidity it is 100.
type NewMarket struct {
	Slug        string     `json:"slug"`
	Question    string     `json:"question"`
	Outcomes    []string   `json:"outcomes,omitempty"`
	Liquidity   string     `json:"liquidity,omitempty"`
	ClosesAt    *time.Time `json:"closes_at,omitempty"`
	Description string     `json:"description,omitempty"`
	Category    string     `json:"category,omitempty"`
}

// Market is what a market is and where it stands: at the event that Version and Cursor name.
type Market struct {
	Slug        string            `json:"slug"`
	Question    string            `json:"question"`
	Description string            `json:"description"`
	Category    string            `json:"category"`
	Status      string            `json:"status"` // open, halted, closed, resolved, void
	Outcomes    []string          `json:"outcomes"`
	Prices      map[string]string `json:"prices"`      // by outcome
	Outstanding map[string]string `json:"outstanding"` // shares, by outcome
	Liquidity   string            `json:"liquidity"`
	Subsidy     string            `json:"subsidy"`
	Volume      string            `json:"volume"`
	Trades      int64             `json:"trades"`
	Traders     int64             `json:"traders"`
	Version     int64             `json:"version"`
	Cursor      string            `json:"cursor"`
	CreatedAt   time.Time         `json:"created_at"`
	CreatedBy   string            `json:"created_by"`
	ClosesAt    *time.Time        `json:"closes_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Payout      map[string]string `json:"payout"` // by outcome; nil until it is resolved
}

// Question is what a quote is asked for: exactly one of Shares and, to buy, Spend (credits).
type Question struct {
	Outcome string
	Side    string // buy, sell
	Shares  string
	Spend   string
}

// Order is what a trader asks for: exactly one of Shares and Spend, and at least one bound:
// MaxCost, MinProceeds, or ExpectedPrice with MaxSlippageBps.
type Order struct {
	Outcome         string     `json:"outcome"`
	Side            string     `json:"side"` // buy, sell
	Shares          string     `json:"shares,omitempty"`
	Spend           string     `json:"spend,omitempty"`
	ExpectedPrice   string     `json:"expected_price,omitempty"`   // average price per share of the quote
	ExpectedVersion int64      `json:"expected_version,omitempty"` // the version of the quote
	MaxSlippageBps  *int       `json:"max_slippage_bps,omitempty"` // 1/100 of a percent of ExpectedPrice
	MaxCost         string     `json:"max_cost,omitempty"`
	MinProceeds     string     `json:"min_proceeds,omitempty"`
	Deadline        *time.Time `json:"deadline,omitempty"`
}

// Quote is what an order would do at Version. Amount is what a buyer pays or a seller receives.
type Quote struct {
	Market      string `json:"market"`
	Version     int64  `json:"version"`
	Outcome     string `json:"outcome"`
	Side        string `json:"side"`
	Shares      string `json:"shares"`
	Amount      string `json:"amount"`
	AvgPrice    string `json:"avg_price"`
	PriceBefore string `json:"price_before"`
	PriceAfter  string `json:"price_after"`
}

// Order makes the order that takes a quote, or a price that is worse by at most so much.
func (q Quote) Order(maxSlippageBps int) Order {
	return Order{
		Outcome: q.Outcome, Side: q.Side, Shares: q.Shares,
		ExpectedPrice: q.AvgPrice, ExpectedVersion: q.Version, MaxSlippageBps: &maxSlippageBps,
	}
}

// Receipt is what an order did; Version is the market's after it, and the seq of its event.
type Receipt struct {
	Quote
	TradeID  int64     `json:"trade_id"`
	Account  string    `json:"account"`
	Balance  string    `json:"balance"`  // of the account, after the trade
	Position string    `json:"position"` // shares of the outcome held after the trade
	At       time.Time `json:"at"`       // by the database's clock, before its commit
	Replayed bool      `json:"replayed"` // its key had done it before
}

// Event is one event of a market's tape. Seq counts from 1, without gaps; Prev is Seq − 1.
type Event struct {
	Market string            `json:"market"`
	Seq    int64             `json:"seq"`
	Prev   int64             `json:"prev"`
	Cursor string            `json:"cursor"`
	At     time.Time         `json:"at"`
	Kind   string            `json:"kind"` // created, trade, commented, halted, opened, closed, resolved, …
	Trade  *Trade            `json:"trade"`
	Status string            `json:"status"` // with kinds that change it
	Prices map[string]string `json:"prices"` // after it
}

// Trade is what an event of kind trade tells of it.
type Trade struct {
	ID       int64  `json:"id"`
	Account  string `json:"account"`
	Outcome  string `json:"outcome"`
	Side     string `json:"side"`
	Shares   string `json:"shares"`
	Amount   string `json:"amount"`
	AvgPrice string `json:"avg_price"`
}
