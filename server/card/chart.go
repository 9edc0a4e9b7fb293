package card

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strconv"
)

const (
	thick  = 5 // of a line
	dotted = 9 // radius of what marks its end
)

// drawChart draws the prices as steps: a price holds until the next one.
func (p *Painter) drawChart(s *sheet, c Card) {
	plot := Plot()
	if len(c.Lines) == 1 {
		c.drawArea(s, c.Lines[0])
	}
	axis := p.regular.at(22)
	for _, part := range []float64{0, 0.5, 1} {
		y := c.y(part * c.Top)
		s.rect(image.Rect(plot.Min.X, y-1, plot.Max.X, y+1), grid)
		axis.write(s, strconv.FormatFloat(part*c.Top*100, 'f', -1, 64)+" %", plot.Max.X+20, y+8, inkSoft)
	}
	for _, line := range slices.Backward(c.Lines) {
		c.drawLine(s, line)
	}
}

// drawArea tints what is below a line.
func (c Card) drawArea(s *sheet, line Line) {
	plot, tone := Plot(), Colour(line.Colour)
	tint := color.RGBA{R: pale(tone.R), G: pale(tone.G), B: pale(tone.B), A: 0xff}
	for i, step := range line.Steps {
		end := plot.Max.X
		if i+1 < len(line.Steps) {
			end = c.x(line.Steps[i+1])
		}
		s.rect(image.Rect(c.x(step), c.y(step.Price), end, plot.Max.Y), tint)
	}
}

func pale(part uint8) uint8 { return 0xff - (0xff-part)/12 }

func (c Card) drawLine(s *sheet, line Line) {
	plot, tone := Plot(), Colour(line.Colour)
	for i, step := range line.Steps {
		x, y, end := c.x(step), c.y(step.Price), plot.Max.X
		if i+1 < len(line.Steps) {
			next := line.Steps[i+1]
			end = max(x, c.x(next))
			s.rect(thickened(end, y, end, c.y(next.Price)), tone)
		}
		s.rect(thickened(x, y, end, y), tone)
	}
	if n := len(line.Steps); n > 0 {
		y := float32(c.y(line.Steps[n-1].Price))
		s.dot(float32(plot.Max.X)+0.5, y+0.5, dotted+3, paper)
		s.dot(float32(plot.Max.X)+0.5, y+0.5, dotted, tone)
	}
}

// thickened is a horizontal or vertical stroke.
func thickened(x0, y0, x1, y1 int) image.Rectangle {
	r := image.Rect(x0, y0, x1, y1)
	r.Min.X, r.Min.Y = r.Min.X-thick/2, r.Min.Y-thick/2
	r.Max.X, r.Max.Y = r.Max.X+thick/2+1, r.Max.Y+thick/2+1
	return r
}

func (c Card) x(step Step) int {
	plot := Plot()
	part := float64(step.At.Sub(c.From)) / math.Max(float64(c.To.Sub(c.From)), 1)
	return plot.Min.X + int(math.Round(min(1, max(0, part))*float64(plot.Dx())))
}

// y is where a price is; what lies beyond the scale, or is no number, at its end.
func (c Card) y(price float64) int {
	plot := Plot()
	part := price / c.Top
	if math.IsNaN(part) {
		part = 0
	}
	return plot.Max.Y - int(math.Round(min(1, max(0, part))*float64(plot.Dy())))
}

// sheet is what is drawn on. Who draws is given the RGBA itself, which is by far the fastest.
type sheet struct{ *image.RGBA }

func (s *sheet) rect(r image.Rectangle, tone color.RGBA) {
	draw.Draw(s.RGBA, r, image.NewUniform(tone), image.Point{}, draw.Src)
}
