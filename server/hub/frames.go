package hub

import "encoding/json"

// Codes of the error frames that the hub itself sends.
const (
	codeNotFound       = "not_found"
	codeInvalidRequest = "invalid_request"
	codeInternal       = "internal"
)

// errorFrame tells a client why a request of it about a market was not carried out.
func errorFrame(code, message, market string) []byte {
	return encode(struct {
		Op      string `json:"op"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Market  string `json:"market"`
	}{"error", code, message, market})
}

// subscribedFrame acknowledges a subscription that has nothing to replay.
func subscribedFrame(market string, seq int64, cursor string) []byte {
	return encode(struct {
		Op     string `json:"op"`
		Market string `json:"market"`
		Seq    int64  `json:"seq"`
		Cursor string `json:"cursor"`
	}{"subscribed", market, seq, cursor})
}

// encode is for values of strings and integers alone, which cannot fail to encode.
func encode(v any) []byte {
	frame, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return frame
}

// part is a frame that waits for a client's turn: an acknowledgement or replayed events.
type part struct {
	frame  []byte
	events int
	seq    int64 // what the client has once it is written,
	cursor string
}

// replayed joins events read from the table into parts that each fit one frame.
func replayed(events []Event) []part {
	var parts []part
	var b batch
	var last Event
	for _, e := range events {
		if !b.add(e.Frame, 1) {
			parts = append(parts, part{b.frame, b.events, last.Seq, last.Cursor})
			b = batch{}
			b.add(e.Frame, 1)
		}
		last = e
	}
	if b.parts > 0 {
		parts = append(parts, part{b.frame, b.events, last.Seq, last.Cursor})
	}
	return parts
}

// batch joins frames into one, within the bounds. A single one stays what it was, uncopied.
type batch struct {
	frame  []byte
	events int
	parts  int
}

// add appends a frame and says whether there was room. A frame too long for any is taken alone.
func (b *batch) add(frame []byte, events int) bool {
	if b.parts == 0 {
		b.frame, b.events, b.parts = frame, events, 1
		return true
	}
	if len(frame) > b.room() || events > maxFrameEvents-b.events {
		return false
	}
	if b.parts == 1 { // the first is shared with others
		b.frame = append(make([]byte, 0, 2*(len(b.frame)+len(frame))+1), b.frame...)
	}
	b.frame = append(append(b.frame, '\n'), frame...)
	b.events += events
	b.parts++
	return true
}

// room is how many bytes one more frame may have.
func (b *batch) room() int {
	if b.parts == 0 {
		return maxFrameBytes
	}
	return maxFrameBytes - len(b.frame) - 1
}
