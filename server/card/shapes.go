package card

import (
	"image"
	"image/color"

	"golang.org/x/image/vector"
)

// arc is how far the handles of a curve lie along the sides, for a quarter of a circle.
const arc = 0.5523

// shape fills a path within a square or box at a place, with smooth edges.
func (s *sheet) shape(x, y, width, height int, tone color.RGBA, path func(*vector.Rasterizer)) {
	v := vector.NewRasterizer(width, height)
	path(v)
	v.Draw(s.RGBA, image.Rect(x, y, x+width, y+height), image.NewUniform(tone), image.Point{})
}

// box fills a rectangle with round corners.
func (s *sheet) box(x, y, width, height int, radius float32, tone color.RGBA) {
	s.shape(x, y, width, height, tone, func(v *vector.Rasterizer) {
		round(v, 0, 0, float32(width), float32(height), radius)
	})
}

// dot fills a circle.
func (s *sheet) dot(x, y, radius float32, tone color.RGBA) {
	left, top, size := int(x-radius)-1, int(y-radius)-1, int(2*radius)+3
	cx, cy := x-float32(left), y-float32(top)
	s.shape(left, top, size, size, tone, func(v *vector.Rasterizer) {
		round(v, cx-radius, cy-radius, cx+radius, cy+radius, radius)
	})
}

// triangle points up, or down.
func (s *sheet) triangle(x, y, size int, down bool, tone color.RGBA) {
	tip, base := float32(0), float32(size)
	if down {
		tip, base = base, tip
	}
	s.shape(x, y, size, size, tone, func(v *vector.Rasterizer) {
		v.MoveTo(float32(size)/2, tip)
		v.LineTo(float32(size), base)
		v.LineTo(0, base)
		v.ClosePath()
	})
}

func round(v *vector.Rasterizer, x0, y0, x1, y1, r float32) {
	h := r * (1 - arc)
	v.MoveTo(x0+r, y0)
	v.LineTo(x1-r, y0)
	v.CubeTo(x1-h, y0, x1, y0+h, x1, y0+r)
	v.LineTo(x1, y1-r)
	v.CubeTo(x1, y1-h, x1-h, y1, x1-r, y1)
	v.LineTo(x0+r, y1)
	v.CubeTo(x0+h, y1, x0, y1-h, x0, y1-r)
	v.LineTo(x0, y0+r)
	v.CubeTo(x0, y0+h, x0+h, y0, x0+r, y0)
	v.ClosePath()
}
