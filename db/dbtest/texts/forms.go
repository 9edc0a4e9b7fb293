package texts

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

var (
	space = regexp.MustCompile(`\p{Zs}`)
	edges = " \t\n\v\f\r\u0085\u2028\u2029"
	runs  = regexp.MustCompile(`[ \t]+`)
	lines = regexp.MustCompile(`\r\n?|[\v\f\x{85}\x{2028}\x{2029}]`)
)

// Kept is how a text is kept that is taken: docs/texts.md in Go.
func Kept(text string, severalLines bool) string {
	text = space.ReplaceAllString(text, " ")
	if severalLines {
		return norm.NFC.String(strings.Trim(lines.ReplaceAllString(text, "\n"), " \t\n"))
	}
	return norm.NFC.String(runs.ReplaceAllString(strings.Trim(text, edges), " "))
}

// looks are letters that nobody tells apart, by the Latin one. The Greek ν is not among them: it looks
// like a v, but its capital, with which it is one, like an N.
var looks = map[rune][]rune{
	'a': []rune("аαａ𝐚"), 'b': []rune("ｂ𝗯"), 'c': []rune("сｃ"), 'e': []rune("еｅ"), 'h': []rune("һ"), 'i': []rune("іι"), 'j': []rune("ј"), 'o': []rune("оοօｏ𝑜"), 'p': []rune("рρ"), 's': []rune("ѕ"), 'v': []rune("ѵ"), 'x': []rune("х"), 'y': []rune("у"),
	'A': []rune("АΑＡ"), 'B': []rune("ВΒ"), 'C': []rune("С"), 'E': []rune("ЕΕ"), 'H': []rune("НΗ"), 'I': []rune("ІΙ"), 'K': []rune("КΚK"), 'M': []rune("МΜ"), 'N': []rune("Ν"), 'O': []rune("ОΟ"), 'P': []rune("РΡ"), 'T': []rune("ТΤ"), 'X': []rune("ХΧ"), 'Y': []rune("ΥҮ"), 'Z': []rune("Ζ"),
	'-': []rune("‐‑‒–"), '\'': []rune("’‘ʼ"), '"': []rune("“”"), ' ': []rune("\u00a0\u2003\u3000"), '1': []rune("１𝟏"), '5': []rune("５"),
}

// Confuse writes a text with letters of other scripts that look the same.
func Confuse(w *Walk, text string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(text) { // also under a mark
		if others := looks[r]; others != nil && w.IntN(2) == 0 {
			r = pick(w, others)
		}
		out.WriteRune(r)
	}
	return out.String()
}

// Alike are other ways to write a text, that nobody tells from it: its normal forms, other cases,
// spaces, letters that look the same.
func Alike(w *Walk, text string) []string {
	return []string{
		norm.NFC.String(text), norm.NFD.String(text), norm.NFKC.String(text), norm.NFKD.String(text), Confuse(w, text), swapCase(text),
		strings.ReplaceAll(text, " ", "\u2003"), " " + text + "\u00a0", norm.NFD.String(swapCase(text)), swapCase(norm.NFKC.String(text)),
	}
}

// swapCase changes the case of each letter that has one other.
func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		upper, lower := unicode.ToUpper(r), unicode.ToLower(r)
		switch {
		case r == '\u0345', r == 'ı', r == 'İ': // a mark whose capital is a letter; what differs in Turkish only
			return r
		case upper != r && unicode.ToLower(upper) == r:
			return upper
		case lower != r && unicode.ToUpper(lower) == r:
			return lower
		}
		return r
	}, text)
}

// Harms tells whether a text has what must come out nowhere as it is: what a terminal acts on, what turns
// the direction of what follows, halves of characters.
func Harms(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.Is(unicode.Cc, r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	})
}
