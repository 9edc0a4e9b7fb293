package server

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pgtape/pgtape/db"
)

const (
	lockLook  = time.Second     // Config.LockCheck, unless it is set
	lockLimit = 5 * time.Second // that one transaction of an SQL login may keep a market locked
	lockHurry = time.Second     // and while an operator waits

	// lockShare is for how long of lockWindow a login may keep others waiting with transactions that are
	// slow, however short each is: else it locks the next one while who waited has had one trade.
	lockShare  = 15 * time.Second
	lockWindow = time.Minute
	// lockSlow is how long a transaction has been seen when it is slow. A trade takes milliseconds.
	lockSlow = 100 * time.Millisecond
)

// lockWatch ends the sessions of SQL logins that keep markets locked: a login can take off every time
// limit that it was given, so the limit is here.
type lockWatch struct {
	db      *db.DB
	every   time.Duration // between two looks
	log     *slog.Logger
	waiting atomic.Int32 // operators that move a market
	seen    map[db.LockHolder]time.Time
	blocked map[string][]time.Time // by login: the looks of lockWindow at which others waited for it
	warned  bool                   // that this database may end nobody
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

// look ends who was seen for too long in one transaction, or too often in many.
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
	}
	w.seen = seen
	often := w.often(ctx, now)
	for h, since := range seen {
		if now.Sub(since) >= limit || slices.Contains(often, h) {
			w.end(ctx, h)
		}
	}
}

// often looks once more, if there is anybody to look for, and returns who has kept others waiting for
// more than its share, with this transaction and those before.
func (w *lockWatch) often(ctx context.Context, now time.Time) (holders []db.LockHolder) {
	for login, looks := range w.blocked {
		looks = slices.DeleteFunc(looks, func(t time.Time) bool { return now.Sub(t) >= lockWindow })
		if w.blocked[login] = looks; len(looks) == 0 {
			delete(w.blocked, login)
		}
	}
	if len(w.seen) == 0 {
		return nil
	}
	select {
	case <-time.After(lockSlow):
	case <-ctx.Done():
		return nil
	}
	blockers, err := w.db.MarketLockBlockers(ctx)
	if err != nil {
		w.log.Debug("cannot see who keeps others waiting", "err", err)
		return nil
	}
	if w.blocked == nil {
		w.blocked = make(map[string][]time.Time)
	}
	for _, h := range blockers {
		if _, slow := w.seen[h]; !slow {
			continue
		}
		looks := w.blocked[h.Login]
		if len(looks) == 0 || !looks[len(looks)-1].Equal(now) { // once for all sessions of a login
			looks = append(looks, now)
			w.blocked[h.Login] = looks
		}
		if time.Duration(len(looks))*w.every >= lockShare {
			holders = append(holders, h)
		}
	}
	return holders
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
