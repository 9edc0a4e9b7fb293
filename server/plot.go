package server

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/pgtape/pgtape/db"
)

// Drawings are made of floats; what is written beside them is not.

// stepPlot is a line in steps, in a box of 600 by 160 that may be stretched.
type stepPlot struct {
	Path string     `json:"path"`
	Zero *string    `json:"zero"` // height of nothing gained, where it is in the box
	Low  db.Decimal `json:"low"`
	High db.Decimal `json:"high"`
}

const plotWidth, plotHeight = 600.0, 160.0

func newStepPlot(points []db.ProfitPoint) stepPlot {
	plot := stepPlot{Low: points[0].Profit, High: points[0].Profit}
	for _, p := range points {
		if float(p.Profit) < float(plot.Low) {
			plot.Low = p.Profit
		}
		if float(p.Profit) > float(plot.High) {
			plot.High = p.Profit
		}
	}
	low, high := float(plot.Low), float(plot.High)
	span := max(high-low, 1e-6)
	height := func(value float64) string { return place((high - value) / span * plotHeight) }
	start, length := points[0].At, max(points[len(points)-1].At.Sub(points[0].At), time.Microsecond)
	var path strings.Builder
	fmt.Fprintf(&path, "M0 %s", height(float(points[0].Profit)))
	for _, p := range points[1:] {
		fmt.Fprintf(&path, "H%sV%s", place(float64(p.At.Sub(start))/float64(length)*plotWidth), height(float(p.Profit)))
	}
	plot.Path = path.String()
	if low <= 0 && high >= 0 {
		zero := height(0)
		plot.Zero = &zero
	}
	return plot
}

func float(d db.Decimal) float64 {
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		return 0
	}
	f, _ := r.Float64()
	return f
}

func place(f float64) string { return fmt.Sprintf("%.1f", f) }

// mark is one tenth in a calibration plot: how often it happened, and between which frequencies
// that may by chance lie (Wilson, 95 %).
type mark struct {
	X    string `json:"x"`
	Y    string `json:"y"`
	Low  string `json:"low"`
	High string `json:"high"`
	R    string `json:"r"`
}

// The square of a calibration plot, within its box of 350 by 320.
const squareLeft, squareTop, squareSize = 36.0, 12.0, 270.0

func newMark(price, frequency, low, high, forecasts float64) mark {
	height := func(share float64) string { return place(squareTop + (1-share)*squareSize) }
	return mark{
		X: place(squareLeft + price*squareSize), Y: height(frequency), Low: height(low), High: height(high),
		R: place(min(3+math.Sqrt(forecasts)/2, 9)),
	}
}

// wilson is the interval of 95 % for a share of n that was observed.
func wilson(share, n float64) (low, high float64) {
	const z = 1.959964
	middle := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(max(share*(1-share), 0)/n+z*z/(4*n*n))
	return max(middle-half, 0), min(middle+half, 1)
}
