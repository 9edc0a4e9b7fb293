package audit

import (
	"encoding/json"
	"strings"
)

// scanner reads JSON from left to right. Bodies are read by the hundred thousand and are mostly
// numbers, which encoding/json takes many times longer for. The first thing that is not JSON, or
// not what was asked for, makes bad true and ends every loop.
type scanner struct {
	text string
	at   int
	bad  bool
}

// peek gives the next character that is no space, and 0 at the end or once bad.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			if s.bad {
				return 0
			}
			return c
		}
	}
	return 0
}

// take reads this one character.
func (s *scanner) take(c byte) {
	if s.peek() != c {
		s.bad = true
		return
	}
	s.at++
}

// members reads an object: the loop's body reads the value of each name.
func (s *scanner) members(read func(name string) bool) {
	s.take('{')
	for more := s.peek() != '}'; more && !s.bad; more = s.comma('}') {
		name := s.str()
		s.take(':')
		if !s.bad && !read(name) {
			return
		}
	}
	s.take('}')
}

// elements reads an array: the loop's body reads each element.
func (s *scanner) elements(read func() bool) {
	s.take('[')
	for more := s.peek() != ']'; more && !s.bad; more = s.comma(']') {
		if !read() {
			return
		}
	}
	s.take(']')
}

// comma tells whether there is more before the end of an object or an array.
func (s *scanner) comma(end byte) bool {
	if s.peek() == end {
		return false
	}
	s.take(',')
	return !s.bad
}

func (s *scanner) str() string {
	s.take('"')
	if s.bad {
		return ""
	}
	for start := s.at; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[start : s.at-1]
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.bad = true
			return ""
		}
	}
	s.bad = true
	return ""
}

// escaped reads a string that has a backslash in it.
func (s *scanner) escaped(start int) (text string) {
	for s.at = start; s.at < len(s.text) && s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			s.at++
		}
	}
	if s.at >= len(s.text) || json.Unmarshal([]byte(s.text[start-1:s.at+1]), &text) != nil {
		s.bad = true
		return ""
	}
	s.at++
	return text
}

// fixed reads a decimal number in quotes.
func (s *scanner) fixed(decimals int) int64 {
	n, ok := parseFixed(s.str(), decimals)
	s.bad = s.bad || !ok
	return n
}

// bare reads what stands without quotes: a whole number, true, false, null.
func (s *scanner) bare() string {
	s.peek()
	start := s.at
	for s.at < len(s.text) && strings.IndexByte(" \n\r\t,}]", s.text[s.at]) < 0 {
		s.at++
	}
	if start == s.at {
		s.bad = true
	}
	return s.text[start:s.at]
}

// skip reads any value.
func (s *scanner) skip() {
	if s.peek() == 0 {
		s.bad = true
		return
	}
	rest := json.NewDecoder(strings.NewReader(s.text[s.at:]))
	var value json.RawMessage
	if rest.Decode(&value) != nil {
		s.bad = true
		return
	}
	s.at += int(rest.InputOffset())
}
