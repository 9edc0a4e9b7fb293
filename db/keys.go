package db

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// KeyPrefix is what every API key begins with.
const KeyPrefix = "pgt_"

// shownOfKey is how much of a key its list shows.
const shownOfKey = len(KeyPrefix) + 6

// Key is an API key, without what makes it one.
type Key struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix"`
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // to the minute
}

// CreateKey makes an API key of an account; a life of 0 lasts. The key is not to be had again.
// Errors: NotFound, NotPermitted, InvalidRequest.
func (d *DB) CreateKey(ctx context.Context, account, name string, scopes []string, life time.Duration) (key string, id int64, err error) {
	key = KeyPrefix + rand.Text()
	var lifetime *time.Duration
	if life != 0 {
		lifetime = &life
	}
	err = d.pool.QueryRow(proven(ctx), "select pgtape.create_key($1, $2, $3, $4, $5, $6)",
		account, name, key[:shownOfKey], TokenHash(key), scopes, lifetime).Scan(&id)
	return key, id, refusal(err)
}

// KeyUse is somebody's use of an API key.
type KeyUse struct {
	Account
	Scopes []string
}

// KeyAccount finds whose an API key is.
// Errors: NotSignedIn when it is no live key.
func (d *DB) KeyAccount(ctx context.Context, key string) (KeyUse, error) {
	use, err := one[KeyUse](ctx, d, "select "+accountColumns+", scopes from pgtape.key_account($1)", TokenHash(key))
	if errors.Is(err, pgx.ErrNoRows) {
		return use, Errorf(NotSignedIn, "this API key is not valid")
	}
	return use, err
}

// Keys lists the API keys of an account.
func (d *DB) Keys(ctx context.Context, account string) ([]Key, error) {
	return all[Key](ctx, d, `
		select id, name, prefix, scopes, created_at, expires_at, last_used_at from pgtape.keys_of($1)`, account)
}

// RevokeKey takes an API key away and returns its hash.
// Errors: NotFound when the account has no such key.
func (d *DB) RevokeKey(ctx context.Context, account string, id int64) (Hash, error) {
	ended, err := d.hashes(ctx, "select pgtape.revoke_key($1, $2)", account, id)
	if err == nil && len(ended) == 0 {
		return Hash{}, Errorf(NotFound, "you have no such key")
	}
	if err != nil {
		return Hash{}, err
	}
	return ended[0], nil
}
