package db

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"github.com/jackc/pgx/v5"
)

// CreateSession signs a browser in as an account. The token is for its cookie; the database
// keeps only its hash.
// Errors: NotFound, NotPermitted.
func (d *DB) CreateSession(ctx context.Context, handle string) (token string, account Account, err error) {
	token = rand.Text()
	account, err = one[Account](ctx, d,
		"select "+accountColumns+" from pgtape.create_session($1, $2)", handle, tokenHash(token))
	return token, account, err
}

// SessionAccount finds who a token signs in.
// Errors: NotSignedIn when it is none of a live session.
func (d *DB) SessionAccount(ctx context.Context, token string) (Account, error) {
	account, err := one[Account](ctx, d,
		"select "+accountColumns+" from pgtape.session_account($1)", tokenHash(token))
	if errors.Is(err, pgx.ErrNoRows) {
		return account, Errorf(NotSignedIn, "you are not signed in")
	}
	return account, err
}

// DeleteSession signs a browser out.
func (d *DB) DeleteSession(ctx context.Context, token string) error {
	_, err := d.pool.Exec(ctx, "select pgtape.delete_session($1)", tokenHash(token))
	return refusal(err)
}

func tokenHash(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}
