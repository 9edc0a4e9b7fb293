package db

import (
	"context"
	"encoding/json"
	"time"
)

// AuditEntry is something that an operator or an admin has done.
type AuditEntry struct {
	ID      int64           `json:"id"`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"` // a handle, or an SQL login that has no account
	Login   string          `json:"login"` // the server's, for what was done by HTTP
	Act     string          `json:"act"`
	Subject string          `json:"subject"` // a market's slug or an account's handle
	Detail  json.RawMessage `json:"detail"`
}

// Audit lists what was done, the newest first; before, if not 0, is the id that the page before ended with.
func (d *DB) Audit(ctx context.Context, before int64, limit int) ([]AuditEntry, error) {
	return all[AuditEntry](ctx, d, `
		select id, at, actor, login, act, subject, detail
		from pgtape.audit where $1 = 0 or id < $1 order by id desc limit $2`, before, limit)
}
