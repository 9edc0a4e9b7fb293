package tape

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Event is one row of the tape. Seq counts from 1 in each market, without gaps.
type Event struct {
	Market string
	Seq    int64
	At     time.Time
	Kind   string
	Body   string // a JSON object, in the form that was hashed
	Prev   []byte // hash of the event before
	Hash   []byte

	// XID is the transaction that wrote it, as xid8, for an event that came by the WAL: others may not
	// see its rows yet, if its commit is waiting for a standby, say. 0: it was read from the table, so
	// that whoever looks from now on sees it too.
	XID uint64 `db:"-"`
}

// Head is where an event stands.
func (e Event) Head() Head { return headOf(e.Seq, e.Hash) }

// follows tells whether the event is the next one behind a head, in the same history.
func (e Event) follows(head Head) bool {
	return e.Seq == head.Seq+1 && (head.Seq == 0 || headOf(head.Seq, e.Prev) == head)
}

func headOf(seq int64, hash []byte) Head {
	return Head{Seq: seq, Hash: hex.EncodeToString(hash)[:cursorDigits]}
}

// Head names one point of one history: a seq and the beginning of that event's hash. Its text
// form, the cursor, is "<seq>.<16 hex digits>".
type Head struct {
	Seq  int64
	Hash string // the first 16 hex digits
}

const cursorDigits = 16

// String is the cursor.
func (h Head) String() string { return strconv.FormatInt(h.Seq, 10) + "." + h.Hash }

var cursorForm = regexp.MustCompile(`^([1-9][0-9]{0,17})\.([0-9a-f]{16})$`)

// ParseCursor reads a cursor.
func ParseCursor(cursor string) (Head, error) {
	parts := cursorForm.FindStringSubmatch(cursor)
	if parts == nil {
		return Head{}, fmt.Errorf("%.60q is not a cursor: want <seq>.<16 hex digits>", cursor)
	}
	seq, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Head{}, fmt.Errorf("cursor: %w", err)
	}
	return Head{Seq: seq, Hash: parts[2]}, nil
}
