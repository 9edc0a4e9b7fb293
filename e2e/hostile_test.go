package e2e_test

import (
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// What people type who try to get a script onto a page. Each would be seen as a fault, by the
// script's dialog, by the content policy, or by the request for the picture.
const (
	picture  = `<img src=x onerror=alert(1)>`
	breakOut = `"'><script>alert(2)</script>`
	closing  = `</script></title><script>alert(3)</script>`
	template = `{{.account}} ${alert(4)} <!-- <script> &lt;b&gt;`
)

var hostile = db.NewMarket{
	Slug: "hostile", Question: picture + breakOut + closing + template, Description: closing + picture, Category: breakOut,
	Outcomes: []string{picture, breakOut, closing},
}

// openHostile is a site with a market whose every word is markup, and somebody who trades on it.
func openHostile(t *testing.T) (s *site, other string) {
	t.Helper()
	s = open(t, siteOptions{})
	_, err := s.CreateMarket(t.Context(), hostile)
	must(t, err)
	_, err = s.CreateMarket(t.Context(), db.NewMarket{Slug: "calm", Question: "Is it calm?", Category: "calm"})
	must(t, err)
	other = s.Account(t, "1000")
	s.buy(t, other, "hostile", breakOut, "3")
	return s, other
}

func TestMarkupIsTextOnTheList(t *testing.T) {
	t.Parallel()
	s, other := openHostile(t)
	p := s.page(t)
	p.goTo("/")
	p.untilLive()
	card := hook("market-card", "market", "hostile")
	p.showsText(card+" a", hostile.Question)
	p.says(card, hostile.Category)
	s.buy(t, other, "hostile", picture, "50")
	p.says(".ticker", picture)
	p.fill("#search", picture)
	p.until("the search has found it", `document.querySelectorAll("[data-testid=market-card]").length === 1`)
	p.fill("#search", "no "+closing)
	p.says("market-list", "Nothing matches")
	p.hasNoForeignElement()

	// In addresses, too.
	p.faults.allow("404")
	for _, path := range []string{
		`/?q=%22%3E%3Cscript%3Ealert(5)%3C/script%3E`, `/?category=%3Cimg%20src=x%20onerror=alert(6)%3E`,
		`/m/%3Cimg%20src=x%20onerror=alert(7)%3E`, `/m/hostile?outcome=%3Cscript%3E#%3Cscript%3E`,
	} {
		p.goTo(path)
		p.until("the page runs", find(hook("sign-in-button"))+" !== null")
		p.hasNoForeignElement()
	}
}

func TestMarkupIsTextOnAMarket(t *testing.T) {
	t.Parallel()
	s, other := openHostile(t)
	p := s.page(t)
	p.openMarket("hostile")
	p.showsText("h1", hostile.Question)
	if title := plain(get[string](p, "document.title")); title != plain(hostile.Question+" · pgtape") {
		t.Errorf("the title is %q", title)
	}
	for _, outcome := range hostile.Outcomes {
		p.showsText(hook("ticket-outcome", "outcome", outcome)+" span", outcome)
		p.says(hook("price", "outcome", outcome), percent(s.price(t, "hostile", outcome)))
	}
	p.says(hook("tape-row", "seq", "2"), breakOut)
	s.buy(t, other, "hostile", closing, "20")
	p.says(hook("tape-row", "seq", "3"), closing)
	p.clickWords("market-tabs", "Rules")
	p.says("market-rules", hostile.Description)
	p.clickWords("market-tabs", "Tape")

	// An operator's name and reason, on the tape and above it, live and drawn by the server.
	halt := fmt.Sprintf("Trading halted by login:%s — %s", picture, breakOut+closing)
	p.faults.allow("answer 409: .*/quote", "status of 409 .*/quote") // one may be under way
	s.haltAs(t, picture, "hostile", breakOut+closing)
	p.says("market-summary", halt)
	p.says(hook("tape-row", "seq", "4"), halt)
	p.hasNoForeignElement()
	p.reload()
	p.untilLive()
	p.says("market-summary", halt)
	p.hasNoForeignElement()
}

func TestMarkupIsTextInTheTicket(t *testing.T) {
	t.Parallel()
	s, _ := openHostile(t)
	p := s.page(t)
	p.openMarket("hostile")
	p.faults.allow("400")
	p.fill(hook("sign-in-handle"), picture)
	p.click(hook("sign-in-button"))
	p.says(".sign-in-error", "a handle has")
	p.signIn("ana")
	p.click(hook("ticket-outcome", "outcome", picture))
	p.untilTicket("ready")
	p.says(hook("ticket-submit"), picture)
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	p.says(hook("ticket-receipt"), picture)
	p.says(hook("position", "outcome", picture), picture)
	p.hasNoForeignElement()
	s.Verify(t)
}

// hasNoForeignElement fails for elements that no page of ours has.
func (p *page) hasNoForeignElement() {
	p.t.Helper()
	if found := get[[]string](p, `[...document.querySelectorAll("script:not([src]):not([type='application/json']), img, iframe, object")].map((e) => e.outerHTML)`); len(found) > 0 {
		p.t.Errorf("the page has %q", found)
	}
}

// haltAs halts a market as an operator whose SQL login has this name.
func (s *site) haltAs(t *testing.T, login, market, reason string) {
	t.Helper()
	conn, err := s.Pool().Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	name := `"` + login + `"`
	for _, statement := range []string{"create role " + name + " login in role pgtape_operator", "set session authorization " + name} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
	_, err = conn.Exec(t.Context(), "select pgtape.halt_market($1, $2)", market, reason)
	for _, statement := range []string{"reset session authorization", "drop role " + name} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Error(err)
		}
	}
	must(t, err)
}

// showsText compares the whole text of an element, spaces made plain.
func (p *page) showsText(selector, text string) {
	p.t.Helper()
	p.until("there is "+selector, find(selector)+" !== null")
	if got := p.text(selector); got != plain(text) {
		p.t.Errorf("%s says %q, want %q", selector, got, plain(text))
	}
}
