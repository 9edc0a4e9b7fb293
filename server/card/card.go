// Package card draws a market as the picture that goes with a link to it. It knows pixels and words,
// no markets.
//
// card.go says what is on a card and where, text.go sets its words, chart.go its lines.
package card

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"time"
)

// The size that sites ask for which show such pictures.
const (
	Width  = 1200
	Height = 630
)

const (
	margin = 64
	column = 400 // right end of what stands beside the chart

	questionWidth = Width - 2*margin
	questionTop   = 134
	questionLines = 3
)

// Plot is where the lines are: a price of 0 at its lower end, of Top at its upper one.
func Plot() image.Rectangle { return image.Rect(440, 326, 1056, 526) }

// Card is what a card says. Any text may be in it: what the fonts have no letter for is left out, so
// who makes one asks CanWrite first.
type Card struct {
	Question string
	Standing string // such as Open
	Label    string // of the leading outcome, whose
	Percent  string // this is
	Change   string // of it, without a sign; empty: none
	Falls    bool   // the direction of the change
	Facts    string
	From, To time.Time // the chart's
	Top      float64
	Lines    []Line // the leading outcome first; at most four
}

// Line is an outcome on the chart.
type Line struct {
	Label   string // in the legend, which there is for more than one line
	Percent string
	Colour  int
	Steps   []Step // in the order of time
}

// Step is a price from a moment on.
type Step struct {
	At    time.Time
	Price float64
}

// Painter draws cards, several at once if need be.
type Painter struct{ regular, bold typeface }

// NewPainter reads the fonts.
func NewPainter() *Painter { return &Painter{regular: goRegular(), bold: goBold()} }

// WritePNG draws a card.
func (p *Painter) WritePNG(w io.Writer, c Card) error {
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, p.Draw(c))
}

// Draw draws a card.
func (p *Painter) Draw(c Card) *image.RGBA {
	s := &sheet{RGBA: image.NewRGBA(image.Rect(0, 0, Width, Height))}
	s.rect(s.Bounds(), paper)
	p.drawHead(s, c)
	p.drawQuestion(s, c.Question)
	p.drawPrice(s, c)
	p.drawChart(s, c)
	p.drawFoot(s, c)
	return s.RGBA
}

func (p *Painter) drawHead(s *sheet, c Card) {
	drawMark(s, margin, 56)
	p.bold.at(34).write(s, "pgtape", margin+56, 92, ink)
	words := p.regular.at(26)
	standing := words.cut(c.Standing, 600)
	width := words.width(standing)
	s.box(Width-margin-width-36, 56, width+36, 46, 10, sunk)
	words.write(s, standing, Width-margin-width-18, 88, inkSoft)
}

// drawMark draws the brand's mark: steps that end in a dot.
func drawMark(s *sheet, x, y int) {
	const thick = 5
	for _, r := range []image.Rectangle{
		image.Rect(0, 30, 15, 30+thick), image.Rect(10, 20, 15, 30+thick), image.Rect(10, 20, 27, 20+thick),
		image.Rect(22, 10, 27, 20+thick), image.Rect(22, 10, 36, 10+thick),
	} {
		s.rect(r.Add(image.Pt(x, y)), ink)
	}
	s.dot(float32(x+38), float32(y)+12.5, 7, accent)
}

// drawQuestion sets a short question large, and a long one smaller.
func (p *Painter) drawQuestion(s *sheet, question string) {
	face, height := p.bold.at(58), 70
	lines := face.wrap(question, questionWidth, questionLines)
	if len(lines) > 2 {
		face, height = p.bold.at(46), 57
		lines = face.wrap(question, questionWidth, questionLines)
	}
	for i, line := range lines {
		face.write(s, line, margin, questionTop+(i+1)*height-height/4, ink)
	}
}

func (p *Painter) drawPrice(s *sheet, c Card) {
	tone := ink
	if len(c.Lines) > 0 {
		tone = Colour(c.Lines[0].Colour)
	}
	label := p.bold.at(32)
	label.write(s, label.cut(c.Label, column-margin), margin, 362, tone)
	number := p.bold.at(100)
	number.write(s, number.cut(c.Percent, column-margin+20), margin-4, 458, tone)
	if c.Change == "" {
		return
	}
	s.triangle(margin, 486, 24, c.Falls, inkSoft)
	words := p.regular.at(28)
	words.write(s, words.cut(c.Change, column-margin-36), margin+36, 508, inkSoft)
}

// drawFoot writes the facts and, of several lines, which is which.
func (p *Painter) drawFoot(s *sheet, c Card) {
	const baseline = 578
	words := p.regular.at(26)
	if len(c.Lines) < 2 {
		words.write(s, words.cut(c.Facts, questionWidth), margin, baseline, inkSoft)
		return
	}
	words.write(s, words.cut(c.Facts, column-margin), margin, baseline, inkSoft)
	wide, high := (Width-margin-Plot().Min.X)/2, 36
	for i, line := range c.Lines {
		x, y := Plot().Min.X+i%2*wide, baseline-10+i/2*high
		percent := " " + line.Percent
		label := words.cut(line.Label, wide-56-words.width(percent))
		s.box(x, y-17, 16, 16, 4, Colour(line.Colour))
		words.write(s, words.cut(label+percent, wide-56), x+28, y, inkSoft)
	}
}

// Colour is that of a place among a market's outcomes, as pages have it in the light theme.
func Colour(place int) color.RGBA {
	colours := [...]color.RGBA{
		rgb(0x1f5fd0), rgb(0xab4800), rgb(0x007a63), rgb(0x9c3d8a), rgb(0x6f6400), rgb(0x0a6a8f), rgb(0xbb2f57), rgb(0x59606c),
	}
	return colours[((place%len(colours))+len(colours))%len(colours)]
}

var (
	paper   = rgb(0xffffff)
	sunk    = rgb(0xf1f1ef)
	grid    = rgb(0xe1e1dd)
	ink     = rgb(0x17191e)
	inkSoft = rgb(0x4c525d)
	accent  = rgb(0x5b47d6)
)

func rgb(hex uint32) color.RGBA {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff}
}
