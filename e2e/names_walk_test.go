package e2e_test

import (
	"net/url"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest/texts"
)

// namedAtRandom makes a market of random words, as many of them random as are taken.
func (s *site) namedAtRandom(t *testing.T, w *texts.Walk) db.Market {
	t.Helper()
	for range 100 {
		m, err := s.CreateMarket(t.Context(), db.NewMarket{
			Slug: w.Slug(), Question: w.Line(500), Category: w.Line(60), Description: w.Lines(5000), Outcomes: []string{w.Line(60), w.Line(60), w.Fresh(60)},
		})
		if err == nil {
			return m
		}
		if code := db.CodeOf(err); code != db.InvalidRequest && code != db.AlreadyExists {
			t.Fatal(err)
		}
	}
	t.Fatal("of a hundred markets none was taken")
	return db.Market{}
}

// TestRandomNamesInTheBrowser opens markets of random names on a phone: there is no exception and no
// word on the console (a page fails on both), nothing is wider than the page, all is text, live and loaded.
func TestRandomNamesInTheBrowser(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	w := texts.New(t, 2)
	other := s.Account(t, "100000")
	s.Exec(t, "select pgtape.set_setting('comments_per_minute', '999999')")
	p := s.phone(t)
	for range w.Rounds() {
		m := s.namedAtRandom(t, w)
		said, err := s.Comment(t.Context(), db.NewComment{Market: m.Slug, Body: w.Fresh(500), Account: other})
		must(t, err)
		p.openMarket(m.Slug)
		p.showsText("h1", m.Question)
		for _, outcome := range m.Outcomes {
			if n := get[int](p, `document.querySelectorAll(`+js(hook("price", "outcome", outcome))+`).length`); n == 0 {
				t.Errorf("no price of %+q", outcome)
			}
		}
		s.buy(t, other, m.Slug, m.Outcomes[1], "30")
		p.says(hook("tape-row", "seq", "3"), plain(m.Outcomes[1]))
		p.until("the price is live", find(hook("price", "outcome", m.Outcomes[1]))+`.innerText.replace(/\s/g, " ") === `+js(percent(s.price(t, m.Slug, m.Outcomes[1]))))
		p.fitsWidth("the market " + m.Question)
		p.hasNoForeignElement()
		p.goTo("/m/" + m.Slug + "/comments")
		p.untilLive()
		p.until("the comment is there", `document.querySelectorAll(".markdown").length > 0`)
		p.fitsWidth("the comment " + said.Body)
		p.goTo("/?q=" + url.QueryEscape(m.Question))
		p.untilLive()
		p.showsText(hook("market-card", "market", m.Slug)+" a", m.Question)
		p.fitsWidth("the list with " + m.Question)
		p.hasNoForeignElement()
	}
	p.goTo("/u/" + other)
	p.untilLoaded()
	p.fitsWidth("the profile")
	s.Verify(t)
}
