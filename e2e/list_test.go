package e2e_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pgtape/pgtape/db"
)

func TestTheListIsLiveAndStaysInOrder(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	for i, question := range []string{"Will it rain in Berlin?", "Will it snow in Berlin?", "Will the tram be late?", "Will Ana win?", "Is this the last one?"} {
		_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprintf("m%d", i), Question: question, Category: []string{"weather", "city"}[i/2%2]})
		must(t, err)
	}
	other := s.Account(t, "1000")
	p := s.page(t)
	p.goTo("/")
	p.untilLive()
	order := p.cards()
	if want := []string{"m4", "m3", "m2", "m1", "m0"}; !slices.Equal(order, want) {
		t.Errorf("the list is %v, want the newest first: %v", order, want)
	}

	// Prices change in place: no reload, no other element, no other order.
	p.do(`globalThis.sameForTest = [...document.querySelectorAll("[data-testid=market-card]")]`)
	for _, slug := range []string{"m0", "m3", "m0"} {
		s.buy(t, other, slug, "yes", "30")
		p.says(hook("market-card", "market", slug)+" [data-testid=price]", percent(s.price(t, slug, "yes")))
	}
	p.says(hook("market-card", "market", "m0"), "2 trades")
	if now := p.cards(); !slices.Equal(now, order) {
		t.Errorf("the list is %v after trades, was %v", now, order)
	}
	if !get[bool](p, `sameForTest.every((card, i) => card === document.querySelectorAll("[data-testid=market-card]")[i])`) {
		t.Error("cards were made anew by trades")
	}

	// Search.
	p.press("/")
	p.press("berlin")
	p.until("the search has found two", `document.querySelectorAll("[data-testid=market-card]").length === 2`)
	if found := p.cards(); !slices.Contains(found, "m0") || !slices.Contains(found, "m1") {
		t.Errorf("searching berlin found %v", found)
	}
	s.buy(t, other, "m1", "no", "30")
	p.says(hook("market-card", "market", "m1")+" [data-testid=price]", percent(s.price(t, "m1", "yes")))
	p.reload()
	p.untilLive()
	if found := p.cards(); len(found) != 2 || !slices.Contains(found, "m0") || !slices.Contains(found, "m1") {
		t.Errorf("the address of a search brings %v", found)
	}
	p.fill("#search", "no such thing")
	p.says("market-list", "Nothing matches")
}

func TestAMarketOpensFromTheList(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	slugs := []string{s.Market(t), s.Market(t), s.Market(t)}
	p := s.page(t)
	p.goTo("/")
	p.untilLive()
	p.click(hook("market-card", "market", slugs[0]) + " a")
	p.until("the market is open", "location.pathname === "+js("/m/"+slugs[0])+" && "+find(hook("ticket-submit")))
	p.says("h1", "Will it?")

	p.goTo("/")
	p.untilLive()
	cards := p.cards()
	p.press("jjk")
	p.press("j\r")
	p.until("the second market is open", "location.pathname === "+js("/m/"+cards[1])+" && "+find(hook("ticket-submit")))
	p.untilLive()
	p.press("s")
	p.until("the ticket sells", find(hook("ticket-side", "side", "sell"))+`.getAttribute("aria-pressed") === "true"`)
}

// cards are the markets of the list from top to bottom.
func (p *page) cards() []string {
	p.t.Helper()
	return get[[]string](p, `[...document.querySelectorAll("[data-testid=market-card]")].map((card) => card.dataset.market)`)
}
