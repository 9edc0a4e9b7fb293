package e2e_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

// axe is the library that knows what pages get wrong for those who do not see them.
//
//go:embed axe/axe.min.js
var axe string

// room is a page of the gallery, as somebody sees it.
type room struct {
	name, path string
	by         string        // who is signed in; empty: nobody
	prepare    func(p *page) // what is done on the page before it is looked at
}

// Every page is sound for screen readers and keyboards, in both themes, wide and narrow, and fits.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	s.furnish(t)
	for _, scheme := range []string{"light", "dark"} {
		for _, narrow := range []bool{false, true} {
			name := scheme
			if narrow {
				name += " on a phone"
			}
			t.Run(name, func(t *testing.T) {
				for _, by := range []string{"", "boss"} {
					p := s.page(t)
					if narrow {
						p = s.phone(t)
					}
					p.prefer(scheme)
					p.faults.allow("404") // the page of what is missing
					if by != "" {
						p.goTo("/")
						p.signIn(by)
					}
					for _, r := range rooms {
						if r.by == by {
							p.look(r, strings.ReplaceAll(name, " ", "-"), narrow)
						}
					}
				}
			})
		}
	}
}

// look looks at a page.
func (p *page) look(r room, look string, narrow bool) {
	p.t.Helper()
	p.goTo(r.path)
	p.untilLive()
	if r.prepare != nil {
		r.prepare(p)
	}
	p.picture(r.name + "-" + look)
	if narrow {
		p.fitsWidth(r.name)
	}
	p.soundByAxe(r.name)
}

// soundByAxe fails for whatever axe-core finds serious or critical.
func (p *page) soundByAxe(name string) {
	p.t.Helper()
	p.do(axe)
	found := get[string](p, `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(violations
		.filter((v) => v.impact === "serious" || v.impact === "critical")
		.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? "")).join(" | "))))`)
	var violations []string
	must(p.t, json.Unmarshal([]byte(found), &violations))
	for _, v := range violations {
		p.t.Errorf("%s: %s", name, v)
	}
}

// rooms are all pages, with something on them and without.
var rooms = []room{
	{name: "list", path: "/"},
	{name: "list-empty", path: "/?q=nothinglikethis"},
	{name: "market", path: "/m/launch"},
	{name: "market-several", path: "/m/lunch"},
	{name: "market-resolved", path: "/m/done"},
	{name: "missing", path: "/m/none"},
	{name: "new-stranger", path: "/new"},
	{name: "embed", path: "/embed/launch"},
	{name: "signin", path: "/signin"},
	{name: "signup", path: "/signup"},

	{name: "list-signed-in", path: "/", by: "boss"},
	{name: "market-signed-in", path: "/m/launch", by: "boss", prepare: func(p *page) {
		p.until("the desk is there", find("market-desk details"))
		p.do(find("market-desk details") + ".open = true")
		p.do(find("engineer-corner details") + ".open = true")
	}},
	{name: "new", path: "/new", by: "boss"},
	{name: "audit", path: "/audit", by: "boss"},
	{name: "settings", path: "/settings", by: "boss"},
	{name: "admin", path: "/admin", by: "boss"},
}

// furnish puts into a site what pages show.
func (s *site) furnish(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	ana, bo := s.Account(t, "1000"), s.Account(t, "1000")
	_, err := s.CreateAccount(ctx, "boss", "")
	must(t, err)
	_, err = s.SetRole(ctx, "boss", db.Operator, "")
	must(t, err)
	closes := time.Now().Add(50 * time.Hour)
	for _, m := range []db.NewMarket{
		{Slug: "launch", Question: "Will we launch the new product before the first of June?", Category: "company", Description: "Yes if the page is public.\n\n- by *our* clock\n- see <https://example.org/launch>", ClosesAt: &closes},
		{Slug: "lunch", Question: "Where do we eat on Friday?", Outcomes: []string{"thai", "pizza", "ramen", "the place that nobody can agree on the name of"}, Category: "office"},
		{Slug: "done", Question: "Was it done in time?", Category: "company"},
		{Slug: "mine", Question: "A market that the boss made?", Account: "boss", Liquidity: "20"},
	} {
		_, err := s.CreateMarket(ctx, m)
		must(t, err)
	}
	for i, account := range []string{ana, bo, "boss", ana, "boss", bo} {
		s.buy(t, account, "launch", []string{"yes", "no"}[i%2], db.Decimal(fmt.Sprint(5+7*i)))
		s.buy(t, account, "lunch", []string{"thai", "pizza", "ramen"}[i%3], db.Decimal(fmt.Sprint(4+3*i)))
		s.buy(t, account, "done", []string{"yes", "yes", "no"}[i%3], "10")
	}
	_, err = s.HaltMarket(ctx, "done", "The news is out")
	must(t, err)
	_, err = s.ResolveMarket(ctx, "done", []db.Decimal{"1", "0"}, "It was: see the minutes")
	must(t, err)
}
