// Package booktest runs random programs of the SQL API against a real Postgres and against a model
// in Go, and compares the two after every step, to the micro-unit. It holds tests only.
//
//	rapid draws ──► actions ──┬──► a door: operator, server, trader, stranger ──► Postgres
//	                          └──► book: what must come of it
//	                               check: everything is as the book says, refused or done
//
// The model shares no code with what it checks: number.go and rule.go are decimal arithmetic with
// 70 digits and the market maker by its definition; book.go, place.go, life.go and payout.go the
// rules of accounts, orders and a market's life. doors.go is who calls; draw.go and the files
// named *_actions.go choose what is done, edges above all; state.go and finish.go compare.
//
// Short by default; -rapid.checks N runs N programs, -book.for 10m as many as fit. A program that
// fails is shrunk and kept under testdata/rapid, and every later run begins with what is kept.
package booktest
