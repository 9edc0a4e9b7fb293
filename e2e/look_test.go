package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/pgtape/pgtape/db"
)

func TestAPhone(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	_, err := s.CreateMarket(t.Context(), db.NewMarket{
		Slug: "long", Category: "telephones", Description: "By the usual rules.",
		Question: "Will a question that goes on and on, as questions by people who like to be exact do, fit on a telephone?",
	})
	must(t, err)
	other := s.Account(t, "100000")
	s.buy(t, other, "long", "yes", "1234.567891")
	s.buy(t, other, "long", "no", "1234.567891")
	p := s.phone(t)
	p.goTo("/")
	p.untilLive()
	p.fitsWidth("the list")
	p.openMarket("long")
	p.fitsWidth("a market")
	p.signIn("ana")
	p.fitsWidth("a market, signed in")

	// The bar at the bottom opens the ticket, and a purchase works.
	if p.ticketIsOpen() {
		t.Error("the ticket is open before it is asked for")
	}
	p.clickWords("trade-bar", "No")
	p.until("the sheet is open", ticketIsOpen)
	p.fitsWidth("the open ticket")
	p.fill(hook("ticket-amount"), "3")
	p.untilTicket("ready")
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	p.fitsWidth("a receipt")
	made := s.lastTrade(t, "ana")
	if made.Outcome != "no" {
		t.Errorf("bought %s, want no", made.Outcome)
	}
	p.showsReceipt(made)
	p.click(".sheet-close")
	p.until("the sheet is closed", "!("+ticketIsOpen+")")
	p.agreesWith("long")
	p.fitsWidth("a market, after a trade")
	s.Verify(t)
}

func TestWordsThatNeverEndOnAPhone(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	endless := func(length int) string { return strings.Repeat("W", length) }
	_, err := s.CreateMarket(t.Context(), db.NewMarket{
		Slug: strings.Repeat("w", 64), Question: endless(500), Category: endless(60), Description: endless(500),
		Outcomes: []string{endless(60), "no", "M" + endless(59)},
	})
	must(t, err)
	rich, err := s.CreateAccount(t.Context(), strings.Repeat("w", 32), "999999999999")
	must(t, err)
	s.buy(t, rich.Handle, strings.Repeat("w", 64), endless(60), "123456789.123456")
	p := s.phone(t)
	p.goTo("/")
	p.untilLive()
	p.fitsWidth("the list")
	p.openMarket(strings.Repeat("w", 64))
	p.signIn(rich.Handle)
	p.fitsWidth("a market")
	p.clickWords("trade-bar", "Trade")
	p.until("the sheet is open", ticketIsOpen)
	p.untilTicket("ready")
	p.fitsWidth("the open ticket")
}

// phone is a page on a small screen.
func (s *site) phone(t *testing.T) *page {
	t.Helper()
	p := s.page(t)
	p.act("becoming a phone", func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.EmulateViewport(phoneWidth, 740, chromedp.EmulateMobile, chromedp.EmulateTouch))
	})
	return p
}

const (
	phoneWidth   = 360
	ticketIsOpen = `getComputedStyle(document.querySelector("trade-ticket")).visibility === "visible"`
)

func (p *page) ticketIsOpen() bool {
	p.t.Helper()
	return get[bool](p, ticketIsOpen)
}

// fitsWidth fails when the page scrolls sideways, naming what sticks out.
func (p *page) fitsWidth(what string) {
	p.t.Helper()
	if out := get[[]string](p, fmt.Sprintf(`((width) => document.documentElement.scrollWidth <= width ? [] :
		[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 0.5)
			.map((e) => e.tagName + "." + e.className + " to " + e.getBoundingClientRect().right).slice(0, 8)
			.concat("the page is " + document.documentElement.scrollWidth + " wide"))(%d)`, phoneWidth)); len(out) > 0 {
		p.t.Errorf("%s does not fit: %s", what, strings.Join(out, ", "))
	}
}

// readable are texts of the two pages that everybody has to be able to read.
var readable = map[string][]string{
	"/": {"h1", ".row-link", ".row-meta span", ".row-outcome", ".row-volume", ".filters button", hook("price"), hook("badge") + " .badge-text", hook("sign-in-button"), ".tick-who"},
	"/m/": {
		"h1", ".facts", ".board-name", hook("price", "outcome", "yes"), hook("price", "outcome", "no"), hook("tape-row") + " .tape-what", hook("tape-row") + " time",
		hook("tape-row") + " .tape-seq", hook("ticket-submit"), hook("ticket-quote") + " dt", hook("ticket-quote") + " dd", hook("ticket-outcome", "outcome", "no"), hook("version"), "[role=tab]", ".copy-text",
	},
}

func TestLightAndDark(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	s.buy(t, s.Account(t, "100"), market, "yes", "5")
	p := s.page(t)
	for path, selectors := range readable {
		if path == "/m/" {
			path += market
		}
		p.goTo(path)
		p.untilLive()
		backgrounds := map[string]string{}
		for _, scheme := range []string{"light", "dark"} {
			p.prefer(scheme)
			p.until("the page is "+scheme, "getComputedStyle(document.documentElement).colorScheme === "+js(scheme))
			backgrounds[scheme] = get[string](p, "getComputedStyle(document.documentElement).backgroundColor")
			p.contrasts(scheme, selectors)
		}
		if backgrounds["light"] == backgrounds["dark"] {
			t.Errorf("%s has the background %s in both schemes", path, backgrounds["dark"])
		}
	}

	// The toggle overrides the system, also after a reload, until it is toggled back.
	p.click(hook("theme-toggle"))
	p.until("the page is light in a dark system", "getComputedStyle(document.documentElement).colorScheme === 'light'")
	p.reload()
	p.untilLive()
	p.until("the page is still light", "getComputedStyle(document.documentElement).colorScheme === 'light'")
	p.click(hook("theme-toggle"))
	p.until("the page is dark again", "getComputedStyle(document.documentElement).colorScheme === 'dark'")
	p.prefer("light")
	p.until("the page follows the system", "getComputedStyle(document.documentElement).colorScheme === 'light'")
}

// prefer is what the system asks of pages.
func (p *page) prefer(scheme string) {
	p.t.Helper()
	p.set(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// contrasts fails for texts that stand out from what is behind them by less than WCAG AA asks.
func (p *page) contrasts(scheme string, selectors []string) {
	p.t.Helper()
	for _, selector := range selectors {
		// Some come a little later, and are pale until they hold.
		p.until(scheme+": the contrast of "+selector+" is 4.5", fmt.Sprintf(contrast, find(selector))+" >= 4.5")
	}
}

// contrast computes the contrast ratio (WCAG 2) of an element's text: its colour and opacity over
// all backgrounds that it lies on. A canvas understands every way to write a colour.
const contrast = `((element) => {
	if (!element) throw new Error("there is no such element");
	const ctx = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
	const parse = (colour) => {
		ctx.clearRect(0, 0, 1, 1);
		ctx.fillStyle = colour;
		ctx.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = ctx.getImageData(0, 0, 1, 1).data;
		return { rgb: [r, g, b], alpha: a / 255 };
	};
	const over = ({ rgb, alpha }, below) => rgb.map((c, i) => c * alpha + below[i] * (1 - alpha));
	const behind = (e) => e ? over(parse(getComputedStyle(e).backgroundColor), behind(e.parentElement)) : [255, 255, 255];
	const light = (rgb) => {
		const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const below = behind(element);
	const ink = parse(getComputedStyle(element).color);
	for (let e = element; e; e = e.parentElement) ink.alpha *= Number(getComputedStyle(e).opacity);
	const [a, b] = [light(over(ink, below)), light(below)];
	return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})(%s)`
