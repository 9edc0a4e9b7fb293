package db

import (
	"context"
	"time"
)

// Person is what an admin sees of an account.
type Person struct {
	Handle     string     `json:"handle"`
	Role       Role       `json:"role"`
	CreatedAt  time.Time  `json:"created_at"`
	LastSeenAt *time.Time `json:"last_seen_at"` // in a session that lives
	Guarded    bool       `json:"guarded"`      // has a password or a linked identity
	Sessions   int64      `json:"sessions"`
	Keys       int64      `json:"keys"`
}

// People lists accounts whose handles contain a text, those behind another handle, for an admin.
// Errors: NotPermitted.
func (d *DB) People(ctx context.Context, query, after string, most int, admin string) ([]Person, error) {
	return all[Person](proven(as(ctx, operating)), d, `
		select handle, role, created_at, last_seen_at, guarded, sessions, keys
		from pgtape.people($1, $2, $3, $4)`, query, after, most, nullable(admin))
}

// RevokeAccess signs somebody out everywhere and takes the API keys away, for an admin. It returns
// the hashes of what is no longer good.
// Errors: NotFound, NotPermitted.
func (d *DB) RevokeAccess(ctx context.Context, account, admin string) ([]Hash, error) {
	return d.hashes(proven(ctx), "select pgtape.revoke_access($1, $2)", account, nullable(admin))
}
