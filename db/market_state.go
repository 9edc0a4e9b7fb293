package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// MarketState is a market and all that it takes to keep it current by its events: Holders are the
// accounts that have ever held shares of it, of which Traders is the number.
type MarketState struct {
	Market
	Holders []string
}

// MarketState finds a market and its holders, both as of the same version.
// Errors: NotFound.
func (d *DB) MarketState(ctx context.Context, slug string) (MarketState, error) {
	state, err := one[MarketState](ctx, d, `
		select `+marketColumns+`,
			array(select distinct p.account from pgtape.positions p where p.market = m.slug) as holders
		from pgtape.markets m where slug = $1`, slug)
	if errors.Is(err, pgx.ErrNoRows) {
		return state, noMarket(slug)
	}
	return state, err
}
