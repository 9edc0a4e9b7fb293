package e2e_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pgtape/pgtape/db"
)

// furnish gives ana positions, a market of hers, a history and a record.
func (s *site) furnish(t *testing.T) {
	t.Helper()
	_, err := s.CreateAccount(t.Context(), "bo", "500")
	must(t, err)
	for i, question := range []string{
		"Will it rain in Berlin tomorrow?", "Will a question that goes on and on, as questions of people who like to be exact do, fit?",
		"Who wins?", "Did it?", "Did it not?", "Did it ever?",
	} {
		market := db.NewMarket{Slug: fmt.Sprintf("m%d", i), Question: question, Account: "house"}
		if i == 2 {
			market.Outcomes = []string{"red", "green", "blue"}
		}
		_, err := s.CreateMarket(t.Context(), market)
		must(t, err)
		outcome, other := "yes", "no"
		if i == 2 {
			outcome, other = "green", "red"
		}
		s.buy(t, "ana", market.Slug, outcome, db.Decimal(fmt.Sprint(20+10*i)))
		s.buy(t, "bo", market.Slug, other, db.Decimal(fmt.Sprint(50-10*i+1)))
	}
	_, err = s.CreateMarket(t.Context(), db.NewMarket{Slug: "own", Question: "Is this hers?", Account: "ana"})
	must(t, err)
	for i, yes := range []db.Decimal{"1", "0", "0.37"} {
		no := map[db.Decimal]db.Decimal{"1": "0", "0": "1", "0.37": "0.63"}[yes]
		_, err := s.ResolveMarket(t.Context(), fmt.Sprintf("m%d", 3+i), []db.Decimal{yes, no}, "so it was")
		must(t, err)
	}
}

var pagesOfPeople = []string{"/portfolio", "/leaderboard", "/calibration", "/u/ana", "/u/bo"}

func TestPagesOfPeopleFitAPhone(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	p := s.phone(t)
	p.goTo("/")
	p.untilLive()
	p.signIn("ana")
	s.furnish(t)
	for _, path := range pagesOfPeople {
		p.goTo(path)
		p.untilLive()
		p.fitsWidth(path)
	}
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		p.goTo("/calibration")
		p.untilLive()
		p.contrasts(scheme, []string{"h1", ".stat dt", ".stat dd", ".ranges a", ".hint", ".table th", ".table td"})
		p.goTo("/portfolio")
		p.untilLive()
		p.contrasts(scheme, []string{"h1", "h2", ".link", "summary", ".pill"})
	}
	s.pictures(t, p, "360")
	s.Verify(t)
}

// pictures are taken where PGTAPE_TEST_PICTURES names a folder, for people to look at.
func (s *site) pictures(t *testing.T, p *page, name string) {
	t.Helper()
	dir := os.Getenv("PGTAPE_TEST_PICTURES")
	if dir == "" {
		return
	}
	for _, path := range pagesOfPeople {
		for _, theme := range []string{"light", "dark"} {
			p.prefer(theme)
			p.goTo(path)
			p.untilLive()
			p.do("for (const d of document.querySelectorAll('main details')) d.open = " + fmt.Sprint(theme == "dark" && name == "desk" && path == "/portfolio"))
			var picture []byte
			p.act("taking a picture", func(ctx context.Context) (err error) {
				picture, err = chromedp.Run(ctx, chromedp.FullScreenshot(100))
				return err
			})
			must(t, os.WriteFile(filepath.Join(dir, strings.ReplaceAll(path[1:], "/", "-")+"-"+name+"-"+theme+".png"), picture, 0o644))
		}
	}
}

func TestAPortfolioInTheBrowser(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	p := s.page(t)
	p.goTo("/portfolio")
	p.untilLive()
	p.says("main", "Sign in to see yours")
	p.goTo("/")
	p.untilLive()
	p.signIn("ana")
	s.furnish(t)
	p.goTo("/")
	p.untilLive()
	p.clickWords(".nav", "Portfolio")
	p.until("the portfolio", `location.pathname === "/portfolio"`)
	p.untilLive()
	p.says(hook("positions"), "Will it rain in Berlin tomorrow?")
	p.says("main", "Is this hers?")
	s.pictures(t, p, "desk")
	p.goTo("/portfolio")
	p.untilLive()
	p.clickWords(".ranges", "1W")
	p.until("the week", `location.search === "?range=1w"`)
	p.untilLive()
	p.says("main .ranges [aria-current]", "1W")
	if rows := get[int](p, `document.querySelectorAll("[data-testid=profit-table] tbody tr").length`); rows != 101 {
		t.Errorf("the chart's table has %d rows", rows)
	}

	// The file that the page's link gives, as the browser receives it.
	text := get[string](p, `fetch(document.querySelector("a[href*='.csv']").href).then((r) => r.text())`)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	must(t, err)
	entries := value[int](t, s, "select count(*) from pgtape.ledger where account = 'ana'")
	if len(rows) != entries+1 || rows[1][9] != string(value[db.Decimal](t, s, "select balance::text from pgtape.accounts where handle = 'ana'")) {
		t.Errorf("%d rows of %d entries, the newest %q", len(rows), entries, rows[1])
	}
	s.Verify(t)
}

func TestSomebodyLeavesWhileAnotherWatches(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	leaver, watcher := s.page(t), s.page(t)
	leaver.faults.allow(`400.*/api/v1/account$`)
	leaver.goTo("/")
	leaver.untilLive()
	leaver.signIn("ana")
	s.buy(t, "ana", market, "yes", "5")
	watcher.openMarket(market)
	watcher.untilLive()
	watcher.says(hook("tape-row"), "ana")

	leaver.goTo("/settings")
	leaver.untilLive()
	leaver.do(`document.querySelector("main details:has([data-testid=delete-account])").open = true`)
	leaver.fill("#delete-handle", "bo")
	leaver.clickWords(hook("delete-account"), "Delete my account")
	leaver.clickWords("dialog", "Delete my account")
	leaver.until("the wrong handle is refused", `document.querySelector("[data-testid=delete-account] .form-error")?.textContent.includes("not the handle")`)
	leaver.fill("#delete-handle", "ana")
	leaver.clickWords(hook("delete-account"), "Delete my account")
	leaver.clickWords("dialog", "Delete my account")
	leaver.until("signed out", `location.pathname === "/" && document.querySelector("[data-testid=sign-in-handle]") !== null`)

	gone := value[string](t, s, "select account from pgtape.trades")
	if !strings.HasPrefix(gone, "gone-") {
		t.Fatalf("the trade is of %s", gone)
	}
	watcher.until("the name is gone from the page", fmt.Sprintf(
		`document.querySelector("[data-testid=tape-row]")?.textContent.includes(%s) && !document.querySelector("main").textContent.includes("ana bought")`, js(gone)))
	watcher.untilLive()
	s.buy(t, s.Account(t, "100"), market, "no", "3")
	watcher.until("a trade of afterwards", `document.querySelectorAll("[data-testid=tape-row]").length >= 3`)
	watcher.agreesWith(market)
	s.Verify(t)
}
