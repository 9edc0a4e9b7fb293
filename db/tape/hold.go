package tape

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// held are events that have come by the WAL, and that others cannot see yet. Where commits wait for a
// standby an event comes before its commit is safe: a failover could take it back. It goes out when a
// snapshot sees its transaction, which is when whoever made it is answered.
type held struct {
	events []Event // in the order of their commits
	again  <-chan time.Time
	pause  time.Duration
}

// Pauses between looks whether held events can be seen: a standby usually takes a millisecond or two.
const (
	firstLook = time.Millisecond
	lastLook  = 20 * time.Millisecond
	heldMost  = 256 // events that are asked for together
)

// hold keeps an event back, and asks for all that are held when no more has come at the same time.
func (s *session) hold(ctx context.Context, e Event) error {
	s.held.events = append(s.held.events, e)
	s.held.pause = firstLook
	if len(s.now.signals) > 0 && len(s.held.events) < heldMost {
		s.held.again = time.After(firstLook)
		return nil
	}
	return s.letGo(ctx)
}

// letGo delivers the held events that others can see by now. Those of one market keep their order.
func (s *session) letGo(ctx context.Context) error {
	h := &s.held
	h.again = nil
	if len(h.events) == 0 {
		return nil
	}
	visible, err := s.table.visible(ctx, h.events)
	if err != nil {
		return err
	}
	var kept []Event
	waits := make(map[string]bool)
	for _, e := range h.events {
		if waits[e.Market] || !visible[e.XID] {
			waits[e.Market] = true
			kept = append(kept, e)
			continue
		}
		if err := s.carried(ctx, func() error { return s.accept(ctx, s.table, e) }); err != nil {
			return err
		}
	}
	if h.events = kept; len(kept) > 0 {
		h.again = time.After(h.pause)
		h.pause = min(2*h.pause, lastLook)
	}
	return nil
}

// visible tells which transactions of events a snapshot sees.
func (b backlog) visible(ctx context.Context, events []Event) (map[uint64]bool, error) {
	seen := make(map[uint64]bool)
	var ids []string
	for _, e := range events {
		if _, ok := seen[e.XID]; !ok {
			seen[e.XID] = false
			ids = append(ids, strconv.FormatUint(e.XID, 10))
		}
	}
	var yes []string
	err := b.row(ctx, []any{&yes}, `
		select coalesce(array_agg(x::text), '{}')
		from unnest($1::text[]) t, lateral (select t::xid8 as x) u
		where pg_catalog.pg_visible_in_snapshot(x, pg_catalog.pg_current_snapshot())`, ids)
	if err != nil {
		return nil, fmt.Errorf("asking which commits can be seen: %w", err)
	}
	for _, id := range yes {
		xid, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("asking which commits can be seen: %w", err)
		}
		seen[xid] = true
	}
	return seen, nil
}

// underWay tells whether a transaction has not ended for others: its commit may be in the WAL, and
// wait. What the server has never heard of was another server's.
func (b backlog) underWay(ctx context.Context, xid uint64) (yes bool, err error) {
	err = b.row(ctx, []any{&yes}, "select coalesce(pg_catalog.pg_xact_status($1::text::xid8) = 'in progress', false)",
		strconv.FormatUint(xid, 10))
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "22023" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for a transaction: %w", err)
	}
	return yes, nil
}
