package db

import "context"

// The life of a market: draft → open ⇄ halted → closed → proposed → (disputed) → resolved, or void.
// Reasons are public. All but DisputeMarket are an operator's.
// Errors of each: MarketNotOpen in the wrong state, NotFound, NotPermitted, InvalidRequest.

// HaltMarket pauses trading in a market.
func (d *DB) HaltMarket(ctx context.Context, market, reason string) (Market, error) {
	return d.moveMarket(ctx, "halt_market", market, reason)
}

// OpenMarket lets a draft, or a halted market, trade.
func (d *DB) OpenMarket(ctx context.Context, market, reason string) (Market, error) {
	return d.moveMarket(ctx, "open_market", market, reason)
}

// CloseMarket ends trading in a market.
func (d *DB) CloseMarket(ctx context.Context, market, reason string) (Market, error) {
	return d.moveMarket(ctx, "close_market", market, reason)
}

// VoidMarket pays out the vector that was declared for a question without an answer.
func (d *DB) VoidMarket(ctx context.Context, market, reason string) (Market, error) {
	return d.moveMarket(ctx, "void_market", market, reason)
}

func (d *DB) moveMarket(ctx context.Context, function, market, reason string) (Market, error) {
	return one[Market](ctx, d, "select "+marketColumns+" from pgtape."+function+"($1, $2)", market, reason)
}

// ProposeResolution says how a closed market is to be resolved, for those concerned to dispute.
func (d *DB) ProposeResolution(ctx context.Context, market string, payout []Decimal, reason string) (Market, error) {
	return d.payMarket(ctx, "propose_resolution", market, payout, reason)
}

// ResolveMarket pays out a market: payout is what one share of each outcome brings.
func (d *DB) ResolveMarket(ctx context.Context, market string, payout []Decimal, reason string) (Market, error) {
	return d.payMarket(ctx, "resolve_market", market, payout, reason)
}

// CorrectResolution replaces a payout that was wrong by entries for the differences.
func (d *DB) CorrectResolution(ctx context.Context, market string, payout []Decimal, reason string) (Market, error) {
	return d.payMarket(ctx, "correct_resolution", market, payout, reason)
}

func (d *DB) payMarket(ctx context.Context, function, market string, payout []Decimal, reason string) (Market, error) {
	return one[Market](ctx, d,
		"select "+marketColumns+" from pgtape."+function+"($1, $2::text[]::numeric[], $3)", market, payout, reason)
}

// DisputeMarket objects to a proposed resolution, for an account that holds shares, or an operator.
func (d *DB) DisputeMarket(ctx context.Context, market, reason, account string) (Market, error) {
	return one[Market](ctx, d,
		"select "+marketColumns+" from pgtape.dispute_market($1, $2, $3)", market, reason, nullable(account))
}

// GrantCredits gives an account credits that the house issues.
// Errors: NotFound, NotPermitted, InvalidRequest.
func (d *DB) GrantCredits(ctx context.Context, account string, amount Decimal, reason string) (Account, error) {
	return one[Account](ctx, d,
		"select handle, balance::text, created_at from pgtape.grant_credits($1, $2::text::numeric, $3)", account, amount.arg(), reason)
}
