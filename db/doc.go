// Package db is the only package that speaks to Postgres.
//
// Postgres is authoritative: prices, the ledger, who may do what and the order of events are
// decided by the functions in sql/functions. Here is one method per function, by the same name,
// and what a process needs besides: migrations (migrate.go), the book's proof (verify.go), the
// readers that tail the tape (tape/), a Postgres to take along (embedded/).
//
// Read errors.go first (what callers may be told), then trades.go, then tape/.
package db
