package tape

import "time"

// Sink is where a reader delivers what it reads. Its calls come one at a time, and must not wait.
type Sink interface {
	// Publish delivers the next event of its market: seq is one more than the one before.
	Publish(Event)
	// Reset says where a market's history stands without delivering it: at the start, for every
	// market, and when what was delivered is no longer in the table (a restore, a failover that
	// lost its tail): whoever follows the market starts again from a snapshot.
	Reset(market string, head Head)
	// SetState says how the reader is doing.
	SetState(State)
}

// State is how a reader is doing.
type State string

// The states of a reader: all that is committed arrives at once; what arrives is late, or read from
// the table; it has no database.
const (
	Live       State = "live"
	CatchingUp State = "catching_up"
	Lost       State = "lost"
)

// Mode is how a reader learns of commits.
type Mode string

// The modes: logical replication; NOTIFY and the table; the first of them that the database allows.
const (
	WAL    Mode = "wal"
	Notify Mode = "notify"
	Auto   Mode = "auto"
)

// Status is what an operator wants to know of a reader.
type Status struct {
	Mode  Mode   // WAL or Notify
	Why   string // why this mode, in words
	State State  // Live, CatchingUp, Lost

	// Lag is how late events are: how long the last sign of life took that was committed to the
	// database and came back behind all events before it; or how long the one under way has taken
	// so far, or the next is overdue, if that is longer. It grows while the reader is stuck or lost.
	Lag time.Duration

	Retained  int64  // bytes of WAL that the server keeps for our slot; 0 without one
	WALStatus string // of our slot, in Postgres' words (reserved, extended, unreserved, lost); empty without one
	SlotDrops int64  // times that the reader gave its stream up so that the server need not keep more for it

	Delivered  int64 // events delivered
	Reconciled int64 // events that a stream skipped and the table had: should be 0
	Resets     int64 // markets whose history was found to be another, or unknown
	Connects   int64 // times the source was opened
}
