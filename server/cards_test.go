package server_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/card"
)

func picture(t *testing.T, got answer) image.Image {
	t.Helper()
	p, err := png.Decode(bytes.NewReader(got.body))
	if err != nil || got.status != http.StatusOK || got.header.Get("Content-Type") != "image/png" {
		t.Fatalf("no picture: %v, %d %v", err, got.status, got.header)
	}
	if p.Bounds().Size() != image.Pt(1200, 630) {
		t.Fatalf("the picture is %v", p.Bounds())
	}
	return p
}

func TestACardShowsThePrice(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.follow(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	for range 3 {
		ana.trade(t, market, buyTen)
	}
	m, err := s.DB.DB.Market(t.Context(), market)
	must(t, err)
	s.nobody().get(t, "/api/v1/markets/"+market+"?min_version="+strconv.FormatInt(m.Version, 10)) // has come to this node
	price, err := strconv.ParseFloat(string(m.Prices[0]), 64)
	must(t, err)

	got := s.nobody().get(t, "/m/"+market+"/card.png")
	plot := card.Plot()
	y := plot.Max.Y - int(math.Round(price*float64(plot.Dy())))
	if at := picture(t, got).At(plot.Max.X, y); at != card.Colour(0) {
		t.Errorf("the price is %v, but at its place the picture is %v", price, at)
	}
	etag := got.header.Get("ETag")
	if !strings.HasPrefix(etag, `"`+m.Cursor+".") || !strings.Contains(got.header.Get("Cache-Control"), "max-age=60") {
		t.Errorf("headers: %v", got.header)
	}
	if again := s.nobody().get(t, "/m/"+market+"/card.png", "If-None-Match", etag); again.status != http.StatusNotModified || len(again.body) > 0 {
		t.Errorf("again: %d, %d bytes", again.status, len(again.body))
	}
	if got := s.nobody().get(t, "/m/nosuch/card.png"); got.code() != db.NotFound {
		t.Errorf("of no market: %s", got)
	}
}

func TestAnyMarketHasACard(t *testing.T) {
	t.Parallel()
	s := open(t)
	hostile := "</text> \x01\x1b[31m \u202e\uFFFF 雨が降りますか 🌧️ " + strings.Repeat("W", 400)
	many := make([]string, 50)
	for i := range many {
		many[i] = strings.Repeat("o", 55) + strconv.Itoa(i)
	}
	for _, m := range []db.NewMarket{
		{Slug: "hostile", Question: hostile, Outcomes: []string{"no", "yes"}},
		{Slug: "many", Question: "Which?", Outcomes: many},
		{Slug: "three", Question: "Which of three?", Outcomes: []string{"a", "雨", "c"}, Draft: true},
	} {
		question := m.Question
		m.Question = "Will it?"
		_, err := s.CreateMarket(t.Context(), m)
		must(t, err)
		s.Exec(t, "update pgtape_core.market set question = $2 where slug = $1", m.Slug, question) // as earlier versions took them
		picture(t, s.nobody().get(t, "/m/"+m.Slug+"/card.png"))
	}
	_, err := s.ResolveMarket(t.Context(), "hostile", []db.Decimal{"0", "1"}, "why")
	must(t, err)
	_, err = s.VoidMarket(t.Context(), "many", "why")
	must(t, err)
	picture(t, s.nobody().get(t, "/m/hostile/card.png"))
	picture(t, s.nobody().get(t, "/m/many/card.png"))
}

func TestManyWhoAskGetOnePicture(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	answers := make([]answer, 40)
	var asking sync.WaitGroup
	for i := range answers {
		asking.Go(func() { answers[i] = s.nobody().get(t, "/m/"+market+"/card.png") })
	}
	asking.Wait()
	for _, got := range answers {
		if got.status != http.StatusOK || !bytes.Equal(got.body, answers[0].body) {
			t.Errorf("another picture: %d, %d bytes", got.status, len(got.body))
		}
	}
}
