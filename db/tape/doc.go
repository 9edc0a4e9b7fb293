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
// know means that this is another history. An event that is rewritten in the table behind the head,
// the head being as before, is not seen here: that is for verify to find, which computes all hashes.
//
// The reader (reader.go) keeps one session (session.go): a connection to the table, and a stream
// (stream.go) beside it. It tails the table until the stream is ready, and compares heads in all
// markets every few seconds (pulse.go: reconciliation). What that ever finds is counted. What does
// not answer is lost, and opened again; where the WAL cannot be had, the doorbell does, until it can.
//
// A sink that is slow holds up the reader, the reader the stream, and the stream the database, so
// that nothing gathers in memory. What Postgres then keeps for our slot is looked at (watch.go), and
// when it is too much the slot is given up: the table is read in pages until it is caught up with.
package tape
