package db

import (
	"context"
	"encoding/json"
	"time"
)

// Notification is something that an account is told, about a market. Detail depends on Kind:
//
//	resolved      act (resolved, void or corrected), payout by outcome, paid
//	proposed      payout by outcome
//	traded        trades by others since the last one of the kind was read
//	mention       comment, account
//	comment       comment, account
//	closing_soon  closes_at
//
// and, about the account itself, without a market:
//
//	password_changed   by, a browser or an admin; end_access
//	key_made           name, prefix, scopes
//	identity_linked    issuer
//	identity_unlinked
type Notification struct {
	ID       int64           `json:"id"`
	Kind     string          `json:"kind"`
	Market   *string         `json:"market"`
	Question *string         `json:"question"`
	Seq      int64           `json:"seq"`
	Detail   json.RawMessage `json:"detail"`
	Words    *string         `json:"words"` // the first of the comment, if it is there still
	At       time.Time       `json:"at"`
	ReadAt   *time.Time      `json:"read_at"`
}

// UnreadNotifications counts what an account has not read. What no event has written down, it finds
// and writes down.
// Errors: NotFound, NotPermitted.
func (d *DB) UnreadNotifications(ctx context.Context, account string) (int64, error) {
	return d.count(ctx, "select pgtape.unread_notifications($1)", nullable(account))
}

// Notifications lists what an account was told, the newest first; before, if not 0, is the id that
// the page before ended with.
// Errors: NotFound, NotPermitted, InvalidRequest.
func (d *DB) Notifications(ctx context.Context, account string, before int64, limit int) ([]Notification, error) {
	return all[Notification](ctx, d, `
		select id, kind, market, question, seq, detail, words, at, read_at
		from pgtape.notifications($1, nullif($2::bigint, 0), $3)`, nullable(account), before, limit)
}

// ReadNotifications marks these of an account's as read, or with nil all, and counts those that are not.
// Errors: NotFound, NotPermitted.
func (d *DB) ReadNotifications(ctx context.Context, account string, ids []int64) (int64, error) {
	return d.count(ctx, "select pgtape.read_notifications($1, $2)", ids, nullable(account))
}

func (d *DB) count(ctx context.Context, query string, args ...any) (count int64, err error) {
	err = d.pool.QueryRow(ctx, query, args...).Scan(&count)
	return count, refusal(err)
}
