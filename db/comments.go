package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/tape"
)

// Comment is what somebody says about a market, in Markdown. Seq is its event on the market's tape.
type Comment struct {
	ID      int64     `json:"id"`
	Market  string    `json:"market"`
	Seq     int64     `json:"seq"`
	Account string    `json:"account"`
	Body    string    `json:"body"`
	At      time.Time `json:"at"`
}

const commentColumns = "id, market, seq, account, body, at"

// NewComment is a comment to be made. The same Account and IdempotencyKey make it once.
type NewComment struct {
	Market, Body, Account, IdempotencyKey string
}

// Comment says something about a market.
// Errors: NotFound, NotPermitted, InvalidRequest, IdempotencyMismatch.
func (d *DB) Comment(ctx context.Context, c NewComment) (Comment, error) {
	return one[Comment](ctx, d, "select "+commentColumns+" from pgtape.comment($1, $2, $3, $4)",
		c.Market, c.Body, nullable(c.Account), nullable(c.IdempotencyKey))
}

// RemoveComment takes a comment's text away: for its author, or for an operator with a reason.
// Errors: NotFound, NotPermitted, InvalidRequest.
func (d *DB) RemoveComment(ctx context.Context, id int64, reason, account string) error {
	_, err := d.pool.Exec(proven(ctx), "select pgtape.remove_comment($1, $2, $3)", id, nullable(reason), nullable(account))
	return refusal(err)
}

// Comments lists what is said about a market, the newest first; before, if not 0, is the id that the
// page before ended with.
func (d *DB) Comments(ctx context.Context, market string, before int64, limit int) ([]Comment, error) {
	return all[Comment](ctx, d, `
		select `+commentColumns+` from pgtape.comments
		where market = $1 and ($2 = 0 or id < $2) order by id desc limit $3`, market, before, limit)
}

// Version is the seq of a market's last event. What is read after it is no older.
// Errors: NotFound.
func (d *DB) Version(ctx context.Context, market string) (int64, error) {
	head, err := one[struct{ Version int64 }](ctx, d,
		"select version from pgtape.heads where slug = $1 and slug <> 'house'", market)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, noMarket(market)
	}
	return head.Version, err
}

// Holder is what an account holds of one outcome. Value is what selling it would bring now, or what it
// has paid out.
type Holder struct {
	Outcome string  `json:"outcome"`
	Account string  `json:"account"`
	Shares  Decimal `json:"shares"`
	Value   Decimal `json:"value"`
}

// Holders lists who holds most of each outcome of a market, at most so many, the largest first.
// Errors: InvalidRequest.
func (d *DB) Holders(ctx context.Context, market string, most int) ([]Holder, error) {
	return all[Holder](ctx, d,
		"select outcome, account, shares::text, value::text from pgtape.holders($1, $2)", market, most)
}

// Timeline returns the events that are a market's life, in order: all but trades and comments.
func (d *DB) Timeline(ctx context.Context, market string) ([]tape.Event, error) {
	events, err := all[tapeRow](ctx, d, "select "+tapeColumns+" from pgtape.timeline where market = $1 order by seq", market)
	return tapeEvents(events), err
}
