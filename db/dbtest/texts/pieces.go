package texts

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Reserved are words that mean something to a language, a format or this program.
var Reserved = []string{
	"constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "prototype", "null", "undefined", "NaN", "Infinity", "true", "false", "0", "-0", "1", "10", "2", "007", "1e5", "0x1f",
	"select", "public", "pg_temp", "pg_catalog", "pgtape", "house", "default", "--", "/*", "*/", ";", "'", "''", `"`, `""`, "$$", "$1", `\`, `\N`, `\.`, `E'\x41'`, "{}", "{a,b}", "(a,b)", "NULL",
	"<script>", "</script>", "<b>", "</title>", "</textarea>", "<!--", "-->", "]]>", "<![CDATA[", "<?xml", "&amp;", "&lt", "&#0;", "&nbsp;", "javascript:", "data:text/html,x", `" onload=x `, `' style=x `, "`",
	"=1+1", "+1", "-1", "@x", "\t=", "=cmd|'/c'!A1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", "a,b", "a;b", "a\nb", "a\r\nb", "sep=;", "%2F", "%00", "%", "..", ".", "../..", "~", "con", "index.html", "a/b", `a\b`, "?", "#", "#1", "?q=1&a=b",
	"*", "!x", "!", "{x,y}", "[10,20)", "yes", "no", "Yes", "YES", "%s", "%d%n", "%!d(string=x)", "{{.}}", "{{.Account}}", "${x}", "{", "[", `{"a":1}`, `{"op":"subscribe"}`, `\u0000`, `\ud800`, "gone-x", "login:x", "card.png",
	"**b**", "_i_", "[x](y)", "[x](javascript:x)", "![x](https://a.example/b.png)", "<https://a.example>", "https://a.example/?a=1&b=2", "www.a.example", "@ana", "a@b.example", "> q", "- l", "1. l", "# h", "    code", "```", "|a|b|", "~~s~~",
	"Content-Type: x", "\r\nSet-Cookie: a=b", "event: x", "data: x", ":", "id: 1", "con\u0000", "\x1b[31m", "\x1b]0;x\x07", "\u009b31m", "\x7f",
}

// Found are texts by which a fault was found. The tests beside the walks have the right answer to each.
var Found = []string{
	strings.Repeat("\u0958", 60), strings.Repeat("\ufb2c", 500), "a" + strings.Repeat("\u0344", 8), // longer, and with more marks, in NFC
	"C\u00f3rdoba", "C\u03ccrdoba", "m\u04d1", "\u0400", "i\u0307", "\u0130", "i\u0323\u0307", // look-alikes under marks
	"\U00013441", "\U00016fe4", "a\u2800", "\u3164", // blanks
	"#1", "#01", "＝1+1", "「@ana」", "é@ana", "ππππππππ", "\u3000\u3000\u3000\u3000\u3000\u3000\u3000\u3000", "Mo\u0308belstu\u0308ck 12", "part",
}

var breaks = []string{"\n", "\r\n", "\r", "\n\n", "\u2028", "\u2029", "\u0085", "\v", "\f", "\n \t"}

// The kinds of pieces. Of the mild ones nothing is refused, but for its length, or for what it stands beside.
var (
	mild = []func(*Walk) string{letters, letters, word, emoji, rightToLeft, jamo, folds, compatible, excluded, fewMarks, spaced}
	wild = []func(*Walk) string{
		func(w *Walk) string { return pick(w, Reserved) }, anyRune, anyRune, anyRune, unassigned, private, marks, placed, bidi, spaces, word, letters, confused,
	}
)

// word is a plain one.
func word(w *Walk) string {
	return pick(w, []string{"Yes", "No", "rain", "Will it?", "Müller", "naïve", "Ελλάδα", "Да", "नमस्ते", "日本", "한국", "ไทย", "maybe 50%", "C++", "it's", "“so”", "a–b", "½", "№ 5", "€", "100 %", "a_b", "[x]", "(y)", "x/y"})
}

// letters are some of one alphabet, as Unicode 13 had them.
func letters(w *Walk) string {
	alphabet := pick(w, []string{
		"abcxyzABCXYZ", "àéîõüçñßøåæœþðłđħ", "αβγδεζηθλμνξπρστυφχψωΑΩάέίόύώ", "абвгдеёжийклмнопрстуфхцчшщыэюя", "աբգդեզէըթ", "אבגדהוזחט", "ابتثجحخدذر", "अआइईउऊ", "กขคง", "ღმნოპ", "あいうアイウ", "漢字東京", "가나다라", "ᎠᎡᎢ", "𐐀𐐁𐐨", "𝐀𝐁𝒞𝟘", "①②③", "ｆｕｌｌ", "ﾊﾝｶｸ",
	})
	runes, text := []rune(alphabet), ""
	for range 1 + w.IntN(6) {
		text += string(pick(w, runes))
	}
	return text
}

func emoji(w *Walk) string {
	return pick(w, []string{"👩\u200d🚀", "👨\u200d👩\u200d👧\u200d👦", "❤\ufe0f", "❤\ufe0e", "1\ufe0f\u20e3", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🇩🇪", "👍🏽", "🏳\ufe0f\u200d🌈", "☃", "😀😀", "葛\U000e0100"})
}

func rightToLeft(w *Walk) string {
	return pick(w, []string{"שלום", "שָׁלוֹם", "مرحبا", "می\u200cخواهم", "ﷺ", "ﷲ", "ﻻ", "ﬠ", "٣", "50% לא", "(כן)", "ܫܠܡ", "ނަން", "ߒߞߏ", "𐤀𐤁"})
}

// jamo is Hangul apart, which NFC puts together.
func jamo(w *Walk) string {
	return string(rune(0x1100+w.IntN(19))) + string(rune(0x1161+w.IntN(21))) + pick(w, []string{"", string(rune(0x11a8 + w.IntN(27)))})
}

// folds are letters whose other case is no one letter, or depends on the language.
func folds(w *Walk) string {
	return pick(w, []string{"ß", "ẞ", "STRASSE", "straße", "İstanbul", "istanbul", "ISTANBUL", "ıstanbul", "i\u0307", "ﬁn", "ﬀ", "ŉ", "ΐ", "ΰ", "ς", "σ", "Σ", "ſ", "K", "Å", "Ω", "ǰ", "ẖ", "ŀ", "ǅ", "ǆ", "Ǆ", "ᾳ", "ᾼ", "և", "ꭰ", "Ꭰ", "ᲀ", "ꙋ", "ᏸ"})
}

// compatible are characters that NFKC makes others of, of one up to eighteen.
func compatible(w *Walk) string {
	return pick(w, []string{"ﷺ", "㌀", "㎏", "½", "⑴", "㈱", "℻", "™", "²", "ₓ", "Ⅷ", "㏕", "…", "‼", "﹏", "︴", "｟", "ﾞ", "ﾟ", "ｶﾞ", "ヷ", "﹩", "＿", "〱", "ⁿ", "ª", "ⓐ", "🄰", "𝕏", "㍿", "﷼", "ﹰ", "ﺀ"})
}

// excluded are characters that NFC takes apart for good: it makes a text longer, and adds marks.
func excluded(w *Walk) string {
	text := pick(w, []string{"\u0958", "\u09dc", "\u0a33", "\u0b5c", "\u0f43", "\u0f69", "\ufb1d", "\ufb2c", "\ufb4b", "\u2adc", "\U0001d15e", "\U0001d160", "\U0001d1c0", "\u0344", "a\u0344", "\ufb2d", "\u0f73", "ཀ\u0f73", "\u1f71", "\uf900", "\u2126", "\u212b"})
	return strings.Repeat(text, 1+w.IntN(3))
}

func fewMarks(w *Walk) string { return stack(w, 1+w.IntN(8)) }
func marks(w *Walk) string    { return stack(w, 6+w.IntN(8)) }

func stack(w *Walk, n int) string {
	text := string(pick(w, []rune("aoZΩжक漢한אا1-?")))
	for range n {
		text += string(pick(w, []rune("\u0300\u0301\u0308\u0327\u0323\u0335\u0489\u05b0\u064b\u093c\u0e38\u3099\u20dd\u0345\u0331\u0307\u0488\u0653\U0001d165")))
	}
	return text
}

// spaced is a word between spaces of a kind.
func spaced(w *Walk) string { return spaces(w) + word(w) + spaces(w) }

func spaces(w *Walk) string {
	space := pick(w, []rune(" \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"))
	return strings.Repeat(string(space), 1+w.IntN(3))
}

// placed are invisible characters, in and out of their places.
func placed(w *Walk) string {
	around := []string{"", "a", "م", "क्", "❤", "👩", "1", "漢", "ᠠ", "🏴", "\u00a0"}
	invisible := []rune("\u200b\u200c\u200d\u200e\u2060\ufeff\ufe0e\ufe0f\u180b\u180e\U000e0100\U000e0041\U000e007f\u00ad\u034f\u2800\u3164\uffa0\u115f\u17b4\u2061\U0001d159\ufffc")
	return pick(w, around) + string(pick(w, invisible)) + pick(w, around)
}

func bidi(w *Walk) string {
	return string(pick(w, []rune("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u061c\u200e\u200f"))) + word(w) + pick(w, []string{"", "\u202c", "\u2069"})
}

var categories = slices.Sorted(maps.Keys(unicode.Categories))

// anyRune is one of any category, each as likely, however few it has.
func anyRune(w *Walk) string {
	return string(of(w, unicode.Categories[pick(w, categories)]))
}

// of draws a rune of a table: a range of it, and then one of the range.
func of(w *Walk, table *unicode.RangeTable) rune {
	i := w.IntN(len(table.R16) + len(table.R32))
	if i < len(table.R16) {
		r := table.R16[i]
		return rune(r.Lo) + rune(w.IntN(int((r.Hi-r.Lo)/r.Stride)+1))*rune(r.Stride)
	}
	r := table.R32[i-len(table.R16)]
	return rune(r.Lo) + rune(w.IntN(int((r.Hi-r.Lo)/r.Stride)+1))*rune(r.Stride)
}

func unassigned(w *Walk) string {
	return pick(w, []string{"\u0378", "\uffff", "\ufffe", "\ufdd0", "\U0001fffe", "\U0010ffff", "\u2fe0", "\U000e01f0", "\ufff0", "\ufffd"})
}

func private(w *Walk) string {
	return pick(w, []string{"\ue000", "\uf8ff", "\U000f0000", "\U0010fffd"})
}

func confused(w *Walk) string { return Confuse(w, word(w)) }
