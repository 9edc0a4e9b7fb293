package server

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/hub"
	"github.com/pgtape/pgtape/server/state"
)

// Frames are what sockets and streams carry: JSON objects without line breaks, one in each message, in
// valid UTF-8. Clients have to close a socket over a text that is not, and would again each time they come
// back to it. All but the bodies of events is written by encoding/json, which sees to that.

// texts sees to it for events, wherever they come from: Postgres keeps what it was once given, an origin
// may be of an earlier version.
type texts struct {
	log    *slog.Logger
	mended atomic.Int64 // events
	said   rate.Sometimes
}

func newTexts(log *slog.Logger) *texts {
	return &texts{log: log, said: rate.Sometimes{Interval: outageEvery}}
}

// utf8Event is an event whose body is valid UTF-8: frames are made of no other.
type utf8Event struct{ tape.Event }

// readable replaces what is not UTF-8 by U+FFFD, as encoding/json does.
func (t *texts) readable(e tape.Event) utf8Event {
	if utf8.ValidString(e.Body) {
		return utf8Event{e}
	}
	e.Body = strings.ToValidUTF8(e.Body, "\ufffd")
	mended := t.mended.Add(1)
	t.said.Do(func() {
		t.log.Error("an event holds bytes that are not UTF-8, which are shown as U+FFFD", "market", e.Market, "seq", e.Seq,
			"mended", mended, "mend", "restore the event's text from a backup: pgtape verify names the event")
	})
	return utf8Event{e}
}

// eventFrame is an event as everybody gets it. Its body, a JSON object, goes on where the frame's
// own members end.
func eventFrame(e utf8Event) []byte {
	market := encode(e.Market)
	frame := make([]byte, 0, len(market)+len(e.Body)+160)
	frame = append(frame, `{"op":"event","market":`...)
	frame = append(frame, market...)
	frame = append(frame, `,"seq":`...)
	frame = strconv.AppendInt(frame, e.Seq, 10)
	frame = append(frame, `,"prev":`...)
	frame = strconv.AppendInt(frame, e.Seq-1, 10)
	frame = append(frame, `,"cursor":"`...)
	frame = append(frame, e.Head().String()...)
	frame = append(frame, `","at":"`...)
	frame = e.At.UTC().AppendFormat(frame, "2006-01-02T15:04:05.000000Z")
	frame = append(frame, `","kind":`...)
	frame = append(frame, encode(e.Kind)...)
	if rest := strings.TrimPrefix(e.Body, "{"); rest != "}" {
		frame = append(frame, ',')
		return append(frame, rest...)
	}
	return append(frame, '}')
}

// quoteFrame is the prices of an event alone; nil when it has none.
func quoteFrame(e utf8Event) []byte {
	var body struct {
		Prices json.RawMessage `json:"prices"`
	}
	if json.Unmarshal([]byte(e.Body), &body) != nil || body.Prices == nil {
		return nil
	}
	market := encode(e.Market)
	frame := make([]byte, 0, len(market)+len(body.Prices)+64)
	frame = append(frame, `{"op":"quote","market":`...)
	frame = append(frame, market...)
	frame = append(frame, `,"seq":`...)
	frame = strconv.AppendInt(frame, e.Seq, 10)
	frame = append(frame, `,"prices":`...)
	frame = append(frame, body.Prices...)
	return append(frame, '}')
}

// snapshotFrame is a market's whole state.
func snapshotFrame(v *state.View) []byte {
	market := encode(v.Market.Slug)
	frame := make([]byte, 0, len(market)+len(v.Body)+128)
	frame = append(frame, `{"op":"snapshot","market":`...)
	frame = append(frame, market...)
	frame = append(frame, `,"seq":`...)
	frame = strconv.AppendInt(frame, v.Market.Version, 10)
	frame = append(frame, `,"cursor":"`...)
	frame = append(frame, v.Market.Cursor...)
	frame = append(frame, `","state":`...)
	frame = append(frame, v.JSON()...)
	return append(frame, '}')
}

// snapshotMessage is a snapshot frame as it goes out, made once for all who join.
func snapshotMessage(v *state.View) []byte { return hub.Message(snapshotFrame(v)) }

// errorFrame tells a socket what was wrong with what it sent.
func errorFrame(code db.Code, message, market string) []byte {
	return encode(struct {
		Op      string  `json:"op"`
		Code    db.Code `json:"code"`
		Message string  `json:"message"`
		Market  string  `json:"market,omitempty"`
	}{"error", code, message, market})
}

// encode is for values of strings alone, which cannot fail to encode.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return text
}
