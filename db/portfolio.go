package db

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
)

// Entry is a line of an account's history: what was booked, the trade it is of, and the balance
// after it.
type Entry struct {
	TransactionID int64     `json:"transaction_id"`
	At            time.Time `json:"at"`
	Kind          string    `json:"kind"`
	Market        *string   `json:"market"`
	Question      *string   `json:"question"`
	Outcome       *string   `json:"outcome"`
	Side          *string   `json:"side"`
	Shares        *Decimal  `json:"shares"`
	Amount        Decimal   `json:"amount"`
	Balance       Decimal   `json:"balance"`
}

const entries = `
	select transaction_id, at, kind, market, question, outcome, side, shares::text, amount::text, balance::text
	from pgtape.account_history($1, $2, $3)`

// AccountHistory lists what was booked, the newest first; before, if not 0, is the transaction that
// the page before ended with.
// Errors: NotFound.
func (d *DB) AccountHistory(ctx context.Context, account string, before int64, limit int) ([]Entry, error) {
	return all[Entry](ctx, d, entries, account, past(before), limit)
}

// EachEntry yields all that was booked, the newest first, until yield returns an error.
// Errors: NotFound, and those of yield.
func (d *DB) EachEntry(ctx context.Context, account string, yield func(Entry) error) error {
	rows, err := d.pool.Query(as(ctx, reporting), entries, account, nil, nil)
	if err != nil {
		return refusal(err)
	}
	defer rows.Close()
	for rows.Next() {
		entry, err := pgx.RowToStructByName[Entry](rows)
		if err != nil {
			return refusal(err)
		}
		if err := yield(entry); err != nil {
			return err
		}
	}
	return refusal(rows.Err())
}

func past(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// ProfitPoint is what an account had gained at a moment.
type ProfitPoint struct {
	At     time.Time `json:"at"`
	Profit Decimal   `json:"profit"`
}

// ProfitHistory gives what an account had gained, in so many steps from since (nil: since it was
// made) until now.
// Errors: NotFound, InvalidRequest.
func (d *DB) ProfitHistory(ctx context.Context, account string, since *time.Time, steps int) ([]ProfitPoint, error) {
	return all[ProfitPoint](as(ctx, reporting), d, "select at, profit::text from pgtape.profit_history($1, $2, $3)", account, since, steps)
}

// MarketGain is what an account has gained in one market: what its trades came to, what was paid
// out, what selling the rest would bring now.
type MarketGain struct {
	Market   string  `json:"market"`
	Question string  `json:"question"`
	Status   string  `json:"status"`
	Traded   Decimal `json:"traded"`
	Paid     Decimal `json:"paid"`
	Value    Decimal `json:"value"`
	Profit   Decimal `json:"profit"`
}

// AccountMarkets lists the markets that an account has traded in, those that trade first.
// Errors: NotFound.
func (d *DB) AccountMarkets(ctx context.Context, account string) ([]MarketGain, error) {
	return all[MarketGain](as(ctx, reporting), d, `
		select market, question, status, traded::text, paid::text, value::text, profit::text
		from pgtape.account_markets($1)`, account)
}

// MadeMarket is a market that somebody has funded; Cost is what it has not given back.
type MadeMarket struct {
	Market   string     `json:"market"`
	Question string     `json:"question"`
	Status   string     `json:"status"`
	Volume   Decimal    `json:"volume"`
	Traders  int64      `json:"traders"`
	ClosesAt *time.Time `json:"closes_at"`
	Cost     Decimal    `json:"cost"`
}

// MarketsMade lists the markets that an account has funded, the newest first.
// Errors: NotFound.
func (d *DB) MarketsMade(ctx context.Context, account string) ([]MadeMarket, error) {
	return all[MadeMarket](ctx, d, `
		select market, question, status, volume::text, traders, closes_at, cost::text
		from pgtape.markets_made($1)`, account)
}

// Profile is what everybody may know of somebody.
type Profile struct {
	Handle    string    `json:"handle"`
	CreatedAt time.Time `json:"created_at"`
	Gone      bool      `json:"gone"` // its owner has deleted it
	Role      Role      `json:"role"`
	Trades    int64     `json:"trades"`
	Markets   int64     `json:"markets"` // traded in
	Made      int64     `json:"made"`    // markets
	Profit    Decimal   `json:"profit"`
}

// Profile finds what everybody may know of an account.
// Errors: NotFound.
func (d *DB) Profile(ctx context.Context, account string) (Profile, error) {
	return one[Profile](ctx, d, `
		select handle, created_at, gone, role, trades, markets, made, profit::text
		from pgtape.account_profile($1)`, account)
}

// ExportAccount gives all that is kept of an account, without secrets.
// Errors: NotFound, NotPermitted.
func (d *DB) ExportAccount(ctx context.Context, account string) (export json.RawMessage, err error) {
	err = d.pool.QueryRow(proven(as(ctx, reporting)), "select pgtape.export_account($1)", account).Scan(&export)
	return export, refusal(err)
}

// DeleteAccount makes an account nobody's; confirm is its handle, as its owner has typed it. The
// book keeps it under the name returned.
// Errors: NotFound, NotPermitted for the last admin, InvalidRequest.
func (d *DB) DeleteAccount(ctx context.Context, account, confirm string) (gone string, err error) {
	err = d.pool.QueryRow(proven(ctx), "select pgtape.delete_account($1, $2)", account, confirm).Scan(&gone)
	return gone, refusal(err)
}

// Rewriting is a part of a tape that was written again, because an account was deleted.
type Rewriting struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Market  string    `json:"market"`
	FromSeq int64     `json:"from_seq"`
	Version int64     `json:"version"` // of the tape at that time; the heads are of this event
	OldHead string    `json:"old_head"`
	NewHead string    `json:"new_head"`
	Why     string    `json:"why"`
}

// Rewritings lists all of them, the oldest first.
func (b *Book) Rewritings(ctx context.Context) ([]Rewriting, error) {
	rows, err := b.tx.Query(ctx, "select id, at, market, from_seq, version, old_head, new_head, why from pgtape.rewritings order by id")
	if err != nil {
		return nil, refusal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Rewriting])
	return list, refusal(err)
}
