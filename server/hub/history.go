package hub

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// What a History says of a question that has no answer. Any other error of it is a failure to
// read, and is tried again.
var (
	ErrNoMarket      = errors.New("no such market")
	ErrCursorUnknown = errors.New("cursor is not of this history")
)

// Refusal is an error of a History, or of the hub, of which the client is told as it is.
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string { return r.Message }

// Event is one committed event of a market, encoded once for all who watch it. The hub keeps
// the slices: they must not change after Publish.
type Event struct {
	Market string
	Seq    int64
	Cursor string // "<seq>.<16 hex digits>"
	Frame  []byte // the whole `event` frame, one JSON object
	Quote  []byte // the `quote` frame of the same version; nil if there is nothing to say in quote mode
}

// Snapshot is a market's whole state as of one event.
type Snapshot struct {
	Market string
	Seq    int64
	Cursor string

	// Message is the whole `snapshot` frame, as Message makes it: those who join at once share it.
	Message Messages
}

// History reads what the hub does not remember. Its answers come from the table of events, which
// may be ahead of or behind what was published. The hub calls it from several goroutines, with a context
// that knows whose turn it is (fairqueue.ClientOf).
type History interface {
	// Snapshot returns the newest state, or ErrNoMarket.
	Snapshot(ctx context.Context, market string) (Snapshot, error)
	// Since returns the events behind the cursor in order, at most limit of them, none if there
	// are none; or ErrNoMarket or ErrCursorUnknown. Event.Quote is not needed.
	Since(ctx context.Context, market, after string, limit int) ([]Event, error)
}

const hashDigits = 16

// parseCursor returns the seq of a cursor; ok is false for what no event's cursor looks like.
func parseCursor(cursor string) (seq int64, ok bool) {
	number, hash, found := strings.Cut(cursor, ".")
	if !found || len(hash) != hashDigits || strings.Trim(hash, "0123456789abcdef") != "" {
		return 0, false
	}
	if number == "" || strings.Trim(number, "0123456789") != "" || (len(number) > 1 && number[0] == '0') {
		return 0, false
	}
	seq, err := strconv.ParseInt(number, 10, 64)
	return seq, err == nil
}
