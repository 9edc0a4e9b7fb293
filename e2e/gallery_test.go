package e2e_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
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
	s.populate(t)
	for _, scheme := range []string{"light", "dark"} {
		for _, narrow := range []bool{false, true} {
			// Colours do not depend on the width, nor the other way round: two of four tell all.
			if narrow != (scheme == "dark") && os.Getenv(pictures) == "" {
				continue
			}
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
						p.carry(by)
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

// carry gives the browser a session, as if somebody had signed in.
func (p *page) carry(handle string) {
	p.t.Helper()
	token, _, err := p.site.CreateSession(p.t.Context(), handle, "")
	must(p.t, err)
	p.goTo("/healthz")
	p.do("document.cookie = " + js("pgtape_session="+token+"; path=/"))
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
	{name: "holders", path: "/m/launch/holders"},
	{name: "comments", path: "/m/launch/comments"},
	{name: "rules", path: "/m/launch/rules"},
	{name: "timeline", path: "/m/done/timeline"},
	{name: "embed", path: "/embed/launch"},
	{name: "leaderboard", path: "/leaderboard"},
	{name: "calibration", path: "/calibration"},
	{name: "profile", path: "/u/boss"},
	{name: "portfolio-stranger", path: "/portfolio"},
	{name: "notifications-stranger", path: "/notifications"},
	{name: "signin", path: "/signin"},
	{name: "signup", path: "/signup"},

	{name: "list-signed-in", path: "/", by: "boss"},
	{name: "market-signed-in", path: "/m/launch", by: "boss", prepare: func(p *page) {
		p.until("the desk is there", find("market-desk details"))
		p.do(find("market-desk details") + ".open = true")
		p.do(find("engineer-corner details") + ".open = true")
	}},
	{name: "new", path: "/new", by: "boss"},
	{name: "comments-signed-in", path: "/m/launch/comments", by: "boss"},
	{name: "portfolio", path: "/portfolio", by: "boss"},
	{name: "notifications", path: "/notifications", by: "boss"},
	{name: "leaderboard-signed-in", path: "/leaderboard", by: "boss"},
	{name: "audit", path: "/audit", by: "boss"},
	{name: "settings", path: "/settings", by: "boss"},
	{name: "admin", path: "/admin", by: "boss"},
}

// furnish puts into a site what pages show.
func (s *site) populate(t *testing.T) {
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
	s.Exec(t, "select pgtape.comment('launch', 'I **doubt** it, @boss: see <https://example.org>', $1), pgtape.comment('launch', 'We shall see', $2)", ana, bo)
	_, err = s.HaltMarket(ctx, "done", "The news is out")
	must(t, err)
	_, err = s.ResolveMarket(ctx, "done", []db.Decimal{"1", "0"}, "It was: see the minutes")
	must(t, err)
}
