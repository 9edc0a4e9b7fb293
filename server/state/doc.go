// Package state keeps what markets are in the node's memory, current by the tape, so that a market
// that many look at costs the database one query.
//
//	tape reader ── Publish(event) ──► market ── head: the last event the tape brought
//	                                     │
//	Get ──► View ◄── encoded once ── entry ── a market at a version, and events not yet applied
//	                                     ▲
//	database ── one read for all ────────┘ joined with the events since before it began
//
// An entry at a version is, byte for byte, what the database returns at that version. An event that
// cannot be applied exactly makes the market forgotten; the next who asks has it read again.
//
// A commit can reach the tape before other sessions see its rows, so what a query returns may be
// older than what the tape has brought, and would stay so if it were just kept. A read is therefore
// joined with the tape: the events that arrive from before the query begins are kept aside, and what
// it returns counts only if it is no older than the head of then and of the same history; the rest
// is applied.
//
// The past of a market, its prices at each event, is read when somebody first asks for its history,
// and then grows with it; one that is too long is left to the database.
//
// Entries are kept while the reader is live. Otherwise the tape may be late, or of a history that is
// no more, and who asks is answered by the database, with a read that began after he asked: all who
// wait meanwhile share the next one.
//
// Publish must come before the hub's: what a socket has been sent is then never newer than a View.
package state
