package card

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

const (
	ellipsis = "…"

	longest = 600 // letters that are looked at of one text: more fit on no card
)

// typeface is a font that can be had in any size.
type typeface struct{ font *opentype.Font }

func goRegular() typeface { return parse(goregular.TTF) }
func goBold() typeface    { return parse(gobold.TTF) }

func parse(data []byte) typeface {
	f, err := opentype.Parse(data)
	if err != nil {
		panic(err) // the fonts are embedded
	}
	return typeface{f}
}

// at is the font in a size, in pixels, for one goroutine.
func (t typeface) at(size float64) *letters {
	face, err := opentype.NewFace(t.font, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		panic(err) // only of a font that was not parsed
	}
	return &letters{Face: face, font: t.font}
}

type letters struct {
	font.Face
	font *opentype.Font
	buf  sfnt.Buffer
}

// write sets a text on a baseline.
func (l *letters) write(s *sheet, text string, x, baseline int, tone color.RGBA) {
	d := font.Drawer{Dst: s.RGBA, Src: image.NewUniform(tone), Face: l, Dot: fixed.P(x, baseline)}
	d.DrawString(l.clean(text))
}

func (l *letters) width(text string) int { return font.MeasureString(l, l.clean(text)).Ceil() }

// clean is a text in letters that the font has. What is not seen is left out, every kind of space is
// a plain one, and what the font has no letter for is left out too, never a box: CanWrite tells of whom
// that leaves nothing that makes sense.
func (l *letters) clean(text string) string {
	runes := 0
	return strings.Map(func(r rune) rune {
		if runes++; runes > longest {
			return -1
		}
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cc, r):
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me, unicode.Variation_Selector):
			return -1
		}
		if !l.has(r) {
			return -1
		}
		return r
	}, text)
}

func (l *letters) has(r rune) bool {
	i, err := l.font.GlyphIndex(&l.buf, r)
	return err == nil && i != 0
}

// CanWrite tells whether the fonts have all letters and digits of a text, and it has some: they write
// Latin, Greek and Cyrillic. A font for all scripts would be larger than the rest of the program, and
// right-to-left and joined ones need more than a font. Emoji and other signs do not count.
func (p *Painter) CanWrite(text string) bool {
	l, some := p.bold.at(20), false
	for _, r := range text {
		if !unicode.In(r, unicode.L, unicode.N) {
			continue
		}
		if !l.has(r) || unicode.In(r, unicode.Hebrew, unicode.Arabic) {
			return false
		}
		some = true
	}
	return some
}

// cut is as much of a text as a width has room for, with an ellipsis if something is left out.
func (l *letters) cut(text string, width int) string {
	text = l.clean(text)
	if l.width(text) <= width {
		return text
	}
	runes := []rune(text)
	// The widths of beginnings grow, so the longest that fits is found by halving.
	n := search(len(runes), func(n int) bool {
		return l.width(strings.TrimRight(string(runes[:n]), " ")+ellipsis) <= width
	})
	if n == 0 && l.width(ellipsis) > width {
		return ""
	}
	return strings.TrimRight(string(runes[:n]), " ") + ellipsis
}

// wrap breaks a text into lines of a width, between words where it can. What no longer fits on the
// last one gives way to an ellipsis.
func (l *letters) wrap(text string, width, most int) []string {
	var lines []string
	words := strings.Fields(l.clean(text))
	for len(words) > 0 {
		if len(lines) == most-1 {
			return append(lines, l.cut(strings.Join(words, " "), width))
		}
		n := search(len(words), func(n int) bool { return l.width(strings.Join(words[:n], " ")) <= width })
		if n == 0 { // a word that is longer than a line
			runes := []rune(words[0])
			n = max(1, search(len(runes), func(n int) bool { return l.width(string(runes[:n])) <= width }))
			lines = append(lines, string(runes[:n]))
			words = slices.Clone(words)
			words[0] = string(runes[n:])
			continue
		}
		lines = append(lines, strings.Join(words[:n], " "))
		words = words[n:]
	}
	return lines
}

// search is the largest number up to n of which fits is true, or 0; fits is true up to some number.
func search(n int, fits func(int) bool) int {
	low, high := 0, n
	for low < high {
		if middle := (low + high + 1) / 2; fits(middle) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}
