package hub

import "encoding/json"

// Codes of the error frames that the hub itself sends.
const (
	codeNotFound        = "not_found"
	codeInvalidRequest  = "invalid_request"
	codeInternal        = "internal"
	codeTooManyRequests = "too_many_requests"
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

// part is what waits for a client's turn: an acknowledgement or replayed events.
type part struct {
	messages Messages
	events   int
	seq      int64 // what the client has once it is written,
	cursor   string
}

// replayed joins events read from the table into parts that each fit one write.
func replayed(events []Event) []part {
	var parts []part
	var b batch
	var last Event
	for _, e := range events {
		message := Message(e.Frame)
		if !b.add(message, 1) {
			parts = append(parts, part{b.messages, b.events, last.Seq, last.Cursor})
			b = batch{}
			b.add(message, 1)
		}
		last = e
	}
	if b.parts > 0 {
		parts = append(parts, part{b.messages, b.events, last.Seq, last.Cursor})
	}
	return parts
}

// batch gathers messages for one write, within the bounds. A single part stays what it was, uncopied.
type batch struct {
	messages Messages
	events   int
	parts    int
}

// add appends messages and says whether there was room. What is too long for any write is taken alone.
func (b *batch) add(messages Messages, events int) bool {
	if b.parts == 0 {
		b.messages, b.events, b.parts = messages, events, 1
		return true
	}
	if len(messages) > b.room() || events > maxWriteEvents-b.events {
		return false
	}
	if b.parts == 1 { // the first is shared with others
		b.messages = append(make(Messages, 0, 2*(len(b.messages)+len(messages))), b.messages...)
	}
	b.messages = append(b.messages, messages...)
	b.events += events
	b.parts++
	return true
}

// room is how many bytes may be added.
func (b *batch) room() int { return maxWriteBytes - len(b.messages) }
