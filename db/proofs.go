package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A server that does something for an operator, or with somebody's access, shows the database what the
// person has shown it: without, the database does nothing of the kind for a server's login.

type (
	secretKey struct{} // what the person has shown
	proofKey  struct{} // it goes with the statement
)

// WithProof has the methods that need it show the database a session's token or an API key.
func WithProof(ctx context.Context, secret string) context.Context {
	return context.WithValue(ctx, secretKey{}, TrimToken(secret))
}

// proven says that the statements of a context need the proof, if there is one.
func proven(ctx context.Context) context.Context {
	if secret, ok := ctx.Value(secretKey{}).(string); ok {
		return context.WithValue(ctx, proofKey{}, secret)
	}
	return ctx
}

func proofOf(ctx context.Context) string {
	secret, _ := ctx.Value(proofKey{}).(string)
	return secret
}

// proofAhead sets the proof for the transaction of the statement that follows.
func proofAhead(secret string) ahead {
	return ahead{
		statement: "select pg_catalog.set_config('pgtape.proof', $1, true)",
		args:      []any{secret},
		read: func(row pgx.Row) error {
			var set string
			return row.Scan(&set)
		},
	}
}
