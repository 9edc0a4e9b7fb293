package card

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// rain is a card whose price went from a half to 0.7, and then to 0.3.
func rain() Card {
	return Card{
		Question: "Will it rain in Berlin tomorrow?", Standing: "Open", Label: "Yes", Percent: "30.0 %", Change: "20.0 in 24 h", Falls: true,
		Facts: "¤ 1,240 traded · 38 people", From: start, To: start.Add(4 * time.Hour), Top: 1,
		Lines: []Line{{Label: "Yes", Steps: []Step{{start, 0.5}, {start.Add(time.Hour), 0.7}, {start.Add(2 * time.Hour), 0.3}}}},
	}
}

// drawn is a card as who loads it sees it; with PGTAPE_TEST_CARDS set to a folder it is kept there.
func drawn(t *testing.T, name string, c Card) image.Image {
	t.Helper()
	var text bytes.Buffer
	if err := NewPainter().WritePNG(&text, c); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("PGTAPE_TEST_CARDS"); dir != "" {
		if err := os.WriteFile(dir+"/"+name+".png", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	picture, err := png.Decode(&text)
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size != image.Pt(1200, 630) {
		t.Fatalf("the card is %v", size)
	}
	return picture
}

func same(a, b color.Color) bool {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	return ar == br && ag == bg && ab == bb
}

// has tells whether a colour is anywhere within a rectangle.
func has(picture image.Image, r image.Rectangle, tone color.Color) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if same(picture.At(x, y), tone) {
				return true
			}
		}
	}
	return false
}

func TestTheLineIsWhereThePricesAre(t *testing.T) {
	t.Parallel()
	picture, plot := drawn(t, "rain", rain()), Plot()
	for _, tt := range []struct {
		hour  float64
		price float64
	}{{0.5, 0.5}, {1.5, 0.7}, {1, 0.6}, {2.5, 0.3}, {3.9, 0.3}, {2, 0.5}} {
		x := plot.Min.X + int(math.Round(tt.hour/4*float64(plot.Dx())))
		y := plot.Max.Y - int(math.Round(tt.price*float64(plot.Dy())))
		if !same(picture.At(x, y), Colour(0)) {
			t.Errorf("after %v hours the price was %v, but the picture has %v there", tt.hour, tt.price, picture.At(x, y))
		}
	}
	// And nowhere else: above it in the first half, below it at the end.
	for _, r := range []image.Rectangle{
		image.Rect(plot.Min.X+3, plot.Min.Y, plot.Max.X-20, plot.Max.Y-plot.Dy()*7/10-4),
		image.Rect(plot.Min.X+3, plot.Max.Y-plot.Dy()/2+4, plot.Min.X+plot.Dx()/2-4, plot.Max.Y),
	} {
		if has(picture, r, Colour(0)) {
			t.Errorf("there is a line in %v", r)
		}
	}
}

func TestTheTriangleShowsTheDirection(t *testing.T) {
	t.Parallel()
	left := image.Rect(margin, 486, margin+6, 510)
	width := func(picture image.Image, y int) (n int) {
		for x := left.Min.X; x < left.Min.X+24; x++ {
			if !same(picture.At(x, y), paper) {
				n++
			}
		}
		return n
	}
	falling, rising, still := rain(), rain(), rain()
	rising.Falls, still.Change = false, ""
	if p := drawn(t, "falling", falling); width(p, 488) <= width(p, 506) {
		t.Error("a fall does not point down")
	}
	if p := drawn(t, "rising", rising); width(p, 488) >= width(p, 506) {
		t.Error("a rise does not point up")
	}
	if p := drawn(t, "still", still); width(p, 488)+width(p, 506) > 0 {
		t.Error("what did not change points somewhere")
	}
}

func TestEachOfSeveralOutcomesHasItsColour(t *testing.T) {
	t.Parallel()
	c := rain()
	c.Top = 0.5
	c.Lines = nil
	for i, price := range []float64{0.4, 0.3, 0.2, 0.1} {
		c.Lines = append(c.Lines, Line{Label: strings.Repeat("a long name ", i+1), Percent: "10.0 %", Colour: i, Steps: []Step{{start, price}}})
	}
	picture, plot := drawn(t, "several", c), Plot()
	for i, price := range []float64{0.4, 0.3, 0.2, 0.1} {
		y := plot.Max.Y - int(math.Round(price/0.5*float64(plot.Dy())))
		if !same(picture.At(plot.Min.X+plot.Dx()/3, y), Colour(i)) {
			t.Errorf("the line of outcome %d is not at %v", i, price)
		}
		if !has(picture, image.Rect(plot.Min.X, 540, Width, 610), Colour(i)) {
			t.Errorf("the legend lacks outcome %d", i)
		}
	}
}

func TestAnyWordsMakeACard(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{
		"nothing":          "",
		"spaces":           " \t\n ",
		"endless word":     strings.Repeat("W", 500),
		"many words":       strings.Repeat("and so on ", 50),
		"other scripts":    "明日ベルリンで雨が降りますか？ هل ستمطر غدا؟ גשם 🌧️👩‍👩‍👧‍👦",
		"marks":            "Z" + strings.Repeat("\u0301\u0489", 400),
		"controls":         "a\x00\x01\x1b[31mb\u202ec\u2066d\ufeff",
		"broken":           "a\xff\xfe\xc3(b",
		"ends of Unicode":  "\U0010FFFF\uFFFE\uFFFF\uE000",
		"half a surrogate": string([]byte{0xed, 0xa0, 0x80}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := rain()
			c.Question, c.Standing, c.Label, c.Percent, c.Change, c.Facts = words, words, words, words, words, words
			c.Lines = append(c.Lines, Line{Label: words, Percent: words}, Line{Label: words, Percent: words, Colour: -1})
			picture := drawn(t, strings.ReplaceAll(name, " ", "-"), c)
			// What is too long stops before the margins.
			for _, r := range []image.Rectangle{image.Rect(0, 0, margin-10, Height), image.Rect(Width-margin+16, 0, Width, Height)} {
				for x := r.Min.X; x < r.Max.X; x++ {
					for y := range Height {
						if !same(picture.At(x, y), paper) {
							t.Fatalf("something sticks out at %d, %d", x, y)
						}
					}
				}
			}
		})
	}
}

func TestAnyNumbersMakeAChart(t *testing.T) {
	t.Parallel()
	for _, c := range []Card{
		{},
		{Lines: []Line{{}}},
		{Top: 1, From: start, To: start, Lines: []Line{{Steps: []Step{{start, math.NaN()}, {start.Add(-time.Hour), math.Inf(1)}, {start, -5}}}}},
		{Top: math.NaN(), From: start, To: start.Add(-time.Hour), Lines: []Line{{Steps: []Step{{start, 0.5}}}}},
	} {
		drawn(t, "numbers", c)
	}
}

func TestWhatTheFontLacksIsLeftOut(t *testing.T) {
	t.Parallel()
	l := goRegular().at(30)
	for text, want := range map[string]string{
		"Will it?": "Will it?", "雨 a": " a", "é": "é", "e\u0301": "e", "62.2\u202f%": "62.2 %", "a\x00b": "a b", "🌧️": "", "\uFFFD": "\uFFFD",
	} {
		if got := l.clean(text); got != want {
			t.Errorf("clean(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]bool{
		"Will it rain?": true, "Wird Müller Präsident?": true, "Станет ли он президентом?": true, "Ποιος κερδίζει;": true, "rain 🌧️": true,
		"明日は雨?": false, "האם ירד גשם": false, "هل ستمطر": false, "🌧️🌧️": false, "": false, "rain 雨": false, "तेज़": false, "ฝน": false,
	} {
		if got := NewPainter().CanWrite(text); got != want {
			t.Errorf("CanWrite(%q) = %v, want %v", text, got, want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	for _, seed := range []string{"", "Will it rain?", strings.Repeat("W", 300), "雨 🌧️ a\u0301", "a\xffb", strings.Repeat("and so on ", 40)} {
		f.Add(seed, 300, 3)
	}
	f.Fuzz(func(t *testing.T, text string, width, most int) {
		width, most = 60+(width%1000+1000)%1000, 1+(most%5+5)%5
		l := goBold().at(40)
		lines := l.wrap(text, width, most)
		if len(lines) > most {
			t.Errorf("%d lines, want at most %d", len(lines), most)
		}
		whole := true
		for _, line := range lines {
			if l.width(line) > width {
				t.Errorf("%q is wider than %d", line, width)
			}
			whole = whole && !strings.HasSuffix(line, ellipsis)
		}
		if kept := strings.Join(lines, ""); whole && strings.Join(strings.Fields(kept), "") != strings.Join(strings.Fields(l.clean(text)), "") {
			t.Errorf("%q became %q", text, lines)
		}
	})
}

func BenchmarkCard(b *testing.B) {
	p, c := NewPainter(), rain()
	c.Question = strings.Repeat("and so on ", 50)
	for b.Loop() {
		if err := p.WritePNG(&bytes.Buffer{}, c); err != nil {
			b.Fatal(err)
		}
	}
}
