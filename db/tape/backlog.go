package tape

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// backlog reads the tape table. ask calls what asks the database, with a deadline: a database that
// does not answer is lost.
type backlog struct {
	conn *pgx.Conn
	ask  func(context.Context, func(context.Context) error) error
}

// pageSize bounds how many events are in memory at once while catching up.
const pageSize = 500

// heads reads where every market stands.
func (b backlog) heads(ctx context.Context) (map[string]Head, error) {
	heads := make(map[string]Head)
	err := b.ask(ctx, func(ctx context.Context) error {
		rows, err := b.conn.Query(ctx, "select slug, version, head from pgtape.heads")
		if err != nil {
			return err
		}
		var market string
		var seq int64
		var hash []byte
		_, err = pgx.ForEachRow(rows, []any{&market, &seq, &hash}, func() error {
			heads[market] = headOf(seq, hash)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading heads: %w", err)
	}
	return heads, nil
}

// head reads where one market stands; the zero head if there is no such market.
func (b backlog) head(ctx context.Context, market string) (Head, error) {
	var seq int64
	var hash []byte
	err := b.row(ctx, []any{&seq, &hash}, "select version, head from pgtape.heads where slug = $1", market)
	if errors.Is(err, pgx.ErrNoRows) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("reading head: %w", err)
	}
	return headOf(seq, hash), nil
}

// knows tells whether a head is a point of the market's history as the table has it.
func (b backlog) knows(ctx context.Context, market string, head Head) (known bool, err error) {
	if head.Seq == 0 {
		return true, nil // before the first event
	}
	err = b.row(ctx, []any{&known},
		"select exists (select from pgtape.tape where market = $1 and seq = $2 and cursor = $3)",
		market, head.Seq, head.String())
	if err != nil {
		return false, fmt.Errorf("looking up cursor: %w", err)
	}
	return known, nil
}

// after reads at most a page of a market's events behind a seq.
func (b backlog) after(ctx context.Context, market string, seq int64) (events []Event, err error) {
	err = b.ask(ctx, func(ctx context.Context) error {
		rows, err := b.conn.Query(ctx, `
			select market, seq, at, kind, body, decode(prev_hash, 'hex'), decode(hash, 'hex')
			from pgtape.tape where market = $1 and seq > $2 order by seq limit $3`, market, seq, pageSize)
		if err != nil {
			return err
		}
		events, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading tape: %w", err)
	}
	return events, nil
}

// row asks for one row.
func (b backlog) row(ctx context.Context, into []any, query string, args ...any) error {
	return b.ask(ctx, func(ctx context.Context) error {
		return b.conn.QueryRow(ctx, query, args...).Scan(into...)
	})
}
