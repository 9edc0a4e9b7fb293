package edge

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pgtape/pgtape/db/tape"
)

// frame is what an origin says on the socket.
type frame struct {
	Op      string           `json:"op"`
	Market  string           `json:"market"`
	Seq     int64            `json:"seq"`
	Prev    int64            `json:"prev"`
	Cursor  string           `json:"cursor"`
	At      time.Time        `json:"at"`
	Kind    string           `json:"kind"`
	Heads   map[string]int64 `json:"heads"`
	Source  tape.State       `json:"source"`
	Code    string           `json:"code"`
	Message string           `json:"message"`
}

var kindMember = []byte(`,"kind":"`)

// eventOf is the event that a frame was made of, behind another: all of it but the later part of its
// hashes, which nothing here needs.
func eventOf(f frame, text []byte, behind tape.Head) (tape.Event, error) {
	head, err := tape.ParseCursor(f.Cursor)
	if err != nil || head.Seq != f.Seq || f.Prev != f.Seq-1 {
		return tape.Event{}, fmt.Errorf("malformed event %d of %s", f.Seq, f.Market)
	}
	// The members of the body follow the kind. No string has this in it: its quotes are escaped.
	_, rest, found := bytes.Cut(text, kindMember)
	rest, quoted := bytes.CutPrefix(rest, []byte(f.Kind+`"`))
	if !found || !quoted || len(rest) == 0 || rest[0] != ',' && rest[0] != '}' {
		return tape.Event{}, fmt.Errorf("malformed event %d of %s", f.Seq, f.Market)
	}
	body := "{}"
	if rest[0] == ',' {
		body = "{" + string(rest[1:])
	}
	hash, err := hex.DecodeString(head.Hash)
	if err != nil {
		return tape.Event{}, err
	}
	prev, err := hex.DecodeString(behind.Hash)
	return tape.Event{Market: f.Market, Seq: f.Seq, At: f.At, Kind: f.Kind, Body: body, Prev: prev, Hash: hash}, err
}

// eventsOf are those of a page of the tape behind a cursor, if they follow it.
func eventsOf(page []json.RawMessage, behind tape.Head) ([]tape.Event, error) {
	events := make([]tape.Event, 0, len(page))
	for _, text := range page {
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			return nil, fmt.Errorf("malformed event: %w", err)
		}
		if f.Prev != behind.Seq {
			return nil, fmt.Errorf("event %d of %s follows %d", f.Seq, f.Market, behind.Seq)
		}
		e, err := eventOf(f, text, behind)
		if err != nil {
			return nil, err
		}
		events, behind = append(events, e), e.Head()
	}
	return events, nil
}
