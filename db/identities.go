package db

import (
	"context"
	"crypto/rand"
	"encoding/json"
)

// IdentityAccount is the handle of who an identity signs in; empty: nobody yet.
func (d *DB) IdentityAccount(ctx context.Context, i Identity) (string, error) {
	return d.textOrNone(ctx, "select * from pgtape.identity_account($1, $2)", i.Issuer, i.Subject)
}

// LinkIdentity lets an identity sign in as an account.
// Errors: NotFound, AlreadyExists.
func (d *DB) LinkIdentity(ctx context.Context, account string, i Identity) error {
	_, err := d.pool.Exec(proven(ctx), "select pgtape.link_identity($1, $2, $3)", account, i.Issuer, i.Subject)
	return refusal(err)
}

// UnlinkIdentity takes the identity of an account away.
// Errors: NotFound, NotPermitted when nothing else signs it in.
func (d *DB) UnlinkIdentity(ctx context.Context, account string) error {
	_, err := d.pool.Exec(proven(ctx), "select pgtape.unlink_identity($1)", account)
	return refusal(err)
}

// PutOIDCFlow keeps a JSON object for a browser that goes to a provider, and returns the token for its
// cookie.
func (d *DB) PutOIDCFlow(ctx context.Context, flow any) (token string, err error) {
	body, err := json.Marshal(flow)
	if err != nil {
		return "", err
	}
	token = rand.Text()
	_, err = d.pool.Exec(ctx, "select pgtape.put_oidc_flow($1, $2)", TokenHash(token), body)
	return token, refusal(err)
}

// OIDCFlow reads what was kept into a value; it is false when there is nothing any more. With take,
// it is read for the last time.
func (d *DB) OIDCFlow(ctx context.Context, token string, take bool, into any) (bool, error) {
	statement := "select * from pgtape.oidc_flow($1)"
	if take {
		statement = "select * from pgtape.take_oidc_flow($1)"
	}
	body, err := d.textOrNone(ctx, statement, TokenHash(token))
	if err != nil || body == "" {
		return false, err
	}
	return true, json.Unmarshal([]byte(body), into)
}
