package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pgtape/pgtape/db"
)

const (
	lockLook  = time.Second     // Config.LockCheck, unless it is set
	lockLimit = 5 * time.Second // that an SQL login may keep one locked
	lockHurry = time.Second     // and while an operator waits
)

// lockWatch ends the sessions of SQL logins that keep markets locked: a login can take off every time
// limit that it was given, so the limit is here. A trade holds its locks for milliseconds.
type lockWatch struct {
	db      *db.DB
	every   time.Duration // between two looks
	log     *slog.Logger
	waiting atomic.Int32 // operators that move a market
	seen    map[db.LockHolder]time.Time
	warned  bool // that this database may end nobody
}

// run looks until ctx ends.
func (w *lockWatch) run(ctx context.Context) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			w.look(ctx, now)
		}
	}
}

// hurry has those who keep markets locked ended sooner until done is called.
func (w *lockWatch) hurry() (done func()) {
	w.waiting.Add(1)
	return func() { w.waiting.Add(-1) }
}

// look ends who was seen for too long in one transaction.
func (w *lockWatch) look(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lockLimit)
	defer cancel()
	holders, err := w.db.MarketLockHolders(ctx)
	if err != nil {
		w.log.Debug("cannot see who keeps markets locked", "err", err)
		return
	}
	limit := lockLimit
	if w.waiting.Load() > 0 {
		limit = lockHurry
	}
	seen := make(map[db.LockHolder]time.Time, len(holders))
	for _, h := range holders {
		since, known := w.seen[h]
		if !known {
			since = now
		}
		seen[h] = since
		if now.Sub(since) >= limit {
			w.end(ctx, h)
		}
	}
	w.seen = seen
}

func (w *lockWatch) end(ctx context.Context, h db.LockHolder) {
	ended, err := w.db.EndLockHolder(ctx, h)
	switch {
	case err == nil && ended:
		w.log.Warn("ended a session that kept markets locked", "login", h.Login, "pid", h.PID)
	case err != nil && !w.warned:
		w.warned = db.CodeOf(err) == db.NotPermitted
		w.log.Error("an SQL login keeps markets locked and cannot be ended", "login", h.Login, "pid", h.PID, "err", err)
	}
}
