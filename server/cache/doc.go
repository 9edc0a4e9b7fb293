// Package cache keeps what read queries have returned until the tape says that something it depends
// on has changed.
//
//	tape reader ── Publish(event) ──► recent: transaction, keys ──► entries with one of its keys go
//	                                     ▲
//	Get ──► entry, or ── one fill for all who ask ── database: result and snapshot
//	                                     │
//	                       kept only if the snapshot sees all that is recent and has a key of it
//
// A query declares what it depends on: keys such as a market or an account (keys.go), those that are
// known before, and those that only the result tells. What is not declared is not cached.
//
// A commit can reach the tape before other sessions see its rows, one that waits for a synchronous
// standby for as long as that takes. So neither the time of a fill nor its place in the WAL tells
// what it has seen: its snapshot does. An event that came by the WAL has its transaction's number,
// and a fill is kept only if its snapshot sees it. An event that was read from the table was visible
// before it was published; it has no number, and spoils the fills that had begun before.
//
// The rule: what Get calls a hit or a miss is no older than any event published before Get was
// called. What cannot be shown to be so is returned as a bypass, and not kept: it is what the
// database had after the call. While the tape is not live all are.
//
// Publish must come before the hub's and the state's: what a socket has been sent, or an ETag has
// named, is then never newer than an answer that comes later.
package cache
