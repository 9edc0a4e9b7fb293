package e2e_test

import (
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/db"
)

func TestAMarketIsMadeOnThePage(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	p := s.page(t)
	p.goTo("/")
	p.signIn("ana")
	p.click(`.nav a[href="/new"]`)
	p.until("the form is there", find("#question"))
	p.fill("#question", "Will Ana's talk be on time, at last?")
	p.until("an address is suggested", `document.querySelector("#slug").value === "will-anas-talk-be-on-time-at-last"`)
	p.fill("#slug", "Talk!")
	p.clickWords("#new-market", "Open the market")
	if get[bool](p, `document.querySelector("#slug").checkValidity()`) {
		t.Error("a slug with a capital letter and a ! is valid")
	}
	p.fill("#slug", "talk")
	p.click(`[data-outcomes="list"]`)
	p.fill("#outcomes", "on time\rlate\rnever")
	p.fill("#description", "By the clock in the hall.")
	p.fill("#liquidity", "50")
	preview, err := s.MarketPreview(t.Context(), 3, "50", "10")
	must(t, err)
	p.says("#liquidity-preview", "¤ "+string(preview.Subsidy[:5]))
	p.says("#liquidity-preview", percent(preview.PriceAfter))
	p.clickWords("#new-market", "Open the market")
	p.until("the market is open", `location.pathname === "/m/talk" && `+find(hook("ticket-submit")))
	made := s.market(t, "talk")
	if len(made.Outcomes) != 3 || made.Outcomes[2] != "never" || made.Liquidity != "50.000000" || made.CreatedBy != "ana" || made.Subsidy != preview.Subsidy {
		t.Errorf("made %+v", made)
	}

	// What the database refuses is told, and nothing that was typed is lost.
	p.goTo("/new")
	p.fill("#question", "Again?")
	p.fill("#slug", "talk")
	p.clickWords("#new-market", "Open the market")
	p.says(".form-error", "there is a market talk already")
	if got := get[string](p, `document.querySelector("#question").value`); got != "Again?" {
		t.Errorf("the question is %q now", got)
	}
	p.faults.allow("409")
	s.Verify(t)
}

func TestAMarketIsRunFromItsPage(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{around: new(lateReads).around})
	market := s.Market(t)
	holder := s.Account(t, "1000")
	s.buy(t, holder, market, "yes", "12.5")
	p, watching := s.page(t), s.page(t)
	watching.openMarket(market)
	if get[bool](watching, `!!document.querySelector("market-desk form")`) {
		t.Error("nobody is offered to run the market")
	}
	p.openMarket(market)
	p.signIn("boss")
	_, err := s.SetRole(t.Context(), "boss", db.Operator, "")
	must(t, err)
	p.reload()
	p.untilLive()

	p.untilTicket("ready") // its quote moves what stands below it
	p.click("market-desk summary")
	p.choose("#desk-move", "halt")
	p.fill("#desk-reason", "news is coming in")
	p.clickWords("market-desk", "Halt trading")
	p.says("dialog.confirm", "Nobody can trade until it is opened again.")
	p.clickWords("dialog.confirm", "Cancel")
	if got := s.market(t, market).Status; got != "open" {
		t.Fatalf("the market is %s after Cancel", got)
	}
	// What others do meanwhile changes what is offered, and takes nothing of what was typed.
	_, err = s.HaltMarket(t.Context(), market, "elsewhere")
	must(t, err)
	p.until("the offers change", `document.querySelector("#desk-move").value === "open"`)
	_, err = s.OpenMarket(t.Context(), market, "elsewhere")
	must(t, err)
	p.until("the offers change back", `document.querySelector("#desk-move").value === "halt"`)
	if got := get[string](p, find("#desk-reason")+".value"); got != "news is coming in" {
		t.Errorf("the reason is %q after the market has changed", got)
	}
	p.clickWords("market-desk", "Halt trading")
	p.clickWords("dialog.confirm", "Halt trading")
	watching.says("market-summary", "news is coming in")

	// The desk offers what is possible now, and says what resolving pays, to whom.
	p.until("it can be opened", `[...document.querySelectorAll("#desk-move option")].some((o) => o.value === "open")`)
	p.until("the reason is not kept for the next move", find("#desk-reason")+`.value === ""`)
	p.choose("#desk-move", "resolve")
	p.fill("#desk-reason", "it is so")
	p.clickWords("market-desk", "Resolve")
	p.says("dialog.confirm", "Pays ¤ 12.50 to 1 person;")
	p.press("\x1b") // Escape answers no
	p.until("the question is gone", `!document.querySelector("dialog.confirm")`)
	p.clickWords("market-desk", "Resolve")
	p.clickWords("dialog.confirm", "Resolve")
	watching.says("market-summary", "Resolved: Yes paid ¤ 1.00 a share.")
	p.until("it can be corrected only", `[...document.querySelectorAll("#desk-move option")].map((o) => o.value).join() === "correct"`)
	if got := s.market(t, market); got.Status != "resolved" || got.Payout[0] != "1.000000" {
		t.Errorf("the market is %s, pays %v", got.Status, got.Payout)
	}

	p.goTo("/audit")
	p.untilLive()
	p.says("main", "resolved")
	p.says("main", "news is coming in")
	s.Verify(t)
}

// choose picks an option, as a person's choice would.
func (p *page) choose(selector, value string) {
	p.t.Helper()
	p.until(selector+" offers "+value, fmt.Sprintf(`[...%s.options].some((o) => o.value === %s)`, find(selector), js(value)))
	p.do(fmt.Sprintf(`(() => { const s = %s; s.value = %s; s.dispatchEvent(new Event("change", { bubbles: true })); })()`, find(selector), js(value)))
}
