package db

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/tape"
)

// Book is the whole book in one snapshot: every tape, and what the tables say it comes to.
type Book struct {
	tx pgx.Tx
}

// ReadBook calls read with a snapshot, which goes when it returns.
// Errors: those of read; Unavailable.
func (d *DB) ReadBook(ctx context.Context, read func(*Book) error) error {
	return pgx.BeginTxFunc(ctx, d.pool.conns, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error { return read(&Book{tx}) })
}

// Count is how many events all tapes have.
func (b *Book) Count(ctx context.Context) (count int64, err error) {
	err = b.tx.QueryRow(ctx, "select coalesce(sum(version), 0)::bigint from pgtape.heads").Scan(&count)
	return count, refusal(err)
}

// Events yields all events, one tape after the other, each in the order of its seq. They are
// streamed: the snapshot can do nothing else meanwhile.
func (b *Book) Events(ctx context.Context) iter.Seq2[tape.Event, error] {
	return func(yield func(tape.Event, error) bool) {
		rows, err := b.tx.Query(ctx, "select "+tapeColumns+" from pgtape.tape order by market, seq")
		if err != nil {
			yield(tape.Event{}, refusal(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var e tape.Event
			err := rows.Scan(&e.Market, &e.Seq, &e.At, &e.Kind, &e.Body, &e.Prev, &e.Hash)
			if !yield(e, refusal(err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(tape.Event{}, refusal(err))
		}
	}
}

// HeadHash is where a tape stands, with the whole hash of its last event in hex.
type HeadHash struct {
	Market string
	Seq    int64
	Hash   string
}

// Heads lists where all tapes stand.
func (b *Book) Heads(ctx context.Context) ([]HeadHash, error) {
	rows, err := b.tx.Query(ctx, "select slug, version, encode(head, 'hex') from pgtape.heads order by slug")
	if err != nil {
		return nil, refusal(err)
	}
	heads, err := pgx.CollectRows(rows, pgx.RowToStructByPos[HeadHash])
	return heads, refusal(err)
}

// HashAt finds the hash, in hex, of one event.
func (b *Book) HashAt(ctx context.Context, market string, seq int64) (hash string, known bool, err error) {
	err = b.tx.QueryRow(ctx, "select hash from pgtape.tape where market = $1 and seq = $2", market, seq).Scan(&hash)
	if err == pgx.ErrNoRows {
		return "", false, nil
	}
	return hash, err == nil, refusal(err)
}

// Balance is what an account has: a person's, the house's, or the escrow of a market.
type Balance struct {
	Handle  string
	Kind    string // person, house, market
	Balance Decimal
}

// EscrowOf is the handle of a market's escrow.
func EscrowOf(market string) string { return "market:" + market }

// Balances lists all accounts.
func (b *Book) Balances(ctx context.Context) ([]Balance, error) {
	rows, err := b.tx.Query(ctx, "select handle, kind, balance::text from pgtape.accounts")
	if err != nil {
		return nil, refusal(err)
	}
	balances, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Balance])
	return balances, refusal(err)
}

// Markets lists all markets.
func (b *Book) Markets(ctx context.Context) ([]Market, error) {
	rows, err := b.tx.Query(ctx, "select "+marketColumns+" from pgtape.markets")
	if err != nil {
		return nil, refusal(err)
	}
	markets, err := pgx.CollectRows(rows, pgx.RowToStructByName[Market])
	return markets, refusal(err)
}

// Holding is what an account holds of one outcome.
type Holding struct {
	Account, Market, Outcome string
	Shares                   Decimal
}

// Holdings lists all positions that are not empty.
func (b *Book) Holdings(ctx context.Context) ([]Holding, error) {
	rows, err := b.tx.Query(ctx, "select account, market, outcome, shares::text from pgtape.positions where shares <> 0")
	if err != nil {
		return nil, refusal(err)
	}
	holdings, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Holding])
	if err != nil {
		return nil, fmt.Errorf("reading positions: %w", refusal(err))
	}
	return holdings, nil
}

// ZeroHash is the hash before the first event, in hex.
var ZeroHash = hex.EncodeToString(make([]byte, 32))
