// Package texts draws what people might type, for tests that send it through every field and read it
// on every page: one generator for SQL, HTTP, the command line and the browser.
//
// A test walks a few rounds by default, most by a seed of always and some by one that it logs; -names.walk N
// walks N rounds by a new one, and -names.seed S walks again what failed. What a walk has found is kept in Found, which each draws from.
package texts

import (
	"flag"
	"iter"
	"math/rand/v2"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var (
	rounds = flag.Int("names.walk", 0, "walk so many rounds of random names in each test that walks (0: its own few)")
	seed   = flag.Uint64("names.seed", 0, "draw names by this seed (0: a new one, which is logged)")
)

// Walk draws texts. It is for one goroutine.
type Walk struct {
	*rand.Rand

	rounds int
	seed   uint64
	asked  bool // by a flag
}

// always is the seed of the most of a usual walk: what fails by it fails for everybody.
const always = 13

// New begins a walk of so many rounds, or of as many as the flag says.
func New(t testing.TB, usual int) *Walk {
	t.Helper()
	w := &Walk{rounds: usual, seed: *seed, asked: *rounds > 0 || *seed > 0}
	if w.seed == 0 {
		w.seed = rand.Uint64()
	}
	if *rounds > 0 {
		w.rounds = *rounds
	}
	w.Rand = rand.New(rand.NewPCG(w.seed, 0))
	t.Logf("%d rounds of names; those at its end again: -names.walk %d -names.seed %d", w.rounds, w.rounds, w.seed)
	return w
}

// Rounds are those of the walk. Of a usual one only the last quarter is new each time.
func (w *Walk) Rounds() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range w.rounds {
			switch {
			case w.asked:
			case i == 0:
				w.Rand = rand.New(rand.NewPCG(always, 0))
			case i == w.rounds-max(1, w.rounds/4):
				w.Rand = rand.New(rand.NewPCG(w.seed, 0))
			}
			if !yield(i) {
				return
			}
		}
	}
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
	if first, _ := utf8.DecodeRuneInString(text); unicode.Is(unicode.M, first) {
		text = w.ascii(1) + text // a mark needs a letter before it
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
