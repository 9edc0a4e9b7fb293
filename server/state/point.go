package state

import (
	"encoding/hex"

	"github.com/pgtape/pgtape/db/tape"
)

// point names an event: its seq, and the bytes of its hash that a cursor shows. Zero: none.
type point struct {
	seq  int64
	hash [8]byte
}

func pointOf(e tape.Event) point { return point{e.Seq, begin(e.Hash)} }

func pointAt(head tape.Head) point {
	hash, err := hex.DecodeString(head.Hash)
	if err != nil || head.Seq == 0 {
		return point{}
	}
	return point{head.Seq, begin(hash)}
}

func begin(hash []byte) (b [8]byte) {
	copy(b[:], hash)
	return b
}

// follows says whether an event is the next one behind a point, in the same history.
func (p point) follows(e tape.Event) bool { return e.Seq == p.seq+1 && begin(e.Prev) == p.hash }

func (p point) cursor() string {
	return tape.Head{Seq: p.seq, Hash: hex.EncodeToString(p.hash[:])}.String()
}
