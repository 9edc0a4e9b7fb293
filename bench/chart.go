package bench

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Sizes of the chart, in SVG units.
const (
	chartWidth, chartHeight = 760, 440
	plotLeft, plotRight     = 64, 744
	plotHeight              = 140
)

// line is one series of a chart's panel.
type line struct {
	name, class string
	value       func(Point) float64
}

// Chart draws the run as an SVG that can be read on light and on dark ground: latencies over time
// above, rates below.
func (r Report) Chart(w io.Writer) error {
	var b strings.Builder
	title := fmt.Sprintf("pgtape bench %s: %d clients, %d markets, %d sockets, %s", r.Scenario, r.Clients, r.Markets, r.Sockets, r.loop())
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", chartWidth, chartHeight, html.EscapeString(title))
	b.WriteString(chartStyle)
	fmt.Fprintf(&b, `<rect class="ground" width="%d" height="%d"/>`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, `<text class="title" x="16" y="24">%s</text>`+"\n", html.EscapeString(title))
	end := interval(0).Seconds()
	if n := len(r.Series); n > 0 {
		end = r.Series[n-1].Seconds
	}
	panel{top: 64, unit: "ms", log: true, end: end}.draw(&b, r.Series, []line{
		{"HTTP p99", "a", func(p Point) float64 { return p.HTTP99 }},
		{"commit→socket p99", "b", func(p Point) float64 { return p.Socket99 }},
		{"commit→socket p50", "c", func(p Point) float64 { return p.Socket50 }},
	})
	panel{top: 258, unit: "per second", end: end, axis: true}.draw(&b, r.Series, []line{
		{"trades", "a", func(p Point) float64 { return p.Trades }},
	})
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

const chartStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #3c4450 }
.title { font-weight: 600; fill: #14181f }
.ground { fill: #ffffff }
.grid { stroke: #d9dee5; stroke-width: 1 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.a { stroke: #0b62c4 } .b { stroke: #b3401b } .c { stroke: #1d7a4c; stroke-dasharray: 5 3 }
@media (prefers-color-scheme: dark) {
text { fill: #b6c0cc } .title { fill: #f0f3f7 } .ground { fill: #14181f } .grid { stroke: #323a45 }
.a { stroke: #66aaff } .b { stroke: #ff9466 } .c { stroke: #5cc98d }
}
</style>
`

// panel is one plot of several lines.
type panel struct {
	top  float64
	unit string
	log  bool
	end  float64 // of time, seconds
	axis bool    // of time is written below
}

func (p panel) draw(b *strings.Builder, points []Point, lines []line) {
	low, high := p.span(points, lines)
	y := func(v float64) float64 {
		share := (v - low) / (high - low)
		if p.log {
			share = math.Log(max(v, low)/low) / math.Log(high/low)
		}
		return p.top + plotHeight*(1-min(max(share, 0), 1))
	}
	x := func(seconds float64) float64 { return plotLeft + (plotRight-plotLeft)*min(seconds/p.end, 1) }
	for _, tick := range p.ticks(low, high) {
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, plotRight, y(tick), y(tick), plotLeft-8, y(tick)+4, number(tick))
	}
	at := float64(plotLeft)
	for _, l := range lines {
		fmt.Fprintf(b, `<line class="line %s" x1="%.0f" x2="%.0f" y1="%.0f" y2="%.0f"/><text x="%.0f" y="%.0f">%s</text>`+"\n",
			l.class, at, at+20, p.top-14, p.top-14, at+26, p.top-10, l.name)
		at += 46 + 7.2*float64(len([]rune(l.name)))
	}
	fmt.Fprintf(b, `<text x="%d" y="%.0f" text-anchor="end">%s</text>`+"\n", plotRight, p.top-10, p.unit)
	for _, l := range lines {
		var path []string
		for _, point := range points {
			if v := l.value(point); v > 0 || !p.log {
				path = append(path, fmt.Sprintf("%.1f,%.1f", x(point.Seconds), y(v)))
			}
		}
		fmt.Fprintf(b, `<polyline class="line %s" points="%s"/>`+"\n", l.class, strings.Join(path, " "))
	}
	if !p.axis {
		return
	}
	step := nice(p.end / 6)
	for seconds := 0.0; seconds <= p.end; seconds += step {
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle">%s s</text>`+"\n", x(seconds), p.top+plotHeight+20, number(seconds))
	}
}

// span is what the panel shows: from 0, or, if it is logarithmic, whole decades.
func (p panel) span(points []Point, lines []line) (low, high float64) {
	low = math.Inf(1)
	for _, point := range points {
		for _, l := range lines {
			v := l.value(point)
			high = max(high, v)
			if v > 0 {
				low = min(low, v)
			}
		}
	}
	if !p.log {
		return 0, max(high*1.1, 1)
	}
	if high == 0 {
		return 1, 10
	}
	low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	return low, max(high, 10*low)
}

func (p panel) ticks(low, high float64) (ticks []float64) {
	if p.log {
		for tick := low; tick <= high*1.001; tick *= 10 {
			ticks = append(ticks, tick)
		}
		return ticks
	}
	for tick, step := 0.0, nice(high/4); tick <= high; tick += step {
		ticks = append(ticks, tick)
	}
	return ticks
}

// nice is a round number near v.
func nice(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 5} {
		if v <= step*decade {
			return step * decade
		}
	}
	return 10 * decade
}

func number(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.6g", v), ".0") }
