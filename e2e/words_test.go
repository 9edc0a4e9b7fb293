package e2e_test

import (
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// TestAnyNamesFit opens markets of fifty outcomes, of long names and of names from right to left: the
// chart is drawn (a page fails on exceptions), prices stay in one line, nothing is wider than the page.
func TestAnyNamesFit(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	var fifty []string
	for i := range 50 {
		fifty = append(fifty, fmt.Sprintf("Candidate number %d of the long list of names", i+1))
	}
	markets := map[string][]string{
		"fifty":  fifty,
		"long":   {"The incumbent administration of the republic", "Everybodyelsewhohasputinpapersbytheendofmarchofthisyear"},
		"hebrew": {"כן בהחלט", "לא", "אולי 50%"},
	}
	for slug, outcomes := range markets {
		_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "האם ירד גשם (ולא שלג)?", Outcomes: outcomes})
		must(t, err)
	}
	wide, narrow := s.page(t), s.phone(t)
	for slug, outcomes := range markets {
		for _, p := range []*page{wide, narrow} {
			p.openMarket(slug)
			p.untilTicket("ready")
			p.until("prices are in one line", `[...document.querySelectorAll(".board-item market-price, .outcome-button .num, .bar-button .num")]
				.every((e) => e.getClientRects().length === 0 || e.offsetHeight < 1.8 * parseFloat(getComputedStyle(e).fontSize))`)
			if dir := get[string](p, `getComputedStyle(document.querySelector("h1")).direction`); dir != "rtl" {
				t.Errorf("the question goes %s", dir)
			}
		}
		narrow.fitsWidth(slug)
		wide.goTo("/embed/" + slug)
		wide.says(".embed-board", outcomes[0])
	}
}
