package db

import "context"

// LockHolder is a session of an SQL login whose transaction keeps markets locked.
type LockHolder struct {
	PID         int32
	Login       string
	Transaction string
}

// MarketLockHolders lists the sessions that keep markets locked, but for those of servers, and those
// whose commit waits for a standby.
func (d *DB) MarketLockHolders(ctx context.Context) ([]LockHolder, error) {
	return all[LockHolder](as(ctx, operating), d, "select pid, login, transaction from pgtape.market_lock_holders()")
}

// MarketLockBlockers lists those for whom others wait.
func (d *DB) MarketLockBlockers(ctx context.Context) ([]LockHolder, error) {
	return all[LockHolder](as(ctx, operating), d, "select pid, login, transaction from pgtape.market_lock_blockers()")
}

// EndLockHolder ends a session, if it is still in that transaction, and says whether it was.
// Errors: NotPermitted where the owner of the functions may not signal other sessions.
func (d *DB) EndLockHolder(ctx context.Context, h LockHolder) (ended bool, err error) {
	ctx = as(ctx, operating)
	err = d.pool.QueryRow(ctx, "select pgtape.end_lock_holder($1, $2)", h.PID, h.Transaction).Scan(&ended)
	return ended, refusal(err)
}
