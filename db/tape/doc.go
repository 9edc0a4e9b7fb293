// Package tape follows the tape: every committed event of every market, in the order of its seq,
// delivered to one Sink.
//
//	            ┌── wal.go     logical replication: the commit itself arrives
//	commit ──►──┤                                                            ├──► follower ──► Sink
//	            └── notify.go  a doorbell rings: the event is fetched        │
//	                                                                         │
//	tape table ──► backlog.go  what was missed, at any time ─────────────────┘
//
// The table is authoritative; streams are merely fast. The follower (follower.go) knows the head,
// seq and hash, of what it has delivered of each market, and the seq alone decides what is new: an
// event seen twice is dropped, a gap is read from the table, and a head that the table does not
// know means that this is another history. The reader (reader.go) opens a stream, tails the table
// until the stream is ready, and compares heads in all markets every few seconds (reconciliation).
// What that ever finds is counted.
package tape
