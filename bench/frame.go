package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pgtape/pgtape/client"
)

// frame is what the bench needs of a frame; its slices are those of the line.
type frame struct {
	op     string
	market []byte
	seq    int64
	prev   int64
	cursor []byte
	at     int64 // microseconds since 1970, of events
	code   string
	text   string // of errors
}

// parseFrame reads a line. A bench that hears what ten thousand sockets are told must not pay for
// decoding JSON each time: events and quotes are taken apart by the order of members that the server
// writes, and anything that looks otherwise is decoded as what it is.
func parseFrame(line []byte) (frame, error) {
	switch {
	case bytes.HasPrefix(line, []byte(`{"op":"heartbeat"`)):
		return frame{op: client.OpHeartbeat}, nil
	case bytes.HasPrefix(line, []byte(`{"op":"event",`)):
		if f, ok := cutEvent(line); ok {
			return f, nil
		}
	case bytes.HasPrefix(line, []byte(`{"op":"quote",`)):
		if f, ok := cutQuote(line); ok {
			return f, nil
		}
	}
	return decodeFrame(line)
}

func decodeFrame(line []byte) (frame, error) {
	var f client.Frame
	if err := json.Unmarshal(line, &f); err != nil {
		return frame{}, fmt.Errorf("malformed frame: %w", err)
	}
	got := frame{
		op: f.Op, market: []byte(f.Market), seq: f.Seq, prev: f.Prev, cursor: []byte(f.Cursor),
		code: f.Code, text: f.Message,
	}
	if !f.At.IsZero() {
		got.at = f.At.UnixMicro()
	}
	return got, nil
}

func cutEvent(line []byte) (f frame, ok bool) {
	rest := cutter{line, true}
	rest.skip(`{"op":"event","market":"`)
	f.op, f.market = client.OpEvent, rest.until('"')
	rest.skip(`,"seq":`)
	f.seq = rest.number()
	rest.skip(`,"prev":`)
	f.prev = rest.number()
	rest.skip(`,"cursor":"`)
	f.cursor = rest.until('"')
	rest.skip(`,"at":"`)
	f.at = rest.instant()
	rest.skip(`","kind":"`)
	return f, rest.ok && line[len(line)-1] == '}'
}

func cutQuote(line []byte) (f frame, ok bool) {
	rest := cutter{line, true}
	rest.skip(`{"op":"quote","market":"`)
	f.op, f.market = client.OpQuote, rest.until('"')
	rest.skip(`,"seq":`)
	f.seq = rest.number()
	rest.skip(`,"prices":`)
	return f, rest.ok && line[len(line)-1] == '}'
}

// cutter takes a text apart from its beginning, as long as that is what was expected.
type cutter struct {
	text []byte
	ok   bool
}

func (c *cutter) skip(prefix string) {
	if c.ok = c.ok && len(c.text) >= len(prefix) && string(c.text[:len(prefix)]) == prefix; c.ok {
		c.text = c.text[len(prefix):]
	}
}

// until takes what is before the end of a string, and skips that. A string with escapes is not
// what it seems.
func (c *cutter) until(end byte) []byte {
	n := bytes.IndexByte(c.text, end)
	if c.ok = c.ok && n >= 0 && bytes.IndexByte(c.text[:max(n, 0)], '\\') < 0; !c.ok {
		return nil
	}
	got := c.text[:n]
	c.text = c.text[n+1:]
	return got
}

func (c *cutter) number() (n int64) {
	digits := 0
	for digits < len(c.text) && digits < 18 && c.text[digits] >= '0' && c.text[digits] <= '9' {
		n = 10*n + int64(c.text[digits]-'0')
		digits++
	}
	if c.ok = c.ok && digits > 0; c.ok {
		c.text = c.text[digits:]
	}
	return n
}

const instantForm = "2006-01-02T15:04:05.000000Z"

// instant takes a time, and leaves the quotation mark behind it.
func (c *cutter) instant() int64 {
	if c.ok = c.ok && len(c.text) > len(instantForm) && c.text[len(instantForm)-1] == 'Z' && c.text[19] == '.'; !c.ok {
		return 0
	}
	text := c.text[:len(instantForm)]
	c.text = c.text[len(instantForm):]
	n := func(from, to int) int {
		value := 0
		for _, digit := range text[from:to] {
			if digit < '0' || digit > '9' {
				c.ok = false
			}
			value = 10*value + int(digit-'0')
		}
		return value
	}
	day := time.Date(n(0, 4), time.Month(n(5, 7)), n(8, 10), n(11, 13), n(14, 16), n(17, 19), 0, time.UTC)
	return day.Unix()*1e6 + int64(n(20, 26))
}

// member finds the value of a member of a flat JSON object whose strings have no escapes: a
// number's digits, or what is between quotation marks. Empty when there is none.
func member(object []byte, name string) string {
	_, rest, found := bytes.Cut(object, []byte(`"`+name+`":`))
	if !found || len(rest) == 0 {
		return ""
	}
	if rest[0] == '"' {
		value, _, _ := bytes.Cut(rest[1:], []byte{'"'})
		return string(value)
	}
	end := bytes.IndexAny(rest, ",}")
	return strings.TrimSpace(string(rest[:max(end, 0)]))
}
