package server

import (
	"context"
	"fmt"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/hub"
	"github.com/pgtape/pgtape/server/state"
)

// history reads for the hub what it does not remember: states from memory or, all who wait for one
// market together, from the database. What cannot be the name of a market, or a cursor, is none.
type history struct {
	db    *db.DB
	state *state.Markets
}

// Snapshot may return what is older than the head: that the hub can judge for itself.
func (h history) Snapshot(ctx context.Context, market string) (hub.Snapshot, error) {
	view, _, err := h.state.Look(ctx, market)
	switch db.CodeOf(err) {
	case "":
	case db.NotFound, db.InvalidRequest:
		return hub.Snapshot{}, hub.ErrNoMarket
	default:
		return hub.Snapshot{}, fmt.Errorf("reading a snapshot: %w", err)
	}
	m := &view.Market
	return hub.Snapshot{Market: m.Slug, Seq: m.Version, Cursor: m.Cursor, Frame: view.Frame(snapshotFrame)}, nil
}

func (h history) Since(ctx context.Context, market, after string, limit int) ([]hub.Event, error) {
	events, err := h.db.TapeAfter(ctx, market, after, limit)
	switch db.CodeOf(err) {
	case "":
	case db.NotFound:
		return nil, hub.ErrNoMarket
	case db.CursorUnknown, db.InvalidRequest:
		return nil, hub.ErrCursorUnknown
	default:
		return nil, fmt.Errorf("reading the tape: %w", err)
	}
	read := make([]hub.Event, len(events))
	for i, e := range events {
		read[i] = hub.Event{Market: e.Market, Seq: e.Seq, Cursor: e.Head().String(), Frame: eventFrame(e)}
	}
	return read, nil
}
