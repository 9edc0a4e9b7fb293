package db

import (
	"context"
	"slices"
	"time"

	"github.com/pgtape/pgtape/db/tape"
)

type tapeRow struct {
	Market string
	Seq    int64
	At     time.Time
	Kind   string
	Body   string
	Prev   []byte
	Hash   []byte
}

const tapeColumns = "market, seq, at, kind, body, decode(prev_hash, 'hex') as prev, decode(hash, 'hex') as hash"

// TapeAfter returns the events of a market behind a cursor, at most limit, in order. An empty
// cursor stands before the first event.
// Errors: NotFound (no such market), CursorUnknown (not of this history), InvalidRequest (no cursor).
func (d *DB) TapeAfter(ctx context.Context, market, after string, limit int) ([]tape.Event, error) {
	var from int64
	if after != "" {
		head, err := tape.ParseCursor(after)
		if err != nil {
			return nil, Errorf(InvalidRequest, "%w", err)
		}
		known, err := one[struct{ Market, Cursor bool }](ctx, d, `
			select exists (select from pgtape.tape where market = $1) as market,
			       exists (select from pgtape.tape where market = $1 and seq = $2 and cursor = $3) as cursor`,
			market, head.Seq, after)
		switch {
		case err != nil:
			return nil, err
		case !known.Market:
			return nil, noMarket(market)
		case !known.Cursor:
			return nil, &Error{
				Code: CursorUnknown, Message: "the cursor " + after + " is not of this history of " + market,
				Hint: "start again from a snapshot",
			}
		}
		from = head.Seq
	}
	events, err := all[tapeRow](ctx, d, `
		select `+tapeColumns+` from pgtape.tape where market = $1 and seq > $2 order by seq limit $3`, market, from, limit)
	if err == nil && len(events) == 0 && after == "" {
		return nil, noMarket(market)
	}
	return tapeEvents(events), err
}

// TapeLatest returns the newest events of a market, at most limit, in order.
// Errors: NotFound.
func (d *DB) TapeLatest(ctx context.Context, market string, limit int) ([]tape.Event, error) {
	events, err := all[tapeRow](ctx, d, `
		select `+tapeColumns+` from pgtape.tape where market = $1 order by seq desc limit $2`, market, limit)
	if err == nil && len(events) == 0 {
		return nil, noMarket(market)
	}
	slices.Reverse(events)
	return tapeEvents(events), err
}

func tapeEvents(rows []tapeRow) []tape.Event {
	events := make([]tape.Event, len(rows))
	for i, r := range rows {
		events[i] = tape.Event{Market: r.Market, Seq: r.Seq, At: r.At, Kind: r.Kind, Body: r.Body, Prev: r.Prev, Hash: r.Hash}
	}
	return events
}
