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

// Move is one step in the life of a market, made by an account: its maker may close and propose,
// its holders dispute, operators do all. Payout is for propose, resolve and correct.
type Move struct {
	Market  string
	Name    string // halt, open, close, propose, dispute, resolve, void or correct
	Payout  []Decimal
	Reason  string
	Account string
}

// MoveMarket does for an account what the methods of this file do for an SQL login.
func (d *DB) MoveMarket(ctx context.Context, m Move) (Market, error) {
	ctx = proven(as(ctx, operating))
	switch m.Name {
	case "halt", "open", "close", "dispute", "void":
		return one[Market](ctx, d,
			"select "+marketColumns+" from pgtape."+m.Name+"_market($1, $2, $3)", m.Market, m.Reason, m.Account)
	case "resolve":
		return d.payMarketFor(ctx, "resolve_market", m)
	case "propose", "correct":
		return d.payMarketFor(ctx, m.Name+"_resolution", m)
	}
	return Market{}, Errorf(InvalidRequest, "there is no move %q: halt, open, close, propose, dispute, resolve, void or correct", m.Name)
}

func (d *DB) payMarketFor(ctx context.Context, function string, m Move) (Market, error) {
	return one[Market](ctx, d,
		"select "+marketColumns+" from pgtape."+function+"($1, $2::text[]::numeric[], $3, $4)", m.Market, m.Payout, m.Reason, m.Account)
}

// DisputeMarket objects to a proposed resolution, for an account that holds shares, or an operator.
func (d *DB) DisputeMarket(ctx context.Context, market, reason, account string) (Market, error) {
	return one[Market](proven(ctx), d,
		"select "+marketColumns+" from pgtape.dispute_market($1, $2, $3)", market, reason, nullable(account))
}

// GrantCredits gives an account credits that the house issues.
// Errors: NotFound, NotPermitted, InvalidRequest.
func (d *DB) GrantCredits(ctx context.Context, account string, amount Decimal, reason string) (Account, error) {
	return one[Account](ctx, d,
		"select "+accountColumns+" from pgtape.grant_credits($1, $2::text::numeric, $3)", account, amount.arg(), reason)
}
