package db

import (
	"context"
	"crypto/rand"
	"strings"
	"time"
)

// Invite is leave for some people to sign up, without its code.
type Invite struct {
	ID        int64     `json:"id"`
	MadeBy    string    `json:"made_by"`
	Role      Role      `json:"role"`
	Uses      int       `json:"uses"`
	Used      int       `json:"used"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// NewInvite says what an invite is good for.
type NewInvite struct {
	Uses int
	Life time.Duration
	Role Role
}

// CreateInvite makes an invite for an operator, empty for a login that is one. The code is not to be
// had again.
// Errors: NotPermitted, InvalidRequest.
func (d *DB) CreateInvite(ctx context.Context, n NewInvite, operator string) (code string, id int64, expires time.Time, err error) {
	code = rand.Text()
	err = d.pool.QueryRow(proven(ctx), "select id, expires_at from pgtape.create_invite($1, $2, $3, $4, $5)",
		TokenHash(code), n.Uses, n.Life, n.Role, nullable(operator)).Scan(&id, &expires)
	return code, id, expires, refusal(err)
}

// Invites lists the invites for an operator.
// Errors: NotPermitted.
func (d *DB) Invites(ctx context.Context, operator string) ([]Invite, error) {
	return all[Invite](proven(ctx), d, `
		select id, made_by, role, uses, used, created_at, expires_at from pgtape.invites($1)`, nullable(operator))
}

// RevokeInvite takes an invite back.
// Errors: NotFound, NotPermitted.
func (d *DB) RevokeInvite(ctx context.Context, id int64, operator string) error {
	_, err := d.pool.Exec(proven(ctx), "select pgtape.revoke_invite($1, $2)", id, nullable(operator))
	return refusal(err)
}

// Identity is who somebody is at a provider.
type Identity struct{ Issuer, Subject string }

// SignUp says whose account to make, and by what it will be signed in. What is empty is left out.
type SignUp struct {
	Handle   string
	PHC      string
	Invite   string
	Identity Identity
}

// SignUp makes an account.
// Errors: AlreadyExists, InvalidRequest, NotPermitted when the invite is of no use.
func (d *DB) SignUp(ctx context.Context, n SignUp) (Account, error) {
	return d.signUp(ctx, n, nil, "")
}

// SignUpIn is SignUp, and signs the browser of that label in.
func (d *DB) SignUpIn(ctx context.Context, n SignUp, label string) (token string, account Account, err error) {
	token = rand.Text()
	account, err = d.signUp(ctx, n, TokenHash(token), label)
	return token, account, err
}

func (d *DB) signUp(ctx context.Context, n SignUp, tokenHash []byte, label string) (Account, error) {
	var invite []byte
	if n.Invite != "" {
		invite = TokenHash(strings.ToUpper(n.Invite)) // as rand.Text makes them
	}
	return one[Account](ctx, d, "select "+accountColumns+" from pgtape.sign_up($1, $2, $3, $4, $5, $6, $7)",
		n.Handle, nullable(n.PHC), invite, nullable(n.Identity.Issuer), nullable(n.Identity.Subject), tokenHash, label)
}
