package db

import (
	"context"
	"time"
)

// ValueTransfer is what one account has lost to another in all markets, and in how many; FromMarkets is
// how many the loser has ever traded in.
type ValueTransfer struct {
	From        string  `json:"from"`
	To          string  `json:"to"`
	Amount      Decimal `json:"amount"`
	Markets     int64   `json:"markets"`
	FromMarkets int64   `json:"from_markets"`
}

// ValueTransfers lists the pairs of accounts between which most has gone, the largest first.
func (d *DB) ValueTransfers(ctx context.Context, limit int) ([]ValueTransfer, error) {
	return all[ValueTransfer](as(ctx, reporting), d, `
		select v.from_account as "from", v.to_account as "to", v.amount::text as amount, v.markets, v.from_markets
		from pgtape.value_transfers v order by v.amount desc, 1, 2 limit $1`, limit)
}

// NewAccount is one that was given no credits yet.
type NewAccount struct {
	Handle    string    `json:"handle"`
	CreatedAt time.Time `json:"created_at"`
}

// AccountsToApprove lists the newest accounts that wait for credits, where the site gives them after
// approval; operator is empty for a login that is one.
// Errors: NotPermitted.
func (d *DB) AccountsToApprove(ctx context.Context, operator string) ([]NewAccount, error) {
	return all[NewAccount](proven(as(ctx, operating)), d, "select handle, created_at from pgtape.accounts_to_approve($1)", nullable(operator))
}

// ApproveAccount gives an account its opening credits.
// Errors: AlreadyExists when it has been given some, NotFound, NotPermitted.
func (d *DB) ApproveAccount(ctx context.Context, handle, operator string) (Account, error) {
	return one[Account](proven(as(ctx, operating)), d, "select "+accountColumns+" from pgtape.approve_account($1, $2)", handle, nullable(operator))
}

// UnrankedAccount is one that operators have left out of the leaderboard.
type UnrankedAccount struct {
	Handle string    `json:"handle"`
	Since  time.Time `json:"since"`
}

// UnrankedAccounts lists the accounts that are left out of the leaderboard, the newest first.
// Errors: NotPermitted.
func (d *DB) UnrankedAccounts(ctx context.Context, operator string) ([]UnrankedAccount, error) {
	return all[UnrankedAccount](proven(as(ctx, operating)), d, "select handle, since from pgtape.unranked_accounts($1)", nullable(operator))
}

// SetRanked leaves an account out of the leaderboard, with all that others have won from it, or takes it in
// again.
// Errors: NotFound, NotPermitted, InvalidRequest without a reason.
func (d *DB) SetRanked(ctx context.Context, handle string, ranked bool, reason, operator string) (Account, error) {
	return one[Account](proven(as(ctx, operating)), d, "select "+accountColumns+" from pgtape.set_ranked($1, $2, $3, $4)", handle, ranked, reason, nullable(operator))
}
