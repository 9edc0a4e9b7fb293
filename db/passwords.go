package db

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Credential is the PHC string of an account's password without the hash: the parameters and the salt
// to hash a password by. Empty when there is no account of the handle, or no password.
func (d *DB) Credential(ctx context.Context, handle string) (string, error) {
	return d.textOrNone(ctx, "select * from pgtape.credential_of($1)", handle)
}

// IsPassword tells whether a PHC string is what an account's password comes to.
func (d *DB) IsPassword(ctx context.Context, handle, phc string) (is bool, err error) {
	err = d.pool.QueryRow(ctx, "select pgtape.is_password($1, $2)", handle, phc).Scan(&is)
	return is, refusal(err)
}

// RenewCredential replaces a PHC string by another of the same password.
func (d *DB) RenewCredential(ctx context.Context, handle, before, after string) error {
	_, err := d.pool.Exec(ctx, "select pgtape.renew_credential($1, $2, $3)", handle, before, after)
	return refusal(err)
}

// ChangePassword sets an account's password for its owner, whose browser gets a new token; all other
// sessions end, and with endAccess API keys, the linked identity and invites go, too.
// Errors: NotFound, NotPermitted.
func (d *DB) ChangePassword(ctx context.Context, handle, phc, label string, endAccess bool) (token string, ended []Hash, err error) {
	token = rand.Text()
	ended, err = d.hashes(proven(ctx), "select pgtape.set_password($1, $2, $3, $4, end_access => $5)", handle, phc, TokenHash(token), label, endAccess)
	return token, ended, err
}

// SetPassword sets somebody's password for an admin, empty for a login that is an operator; all
// sessions end.
// Errors: NotFound, NotPermitted.
func (d *DB) SetPassword(ctx context.Context, handle, phc, admin string) error {
	_, err := d.hashes(proven(ctx), "select pgtape.set_password($1, $2, admin => $3)", handle, phc, nullable(admin))
	return err
}

// CreateSignInLink makes the token of a link by which somebody sets a password and signs in, once.
// Errors: NotFound, NotPermitted.
func (d *DB) CreateSignInLink(ctx context.Context, handle string, life time.Duration, admin string) (token string, expires time.Time, err error) {
	token = rand.Text()
	err = d.pool.QueryRow(proven(ctx), "select pgtape.create_sign_in_link($1, $2, $3, $4)", handle, TokenHash(token), life, nullable(admin)).Scan(&expires)
	return token, expires, refusal(err)
}

// LinkAccount is the handle that a link signs in; empty when it does no more.
func (d *DB) LinkAccount(ctx context.Context, link string) (string, error) {
	return d.textOrNone(ctx, "select * from pgtape.link_account($1)", TokenHash(link))
}

// UseSignInLink sets the password of the account that a link is for, and signs in; endAccess as for
// ChangePassword.
// Errors: NotPermitted when the link is of no use.
func (d *DB) UseSignInLink(ctx context.Context, link, phc, label string, endAccess bool) (token string, ended []Hash, err error) {
	token = rand.Text()
	ended, err = d.hashes(ctx, "select pgtape.use_sign_in_link($1, $2, $3, $4, $5)", TokenHash(link), phc, TokenHash(token), label, endAccess)
	return token, ended, err
}

// DeviceKey is what signs the cookie of a browser that has signed in before.
func (d *DB) DeviceKey(ctx context.Context) (key []byte, err error) {
	err = d.pool.QueryRow(ctx, "select pgtape.device_key()").Scan(&key)
	return key, refusal(err)
}

// WaysIn are what signs an account in.
type WaysIn struct {
	Password bool   `json:"password"`
	Issuer   string `json:"issuer"` // of the linked identity; empty: none
}

// WaysIn tells by what an account is signed in.
func (d *DB) WaysIn(ctx context.Context, handle string) (WaysIn, error) {
	ways, err := one[WaysIn](ctx, d, "select password, issuer from pgtape.ways_in($1)", handle)
	if errors.Is(err, pgx.ErrNoRows) {
		return ways, Errorf(NotFound, "there is no account %s", handle)
	}
	return ways, err
}

func (d *DB) textOrNone(ctx context.Context, statement string, args ...any) (string, error) {
	var text string
	err := d.pool.QueryRow(ctx, statement, args...).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return text, refusal(err)
}
