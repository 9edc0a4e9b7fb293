package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"github.com/pgtape/pgtape/db"
)

func TestWithoutJavaScriptPagesAreReadable(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it <i>rain</i>?", Category: breakOut})
	must(t, err)
	_, err = s.CreateMarket(t.Context(), db.NewMarket{Slug: "which", Question: "Which?", Outcomes: []string{picture, "b", closing}})
	must(t, err)
	other := s.Account(t, "1000")
	s.buy(t, other, "rain", "yes", "10")
	s.buy(t, other, "rain", "no", "20")
	s.buy(t, other, "rain", "yes", "30")

	p := s.page(t)
	p.set(emulation.SetScriptExecutionDisabledParams{Value: true})
	p.faults.allow(`^request failed: Script +csp`) // how the browser puts that it runs none
	p.goTo("/")
	p.reads("Will it <i>rain</i>?", "Which?", percent(s.price(t, "rain", "yes")), "33.3 %", breakOut, "need JavaScript")
	links := get[[]string](p, `[...document.querySelectorAll("main a")].map((a) => a.getAttribute("href"))`)
	if !slices.Contains(links, "/m/rain") || !slices.Contains(links, "/m/which") {
		t.Errorf("the list links to %v", links)
	}

	p.goTo("/m/rain")
	p.reads(
		"Will it <i>rain</i>?", percent(s.price(t, "rain", "yes")), percent(s.price(t, "rain", "no")),
		other+" bought 10.00 Yes", other+" bought 20.00 No", other+" bought 30.00 Yes", "v4", "need JavaScript",
	)
	p.goTo("/m/which")
	p.reads("Which?", picture, "b", closing, "33.3 %")
	p.faults.allow("404")
	p.goTo("/m/none")
	p.reads("there is no market none", "All markets")
}

// reads fails for what a page without scripts does not say.
func (p *page) reads(parts ...string) {
	p.t.Helper()
	if get[bool](p, `document.documentElement.classList.contains("js")`) {
		p.t.Error("scripts have run")
	}
	text := plain(get[string](p, "document.body.innerText"))
	for _, part := range parts {
		if !strings.Contains(text, plain(part)) {
			p.t.Errorf("the page does not say %q, but %q", part, text)
		}
	}
}
