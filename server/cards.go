package server

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/card"
	"github.com/pgtape/pgtape/server/state"
	"github.com/pgtape/pgtape/static"
)

const (
	cardLines  = 4 // outcomes on a chart
	cardPoints = 300
	cardsKept  = 64 // pictures, of some 30 kB

	// A busy market has a new cursor with each trade: for as long, one picture does for all of them.
	cardFresh = 5 * time.Second
	cardWait  = 3 * time.Second // for others to be drawn

	cardsWaiting = 100 // requests of one address
)

// cards draws one picture at a time, by turns among those who ask, and keeps the newest of some markets.
type cards struct {
	painter *card.Painter
	turns   *fairqueue.Queue            // by address
	kept    *lru.Cache[string, picture] // by slug
}

type picture struct {
	of   string // cursor and hour
	at   time.Time
	data []byte
}

func newCards() *cards {
	kept, _ := lru.New[string, picture](cardsKept) // the error is of a size that is none
	return &cards{painter: card.NewPainter(), turns: fairqueue.New(fairqueue.Options{Each: cardsWaiting}), kept: kept}
}

// marketCard handles GET /m/{slug}/card.png: the picture that goes with a link to a market. Its ETag
// is the cursor and, since the change of the last 24 hours goes on while nothing happens, the hour.
func (s *Server) marketCard(c echo.Context) error {
	ctx := c.Request().Context()
	view, err := s.marketFrom(ctx, c.Param("slug"), 0)
	if err != nil {
		return err
	}
	p, err := s.cardOf(fairqueue.WithClient(ctx, networkOf(c)), view)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("ETag", `"`+p.of+`"`)
	h.Set("Cache-Control", "public, max-age=60")
	h.Set(echo.HeaderContentType, "image/png")
	http.ServeContent(c.Response(), c.Request(), "card.png", time.Time{}, bytes.NewReader(p.data))
	return nil
}

// cardOf finds the picture of a market, or draws it when it is its turn.
// Errors: Unavailable when too many others are waiting.
func (s *Server) cardOf(ctx context.Context, view *state.View) (picture, error) {
	m, now := &view.Market, time.Now()
	of := m.Cursor + "." + strconv.FormatInt(now.Unix()/3600, 10)
	if p, ok := s.cards.find(m.Slug, of, now); ok {
		return p, nil
	}
	wait, cancel := context.WithTimeout(ctx, cardWait)
	defer cancel()
	if err := s.cards.turns.Take(wait); err != nil {
		return picture{}, db.Errorf(db.Unavailable, "too many pictures are being drawn")
	}
	defer s.cards.turns.Give()
	if p, ok := s.cards.find(m.Slug, of, now); ok { // somebody before us has drawn it
		return p, nil
	}
	content, err := s.cardContent(ctx, m, now)
	if err != nil {
		return picture{}, err
	}
	var text bytes.Buffer
	if err := s.cards.painter.WritePNG(&text, content); err != nil {
		return picture{}, fmt.Errorf("drawing the card of %s: %w", m.Slug, err)
	}
	p := picture{of, now, text.Bytes()}
	s.cards.kept.Add(m.Slug, p)
	return p, nil
}

func (k *cards) find(slug, of string, now time.Time) (picture, bool) {
	p, ok := k.kept.Get(slug)
	return p, ok && (p.of == of || now.Sub(p.at) < cardFresh)
}

func (s *Server) cardContent(ctx context.Context, m *db.Market, now time.Time) (card.Card, error) {
	points, err := s.pricesOf(ctx, m, nil, nil, cardPoints)
	if err != nil {
		return card.Card{}, err
	}
	dayAgo := now.Add(-24 * time.Hour)
	if dayAgo.Before(m.CreatedAt) {
		dayAgo = m.CreatedAt
	}
	before, err := s.pricesOf(ctx, m, nil, &dayAgo, 2) // the last is what held then
	if err != nil {
		return card.Card{}, err
	}
	places := drawn(m, cardLines)
	content := card.Card{
		Question: s.cards.words(m.Question, m.Slug), Standing: stateWord(m, now), Facts: facts(m), From: m.CreatedAt, To: now, Top: top(m, points),
	}
	for _, i := range places {
		percent, err := static.Percent(string(m.Prices[i]))
		if err != nil {
			return card.Card{}, err
		}
		line := card.Line{Label: s.cards.words(static.Label(m.Outcomes[i]), fmt.Sprintf("Outcome %d", i+1)), Percent: percent, Colour: colourOf(m, i)}
		for _, p := range points {
			line.Steps = append(line.Steps, card.Step{At: p.At, Price: number(p.Prices[i])})
		}
		content.Lines = append(content.Lines, line)
	}
	content.Label, content.Percent = content.Lines[0].Label, content.Lines[0].Percent
	if n := len(before); n > 0 {
		content.Change, content.Falls = changeWords(before[n-1].Prices[places[0]], m.Prices[places[0]])
	}
	return content, nil
}

// words are a text as it stands, or what else names the thing if the fonts cannot write it.
func (k *cards) words(text, instead string) string {
	if k.painter.CanWrite(text) {
		return text
	}
	return instead
}

// colourOf is the place of an outcome's colour: Yes is the first, No the second, whichever comes first.
func colourOf(m *db.Market, place int) int {
	if len(m.Outcomes) == 2 && m.Outcomes[0] == "no" && m.Outcomes[1] == "yes" {
		return 1 - place
	}
	return place
}

// changeWords says how far a price went in a day, and whether down; nothing if it did not.
func changeWords(from, to db.Decimal) (words string, falls bool) {
	a, ok := new(big.Rat).SetString(string(from))
	b, alsoOK := new(big.Rat).SetString(string(to))
	if !ok || !alsoOK {
		return "", false
	}
	points := b.Sub(b, a).Mul(b, big.NewRat(100, 1))
	falls = points.Sign() < 0
	if words = points.Abs(points).FloatString(1); words == "0.0" {
		return "", false
	}
	return words + " in 24 h", falls
}

// facts says how much stands behind a price.
func facts(m *db.Market) string {
	people := " people"
	if m.Traders == 1 {
		people = " person"
	}
	return "¤ " + roundCredits(m.Volume) + " traded · " + strconv.FormatInt(m.Traders, 10) + people
}

// roundCredits shows whole credits where there are thousands of them, else two decimals.
func roundCredits(d db.Decimal) string {
	whole, _, _ := strings.Cut(string(d), ".")
	if len(whole) < 4 {
		if text, err := static.Credits(string(d)); err == nil {
			return text
		}
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole
}
