package tape

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// watch is what the server says of a slot, from its own side.
type watch struct {
	at       time.Time
	retained int64  // bytes of WAL kept for it
	status   string // as in pg_replication_slots
	idle     int    // looks in a row at which the server was not at work on a slot that we wait for
}

// look asks how much WAL the server keeps for a source's slot. It gives the slot up when that is
// more than limit bytes (0: more than max_wal_size, about as much as the server keeps anyway between
// checkpoints), or when the server itself is about to. A slot that is being made is waited for only
// as long as the server is at it: it may wait for somebody's transaction for hours, but an answer
// that is lost would never come.
func (s *source) look(ctx context.Context, table backlog, limit int64) error {
	wal, ok := s.stream.(slotted)
	if !ok {
		return nil
	}
	w := watch{at: time.Now(), idle: s.watched.idle}
	var serverLimit int64
	var busy bool
	err := table.row(ctx, []any{&w.retained, &w.status, &serverLimit, &busy}, `
		select coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint,
		       coalesce(s.wal_status, ''),
		       pg_size_bytes(current_setting('max_wal_size')),
		       exists (select from pg_catalog.pg_stat_activity a where a.pid = s.active_pid and a.state = 'active')
		from pg_catalog.pg_replication_slots s
		where s.slot_name = $1`, wal.slotName())
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("looking at the slot: %w", err)
	}
	if w.idle++; busy || s.isReady() {
		w.idle = 0
	}
	s.watched = w
	if limit == 0 {
		limit = serverLimit
	}
	switch {
	case w.retained > limit || w.status == "unreserved" || w.status == "lost":
		return fmt.Errorf("%w: the server keeps %d bytes of WAL for it (%s)", errGivenUp, w.retained, w.status)
	case w.idle > 2 && time.Since(s.opened) > openTimeout:
		return errors.New("making a replication slot: no answer")
	}
	return nil
}

// slotted is a stream with a replication slot.
type slotted interface{ slotName() string }

func (s *walStream) slotName() string { return s.slot }

// release ends the walsenders of streams that we have closed: one whose network is gone would keep
// its slot, and the WAL, until wal_sender_timeout.
func release(ctx context.Context, table backlog, slots []string) error {
	err := table.ask(ctx, func(ctx context.Context) error {
		_, err := table.conn.Exec(ctx, `
			select pg_terminate_backend(active_pid, 500) from pg_catalog.pg_replication_slots
			where slot_name = any($1) and active_pid is not null`, slots)
		return err
	})
	if err != nil {
		return fmt.Errorf("ending former walsenders: %w", err)
	}
	return nil
}
