package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/edge"
	"github.com/pgtape/pgtape/server/hub"
	"github.com/pgtape/pgtape/server/state"
)

// source is what a server's memory is read from: the database, or at an edge the origin.
type source interface {
	Market(ctx context.Context, slug string) (db.Market, error)
	MarketState(ctx context.Context, slug string) (db.MarketState, error)
	TapeAfter(ctx context.Context, market, after string, limit int) ([]tape.Event, error)
	History(ctx context.Context, market string, since, until *time.Time, points int) ([]db.Point, error)

	// Follow sees to it that the tape brings what happens in a market from now on.
	Follow(ctx context.Context, market string) error
}

// database is a source whose tape brings all markets.
type database struct{ *db.DB }

func (database) Follow(context.Context, string) error { return nil }

// history reads for the hub what it does not remember: states from memory or, all who wait for one
// market together, from the database. What cannot be the name of a market, or a cursor, is none.
type history struct {
	source source
	state  *state.Markets
	texts  *texts
}

// Snapshot may return what is older than the head: that the hub can judge for itself.
func (h history) Snapshot(ctx context.Context, market string) (hub.Snapshot, error) {
	var view *state.View
	err := h.source.Follow(ctx, market)
	if err == nil {
		view, _, err = h.state.Look(ctx, market)
	}
	switch db.CodeOf(err) {
	case "":
	case db.NotFound, db.InvalidRequest:
		return hub.Snapshot{}, hub.ErrNoMarket
	default:
		return hub.Snapshot{}, fmt.Errorf("reading a snapshot: %w", refusalOf(err))
	}
	m := &view.Market
	return hub.Snapshot{Market: m.Slug, Seq: m.Version, Cursor: m.Cursor, Message: view.Frame(snapshotMessage)}, nil
}

func (h history) Since(ctx context.Context, market, after string, limit int) ([]hub.Event, error) {
	var events []tape.Event
	err := h.source.Follow(ctx, market)
	if err == nil {
		events, err = h.source.TapeAfter(ctx, market, after, limit)
	}
	switch db.CodeOf(err) {
	case "":
	case db.NotFound:
		return nil, hub.ErrNoMarket
	case db.CursorUnknown, db.InvalidRequest:
		return nil, hub.ErrCursorUnknown
	default:
		return nil, fmt.Errorf("reading the tape: %w", refusalOf(err))
	}
	read := make([]hub.Event, len(events))
	for i, e := range events {
		read[i] = hub.Event{Market: e.Market, Seq: e.Seq, Cursor: e.Head().String(), Frame: eventFrame(h.texts.readable(e))}
	}
	return read, nil
}

// refusalOf is what a client is told at once, as it is no failure to read: an edge has no place for one
// more market.
func refusalOf(err error) error {
	var none *edge.NoPlace
	if errors.As(err, &none) {
		return &hub.Refusal{Code: string(db.CodeOf(err)), Message: none.Error()}
	}
	return err
}
