package db

import (
	"context"
	"slices"
)

// Refusal is refusal.
var Refusal = refusal

// SCRAMVerifierOf is scramVerifierOf.
var SCRAMVerifierOf = scramVerifierOf

// IsSecret tells the tables that a branch begins without.
func IsSecret(table string) bool { return slices.Contains(secret, table) }

// Sleep keeps a connection busy for some seconds, as work of a kind.
func (d *DB) Sleep(ctx context.Context, kind string, seconds float64) error {
	k := work(slices.Index(workNames[:], kind))
	_, err := d.pool.Exec(as(ctx, k), "select pg_sleep($1)", seconds)
	return refusal(err)
}

// Quiet is quiet.
var Quiet = quiet
