package hub

import (
	"encoding/binary"
	"iter"
)

// Messages is what goes out on a connection in one write: whole WebSocket messages, one JSON object
// in each, one behind the other. A server's frames are not masked, so the same bytes serve every
// client that is at the same place, and joining them needs no line breaks inside a message.
type Messages []byte

const (
	textFrame = 0x80 | 1 // the first byte: final, text

	maxHeader = 10 // bytes of a frame before its text, at most
)

// Message is a text as one message.
func Message(text []byte) Messages {
	return append(appendHeader(make(Messages, 0, maxHeader+len(text)), len(text)), text...)
}

// inPlace makes a message of a buffer whose text begins behind maxHeader bytes of room.
func inPlace(buffer []byte) Messages {
	var header [maxHeader]byte
	h := appendHeader(header[:0], len(buffer)-maxHeader)
	start := maxHeader - len(h)
	copy(buffer[start:], h)
	return buffer[start:]
}

// Texts yields the text of each message. What is no whole message ends it.
func (m Messages) Texts() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := []byte(m); len(rest) > 1; {
			header, length := 2, uint64(rest[1])
			switch {
			case length == 126 && len(rest) >= 4:
				header, length = 4, uint64(binary.BigEndian.Uint16(rest[2:]))
			case length == 127 && len(rest) >= maxHeader:
				header, length = maxHeader, binary.BigEndian.Uint64(rest[2:])
			}
			if uint64(len(rest)-header) < length || !yield(rest[header:header+int(length)]) {
				return
			}
			rest = rest[header+int(length):]
		}
	}
}

// appendHeader appends what goes before a text of that length in a frame of its own.
func appendHeader(b []byte, length int) []byte {
	b = append(b, textFrame)
	switch {
	case length < 126:
		return append(b, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(length))
	}
}
