package server

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/static"
)

const (
	embedOutcomes = 4   // more have their prices on the market's page
	embedPoints   = 120 // of its line
)

// embedMarket handles GET /embed/{slug}: a card of a market for pages of other sites. It knows no
// visitor and offers nothing but a link, so there is nothing to trick a click out of anybody for.
func (s *Server) embedMarket(c echo.Context) error {
	state, status := s.embedState(c)
	return render(c, status, "embed", state)
}

// embedState is the card, or what went wrong: the frame is no place for a page of ours.
func (s *Server) embedState(c echo.Context) (state any, status int) {
	state, err := s.embedOf(c)
	if err == nil {
		return state, http.StatusOK
	}
	status, refusal := s.refusal(err, c)
	type told struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	return struct {
		Error  told   `json:"error"`
		Origin string `json:"origin"`
	}{told{http.StatusText(status), refusal.Message}, origin(c)}, status
}

type embedLine struct {
	Outcome string `json:"outcome"`
	Path    string `json:"path"`
}

func (s *Server) embedOf(c echo.Context) (any, error) {
	ctx := c.Request().Context()
	view, err := s.marketFrom(ctx, c.Param("slug"), 0)
	if err != nil {
		return nil, err
	}
	m, now := &view.Market, time.Now()
	points, err := s.pricesOf(ctx, m, nil, nil, embedPoints)
	if err != nil {
		return nil, err
	}
	state := struct {
		Market   db.Market   `json:"market"`
		Board    []string    `json:"board"` // outcomes; not "shown", which every page has
		Others   int         `json:"others,omitempty"`
		Lines    []embedLine `json:"lines"`
		Standing string      `json:"standing"`
		Closes   string      `json:"closes"`
		At       time.Time   `json:"at"`
		Origin   string      `json:"origin"`
	}{Market: *m, Standing: stateWord(m, now), At: now, Origin: origin(c)}
	for _, i := range byPrice(m) {
		state.Board = append(state.Board, m.Outcomes[i])
	}
	if most := embedOutcomes; len(state.Board) > most {
		state.Board, state.Others = state.Board[:most], len(state.Board)-most
	}
	places := drawn(m, embedOutcomes)
	low, high := sparkScale(points, places)
	frame := box{300, 60, m.CreatedAt, now}
	for _, i := range places {
		state.Lines = append(state.Lines, embedLine{m.Outcomes[i], sparkPath(points, i, frame, low, high)})
	}
	if m.ClosesAt != nil && state.Standing == "Open" {
		state.Closes = m.ClosesAt.UTC().Format("2 Jan 2006, 15:04 UTC")
	}
	return state, nil
}

// sparkScale shows the shape, but makes no mountain of a tenth of a percent.
func sparkScale(points []db.Point, places []int) (low, high float64) {
	low = 1
	for _, p := range points {
		for _, i := range places {
			low, high = min(low, number(p.Prices[i])), max(high, number(p.Prices[i]))
		}
	}
	room := max(0, 0.08-(high-low)) / 2
	return low - room, high + room
}

// box is what a line is drawn into: so wide and high, from a moment on until now.
type box struct {
	width, height float64
	from, to      time.Time
}

// sparkPath draws the steps of an outcome's price into a box, with a little room above and below.
func sparkPath(points []db.Point, outcome int, b box, low, high float64) string {
	if len(points) == 0 {
		return ""
	}
	const edge = 2
	span := max(b.to.Sub(b.from).Seconds(), 1)
	var path strings.Builder
	for i, p := range points {
		x := min(b.width, max(0, p.At.Sub(b.from).Seconds()/span*b.width))
		y := b.height - edge - (b.height-2*edge)*(number(p.Prices[outcome])-low)/(high-low)
		if i == 0 {
			fmt.Fprintf(&path, "M0 %.1f", y)
			continue
		}
		fmt.Fprintf(&path, "H%.1fV%.1f", x, y)
	}
	return path.String() + fmt.Sprintf("H%g", b.width)
}

// number is a decimal as a chart draws it.
func number(d db.Decimal) float64 {
	f, err := strconv.ParseFloat(string(d), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// byPrice is the places of the outcomes, likeliest first; of two the leading one first.
func byPrice(m *db.Market) []int {
	places := make([]int, len(m.Outcomes))
	for i := range places {
		places[i] = i
	}
	if len(places) == 2 {
		if m.Outcomes[1] == "yes" {
			slices.Reverse(places)
		}
		return places
	}
	slices.SortStableFunc(places, func(a, b int) int { return strings.Compare(string(m.Prices[b]), string(m.Prices[a])) })
	return places
}

// drawn is the places of the outcomes that a chart shows: of two one, since the other is its mirror
// image, else the likeliest.
func drawn(m *db.Market, most int) []int {
	places := byPrice(m)
	if len(places) == 2 {
		most = 1
	}
	return places[:min(most, len(places))]
}

// top is the upper end of a chart's scale: 1 for two outcomes, else what leaves the lines room.
func top(m *db.Market, points []db.Point) float64 {
	if len(m.Outcomes) == 2 {
		return 1
	}
	high := 0.1
	for _, p := range points {
		for _, price := range p.Prices {
			high = max(high, number(price))
		}
	}
	for _, end := range []float64{0.1, 0.2, 0.25, 0.5, 0.75} {
		if high*1.12 <= end {
			return end
		}
	}
	return 1
}

// stateWord says in a word or two what a market is doing.
func stateWord(m *db.Market, now time.Time) string {
	switch m.Status {
	case "open":
		if m.ClosesAt != nil && !m.ClosesAt.After(now) {
			return "Closed"
		}
	case "proposed":
		return "Resolution proposed"
	case "resolved":
		for i, pays := range m.Payout {
			if number(pays) == 1 {
				return "Resolved: " + static.Label(m.Outcomes[i])
			}
		}
	}
	return strings.ToUpper(m.Status[:1]) + m.Status[1:]
}
