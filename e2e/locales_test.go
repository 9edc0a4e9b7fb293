package e2e_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"github.com/pgtape/pgtape/db"
)

// localeCase is how somebody writes numbers.
type localeCase struct {
	locale  string
	quarter string            // of 4.5 shares, as the page types it
	example string            // what an error shows
	reads   map[string]string // what is typed, and what it is
	refuses []string
	tooMany string // more than 4.5 shares
}

var localeCases = []localeCase{
	{
		"en-US", "1.125", "1,234.5",
		map[string]string{"0.125": "0.125", "1,000": "1000", ".5": "0.5"},
		[]string{"0,500", "1..5", "10.5.0", "1,5"},
		"4.51",
	},
	{
		"de-DE", "1,125", "1.234,5",
		map[string]string{"0,125": "0.125", "1.000": "1000", "2,5": "2.5"},
		[]string{"0.125", "0.500", "1..5", "10.5.0", "1.5"},
		"4,51",
	},
	{
		"de-CH", "1.125", "234.5", // some group by ', some by ’
		map[string]string{"0.125": "0.125", "1'000": "1000", "1’234.5": "1234.5"},
		[]string{"0'500", "1..5", "1,5"},
		"4.51",
	},
	{
		"en-IN", "1.125", "1,234.5",
		map[string]string{"0.125": "0.125", "1,00,000": "100000", "12,34,567.5": "1234567.5"},
		[]string{"0,500", "1..5", "1,0,000"},
		"4.51",
	},
	{
		"fr-FR", "1,125", "1 234,5",
		map[string]string{"0,125": "0.125", "1\u202f234,5": "1234.5", "1 000": "1000"},
		[]string{"0\u202f500", "1..5", "1.5"},
		"4,51",
	},
}

// TestNumbersAreReadAsTheLocaleWritesThem types amounts in five locales: what the page fills in is
// read as it was meant, what could be two numbers is refused, and all that is held can be sold.
func TestNumbersAreReadAsTheLocaleWritesThem(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	for _, c := range localeCases {
		t.Run(c.locale, func(t *testing.T) {
			t.Parallel()
			market, p := s.Market(t), s.page(t)
			p.set(emulation.SetLocaleOverrideParams{}) // takes back the one that pages start with
			p.set(emulation.SetLocaleOverrideParams{Locale: c.locale})
			p.openMarket(market)
			who := "p" + c.locale
			p.signIn(who)
			p.untilTicket("ready")
			s.buy(t, who, market, "yes", "4.5")
			p.until("the shares are there", find(hook("position", "outcome", "yes"))+" !== null")

			for _, typed := range c.refuses {
				p.types(typed)
				p.untilTicket("idle")
				p.says("#ticket-amount-error", c.example)
			}
			p.click(hook("ticket-side", "side", "buy"))
			for typed, want := range c.reads {
				p.types(typed)
				p.asks(want)
			}
			p.click(hook("ticket-side", "side", "sell"))
			p.clickWords("trade-ticket", "25 %")
			p.until("a quarter is typed", find(hook("ticket-amount"))+".value === "+js(c.quarter))
			p.asks("1.125")
			p.untilTicket("ready")

			p.types(c.tooMany)
			p.says("#ticket-amount-error", "You hold 4")
			p.clickWords("trade-ticket", "Sell all")
			p.asks("4.5")
			p.untilTicket("ready")
			p.click(hook("ticket-submit"))
			p.untilTicket("filled")
			if sold := s.lastTrade(t, who); sold.Side != "sell" || sold.Shares != "4.500000" {
				t.Errorf("sold %+v, want all of 4.5", sold)
			}
		})
	}
}

// types replaces the amount, in one go: keyboards of the world have other keys.
func (p *page) types(amount string) {
	p.t.Helper()
	p.do(fmt.Sprintf(`((field) => { field.value = %s; field.dispatchEvent(new Event("input", { bubbles: true })); })(%s)`, js(amount), find(hook("ticket-amount"))))
}

// asks waits until the ticket has an amount.
func (p *page) asks(amount string) {
	p.t.Helper()
	p.until("the amount is "+amount, `document.querySelector("trade-ticket").model.form.amount === `+js(amount))
}

func TestOtherFieldsReadNumbersAsTheTicketDoes(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	p := s.page(t)
	p.set(emulation.SetLocaleOverrideParams{})
	p.set(emulation.SetLocaleOverrideParams{Locale: "de-DE"})
	p.goTo("/")
	p.signIn("ana")
	p.goTo("/new")
	p.fill("#question", "Wird es regnen")
	p.fill("#liquidity", "2.5")
	p.until("2.5 is refused", find("#liquidity")+`.validationMessage.includes("1.234,5")`)
	p.do(`document.querySelector("#liquidity-slider").value = 1; document.querySelector("#liquidity-slider").dispatchEvent(new Event("input", { bubbles: true }))`)
	p.until("the slider types as the locale writes", find("#liquidity")+`.value === "1,1" && `+find("#liquidity")+`.validity.valid`)
	p.fill("#liquidity", "2,5")
	p.says("[data-preview=subsidy]", "1,73")
	p.clickWords("#new-market", "Open the market")
	p.until("the market is open", `location.pathname.startsWith("/m/") && `+find(hook("ticket-submit")))
	p.untilLive()
	if got := value[db.Decimal](t, s, "select liquidity::text from pgtape.markets"); number(got) != 2.5 {
		t.Errorf("the liquidity is %s, want 2.5", got)
	}

	// What shares pay, in parts.
	p.click("market-desk summary")
	p.do(`document.querySelector("#desk-move").value = "close"; document.querySelector("#desk-move").dispatchEvent(new Event("change"))`)
	p.fill("#desk-reason", "over")
	p.clickWords("market-desk", "Close trading")
	p.clickWords("dialog", "Close trading")
	p.until("it is closed", `document.querySelector("#desk-move")?.value === "propose"`)
	p.do(`document.querySelector("#desk-payout").value = "shared"; document.querySelector("#desk-payout").dispatchEvent(new Event("change"))`)
	p.fill(`[data-part="0"]`, "0.370")
	p.fill(`[data-part="1"]`, "0,63")
	p.fill("#desk-reason", "a scale")
	p.clickWords("market-desk .form", "Propose")
	p.says("market-desk .form-error", "1.234,5")
	p.fill(`[data-part="0"]`, "0,37")
	p.clickWords("market-desk .form", "Propose")
	p.clickWords("dialog", "Propose")
	p.says("market-summary", "proposed")
	if got := value[string](t, s, "select proposal::text from pgtape.markets"); got != "{0.370000,0.630000}" {
		t.Errorf("proposed %s", got)
	}
}

// TestThePageValuesAHoldingAsASaleDoes: prices as they are shown cannot tell.
func TestThePageValuesAHoldingAsASaleDoes(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	p := s.page(t)
	one, two := s.Market(t), s.Market(t)
	p.openMarket(one)
	p.signIn("ana")
	if _, err := s.GrantCredits(t.Context(), "ana", "10000", "for tests"); err != nil {
		t.Fatal(err)
	}
	s.buy(t, "ana", one, "yes", "3000")
	s.buy(t, "ana", two, "yes", "200")
	s.buy(t, "ana", two, "no", "200")
	p.says(hook("position-value"), "2,930.69")
	p.says("market-position", "Gain ¤ 0.00")
	p.click(hook("ticket-side", "side", "sell"))
	p.clickWords("trade-ticket", "Sell all")
	p.says(hook("ticket-submit"), "for ¤ 2,930.69")

	p.openMarket(two)
	p.says(hook("position-total"), "If sold now ¤ 200.00")
	p.goTo("/portfolio")
	p.says(hook("total"), "11000.00")
}
