// Package audit rebuilds the whole book from the tape alone, without the database's help, and says
// where the two differ.
//
//	events ──► chain     seq gapless, every hash recomputed
//	       ──► market    status, positions, escrow, payouts; each charge and price worked out
//	                     again by lmsr; markets are independent, so they are shared out to workers
//	       ──► house     accounts and grants: its own stream, named "house"
//	           Book  ◄── all of it added up, balances included
//	State ─────► Compare: what the database says, against what must be
//
// Reading order: event.go, replay.go, market.go, trade.go, life.go, book.go, compare.go. Heads are
// the part of an audit that can be published: whoever keeps a file of them can prove later that
// history was not rewritten.
//
// The database is the authority for nothing here but the events themselves. A Finding names the
// invariant by the words that pgtape.verify() uses, where it has that invariant too. After a
// finding the replay goes on with what the tape says, so that one wrong event does not hide others.
package audit
