// Package texts draws what people might type, for tests that send it through every field and read it
// on every page: one generator for SQL, HTTP, the command line and the browser.
//
// A test walks a few rounds by default, under a seed that it logs; -names.walk N walks N rounds, and
// -names.seed S walks again what failed. What a walk has found is kept in Found, which each draws from.
package texts

import (
	"flag"
	"math/rand/v2"
	"testing"

	"golang.org/x/text/unicode/norm"
)

var (
	rounds = flag.Int("names.walk", 0, "walk so many rounds of random names in each test that walks (0: its own few)")
	seed   = flag.Uint64("names.seed", 0, "draw names by this seed (0: a new one, which is logged)")
)

// Walk draws texts. It is for one goroutine.
type Walk struct {
	*rand.Rand

	Rounds int
}

// New begins a walk of so many rounds, or of as many as the flag says.
func New(t testing.TB, usual int) *Walk {
	t.Helper()
	s, n := *seed, *rounds
	if s == 0 {
		s = rand.Uint64()
	}
	if n == 0 {
		n = usual
	}
	t.Logf("%d rounds of names; again: -names.walk %d -names.seed %d", n, n, s)
	return &Walk{Rand: rand.New(rand.NewPCG(s, 0)), Rounds: n}
}

// Long tells whether more was asked for than the usual.
func Long() bool { return *rounds > 0 }

// Line draws a text for a field of at most limit characters: often one that is taken, sometimes one
// that is refused, and lengths about the limit.
func (w *Walk) Line(limit int) string {
	if w.IntN(10) == 0 {
		return pick(w, Found)
	}
	pieces := mild
	if w.IntN(3) == 0 {
		pieces = wild
	}
	text := ""
	for range 1 + w.IntN(5) {
		text += pick(w, pieces)(w)
		if w.IntN(3) == 0 {
			text += " "
		}
	}
	switch w.IntN(8) {
	case 0: // about the limit, in characters
		text = stretch(text, limit-1+w.IntN(3))
	case 1: // surely no longer
		text = cut(text, limit)
	case 2:
		return ""
	}
	return text
}

// Lines draws a text for a field of several lines.
func (w *Walk) Lines(limit int) string {
	text := w.Line(limit)
	for range w.IntN(3) {
		text += pick(w, breaks) + w.Line(limit/4)
	}
	return text
}

// Fresh draws a text that is taken, and is like no other of the walk.
func (w *Walk) Fresh(limit int) string {
	text, end := "", w.ascii(8)
	for range 1 + w.IntN(3) {
		if more := pick(w, mild)(w) + " "; len([]rune(norm.NFC.String(text+more)))+len(end) <= limit {
			text += more
		}
	}
	return text + end
}

// Handle draws a handle: one that is taken and like no other, or one that is not taken.
func (w *Walk) Handle() string {
	switch w.IntN(4) {
	case 0:
		return w.Line(32)
	case 1:
		return pick(w, Reserved)
	case 2:
		return pick(w, []string{" ", "\u00a0", ""}) + w.ascii(1+w.IntN(32)) + pick(w, []string{"\t", "\u3000", ""})
	}
	return pick(w, []string{"", "constructor.", "con-", "null_", "0", "IVAN"}) + w.ascii(12)
}

// Slug draws a slug that is free: words that mean something to JavaScript and SQL among them.
func (w *Walk) Slug() string {
	return pick(w, []string{"", "constructor-", "null", "con-", "index-", "0", "select_"}) + w.ascii(10)
}

func (w *Walk) ascii(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[w.IntN(len(letters))]
	}
	return string(text)
}

func pick[T any](w *Walk, of []T) T { return of[w.IntN(len(of))] }

// stretch repeats a text up to a length in characters.
func stretch(text string, length int) string {
	runes := []rune(text)
	if len(runes) == 0 {
		runes = []rune("x")
	}
	out := make([]rune, 0, max(length, 0))
	for len(out) < length {
		out = append(out, runes[len(out)%len(runes)])
	}
	return string(out)
}

func cut(text string, length int) string {
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length])
	}
	return text
}
