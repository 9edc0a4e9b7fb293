package db

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
)

// Shown is what somebody has shown to be let in: what a password comes to (Credential), or an identity
// at a provider.
type Shown struct {
	PHC      string
	Identity Identity
}

// CreateSession signs a browser in as an account. The token is for its cookie; the database
// keeps only its hash. The label is what its owner will know the browser by. A server shows what signs
// the account in; nothing, where nothing guards it.
// Errors: NotFound, NotPermitted.
func (d *DB) CreateSession(ctx context.Context, handle, label string, shown ...Shown) (token string, account Account, err error) {
	return d.createSession(ctx, handle, label, append(shown, Shown{})[0], false)
}

// EnterByHandle is CreateSession for whoever has only chosen the handle.
// Errors: NotFound; NotPermitted when the account has a password, an identity or a role.
func (d *DB) EnterByHandle(ctx context.Context, handle, label string) (token string, account Account, err error) {
	return d.createSession(ctx, handle, label, Shown{}, true)
}

func (d *DB) createSession(ctx context.Context, handle, label string, shown Shown, byHandle bool) (token string, account Account, err error) {
	token = rand.Text()
	account, err = one[Account](ctx, d, "select "+accountColumns+`
		from pgtape.create_session($1, $2, label => $3, by_handle => $4, phc => $5, issuer => $6, subject => $7)`,
		handle, TokenHash(token), label, byHandle, nullable(shown.PHC), nullable(shown.Identity.Issuer), nullable(shown.Identity.Subject))
	return token, account, err
}

// Visit is somebody's use of a session.
type Visit struct {
	Account
	Slid bool // the session lives as long again from now, and so should its cookie
}

// SessionAccount finds who a token signs in.
// Errors: NotSignedIn when it is none of a live session.
func (d *DB) SessionAccount(ctx context.Context, token string) (Visit, error) {
	visit, err := one[Visit](ctx, d,
		"select "+accountColumns+", slid from pgtape.session_account($1)", TokenHash(token))
	if errors.Is(err, pgx.ErrNoRows) {
		return visit, Errorf(NotSignedIn, "you are not signed in")
	}
	return visit, err
}

// DeleteSession signs a browser out.
func (d *DB) DeleteSession(ctx context.Context, token string) error {
	_, err := d.pool.Exec(ctx, "select pgtape.delete_session($1)", TokenHash(token))
	return refusal(err)
}

// Session is a browser that is signed in.
type Session struct {
	ID         int64     `json:"id"`
	Label      string    `json:"label"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"` // to the hour
	Current    bool      `json:"current"`
}

// Sessions lists the browsers of an account; current is the token of the one that asks.
func (d *DB) Sessions(ctx context.Context, account, current string) ([]Session, error) {
	return all[Session](ctx, d, `
		select id, label, created_at, last_seen_at, current from pgtape.sessions_of($1, $2)`, account, TokenHash(current))
}

// EndSession signs out one browser of an account and returns the hash of its token.
// Errors: NotFound when the account has no such session.
func (d *DB) EndSession(ctx context.Context, account string, id int64) (Hash, error) {
	ended, err := d.hashes(ctx, "select pgtape.delete_sessions($1, $2, null)", account, id)
	if err == nil && len(ended) == 0 {
		return Hash{}, Errorf(NotFound, "you have no such session")
	}
	if err != nil {
		return Hash{}, err
	}
	return ended[0], nil
}

// EndOtherSessions signs out every browser of an account but the one of a token.
func (d *DB) EndOtherSessions(ctx context.Context, account, keep string) ([]Hash, error) {
	return d.hashes(ctx, "select pgtape.delete_sessions($1, null, $2)", account, TokenHash(keep))
}

// Hash is what the database has of a token, a key or a code.
type Hash [sha256.Size]byte

// TokenHash is the Hash of a token, as somebody may have pasted it.
func TokenHash(token string) []byte {
	hash := sha256.Sum256([]byte(TrimToken(token)))
	return hash[:]
}

// TrimToken is a token without what is around it where it was pasted: spaces, and what is not seen.
// However often it is trimmed, it is one token, with one hash.
func TrimToken(token string) string { return strings.TrimFunc(token, blank) }

// blank tells what a token never has, and who copies one may.
func blank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// hashes runs a function that returns the hashes of what is no longer good.
func (d *DB) hashes(ctx context.Context, statement string, args ...any) ([]Hash, error) {
	return detach(ctx, d.pool, func(ctx context.Context) ([]Hash, error) {
		rows, err := d.pool.Query(ctx, statement, args...)
		if err != nil {
			return nil, refusal(err)
		}
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (hash Hash, err error) {
			var bytes []byte
			err = row.Scan(&bytes)
			copy(hash[:], bytes)
			return hash, err
		})
		return list, refusal(err)
	})
}
