package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Event is one row of the tape.
type Event struct {
	Market string
	Seq    int64
	At     time.Time
	Kind   string
	Body   string // a JSON object, in the form that was hashed
	Prev   []byte // hash of the event before
	Hash   []byte
}

// Finding is one thing that is not as it must be.
type Finding struct {
	Invariant string `json:"invariant"`
	Subject   string `json:"subject"`
	Problem   string `json:"problem"`
}

// chain is where a stream of events stands.
type chain struct {
	seq  int64
	hash [sha256.Size]byte
	text []byte // for the next hash
}

// follow checks that an event is the next of its stream, and goes on from there.
func (c *chain) follow(e Event, found *findings) {
	if e.Seq != c.seq+1 {
		found.at(e, "seq is gapless from 1", "it follows seq %d", c.seq)
	}
	const broken = "every hash follows from the one before"
	if string(e.Prev) != string(c.hash[:]) {
		found.at(e, broken, "its prev_hash is not the hash before")
	}
	if hash := c.hashOf(e); string(e.Hash) != string(hash[:]) {
		found.at(e, broken, "its hash is not that of its fields")
	}
	c.seq = e.Seq
	c.hash = [sha256.Size]byte{}
	copy(c.hash[:], e.Hash)
}

// hashOf is SHA-256 over the hash of the event before and, with a line feed between them, market,
// seq, at, kind and body.
func (c *chain) hashOf(e Event) [sha256.Size]byte {
	t := append(c.text[:0], e.Prev...)
	t = append(append(t, e.Market...), '\n')
	t = append(strconv.AppendInt(t, e.Seq, 10), '\n')
	t = append(e.At.UTC().AppendFormat(t, "2006-01-02T15:04:05.000000Z"), '\n')
	t = append(append(t, e.Kind...), '\n')
	t = append(t, e.Body...)
	c.text = t
	return sha256.Sum256(t)
}

func (c *chain) head() Head { return Head{Seq: c.seq, Hash: hex.EncodeToString(c.hash[:])} }
