package cache

import (
	"context"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// Judge replaces how a fill is stamped, and how a stamp tells what it has seen.
func (c *Cache) Judge(stamp func(context.Context, func(context.Context, *db.DB) error) (db.Snapshot, error), sees func(db.Snapshot, uint64) bool) {
	c.stamped, c.sees = stamp, sees
}

// KeysOf are what an event changes.
func KeysOf(e tape.Event) []Key { return keysOf(e) }

// TraderOf is whose trade an event is.
func TraderOf(e tape.Event) (string, bool) { return trader(e.Body) }

// Recent is how many events are remembered.
func (c *Cache) Recent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.recent.events)
}

const MaxRecent = maxRecent
