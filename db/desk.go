package db

import "context"

// Settlement is what a payout would do to a market as it stands: how many people it would pay, how
// many credits in all, and what would return to whoever funded the market.
type Settlement struct {
	People   int64   `json:"people"`
	Paid     Decimal `json:"paid"`
	Returned Decimal `json:"returned"`
	Funder   string  `json:"funder"`
}

// Settlement tells what a payout would do; a nil one is that of a void market.
// Errors: NotFound, InvalidRequest.
func (d *DB) Settlement(ctx context.Context, market string, payout []Decimal) (Settlement, error) {
	return one[Settlement](ctx, d,
		"select people, paid::text, returned::text, funder from pgtape.settlement($1, $2::text[]::numeric[])", market, payout)
}

// Moves are those that an account may make in a market as it stands at a version.
type Moves struct {
	Moves   []string `json:"moves"`
	Version int64    `json:"version"`
}

// Moves names the moves that an account may make in a market. A market's event can reach a reader
// before other sessions see its rows, so they come with the version that they are of.
// Errors: NotFound.
func (d *DB) Moves(ctx context.Context, market, account string) (Moves, error) {
	return one[Moves](ctx, d, `select pgtape.moves($1, $2) as moves,
		(select h.version from pgtape.heads h where h.slug = pgtape.name_of_market($1)) as version`, market, account)
}

// Preview is what a market would be like: its subsidy in credits, and how far the first purchase
// would move a price.
type Preview struct {
	Subsidy     Decimal `json:"subsidy"`
	PriceBefore Decimal `json:"price_before"`
	PriceAfter  Decimal `json:"price_after"`
	Shares      Decimal `json:"shares"`
}

// MarketPreview tells what a market of so many outcomes and such liquidity would be like, for a
// first purchase of spend credits.
// Errors: InvalidRequest.
func (d *DB) MarketPreview(ctx context.Context, outcomes int, liquidity, spend Decimal) (Preview, error) {
	return one[Preview](ctx, d, `
		select subsidy::text, price_before::text, price_after::text, shares::text
		from pgtape.market_preview($1, $2::text::numeric, $3::text::numeric)`, outcomes, liquidity.arg(), spend.arg())
}
