package e2e_test

import (
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// A market, its outcomes, its category and its traders may be called what every object of JavaScript
// has from the start.
func TestWordsThatJavaScriptHasAlready(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	outcomes := []string{"__proto__", "toString", "hasOwnProperty", "constructor"}
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "constructor", Question: "Which word?", Outcomes: outcomes, Category: "valueOf"})
	must(t, err)
	_, err = s.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it rain?", Outcomes: []string{"valueOf", "no"}, Category: "constructor"})
	must(t, err)
	p := s.page(t)
	p.faults.allow(ofAnEndedSession)
	p.goTo("/?category=valueOf")
	p.untilLive()
	p.says("market-list", "Which word?")
	for i, handle := range []string{"toString", "hasOwnProperty", "constructor"} {
		p.openMarket("constructor")
		p.signIn(handle)
		for _, outcome := range []string{outcomes[i], outcomes[(i+1)%4]} {
			p.click(hook("ticket-outcome", "outcome", outcome))
			p.untilTicket("ready")
			p.click(hook("ticket-submit"))
			p.untilTicket("filled")
			made := s.lastTrade(t, handle)
			if made.Outcome != outcome {
				t.Errorf("%s bought %q, want %q", handle, made.Outcome, outcome)
			}
			p.says(hook("position", "outcome", outcome), held(made.Shares))
			p.says(hook("tape-row", "seq", fmt.Sprint(made.Version)), fmt.Sprintf("%s bought %s %s", handle, rounded(made.Shares), outcome))
		}
		p.agreesWith("constructor")
		for path, says := range map[string]string{"/": "Which word?", "/portfolio": outcomes[i], "/m/constructor/holders": handle} {
			p.goTo(path)
			p.untilLive()
			p.says("main", says)
		}
		p.clickWords("account-menu", "Sign out")
		p.until("nobody is signed in", find(hook("sign-in-handle"))+" !== null")
	}
	p.goTo("/m/rain?outcome=valueOf")
	p.untilTicket("ready")
	s.buy(t, "toString", "rain", "valueOf", "5")
	p.agreesWith("rain")
	p.says("ticker-strip", "toString bought 5.00")
	s.Verify(t)
}
