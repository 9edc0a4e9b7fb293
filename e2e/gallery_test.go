package e2e_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/pgtape/pgtape/db"
)

// gallery is a folder for pictures of every page, in both themes, wide and on a phone.
var gallery = flag.String("gallery", "", "a folder for a picture of each page")

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
					if by != "" {
						p.goTo("/")
						p.signIn(by)
					}
					for _, r := range rooms {
						if r.by == by {
							p.visit(r, strings.ReplaceAll(name, " ", "-"), narrow)
						}
					}
				}
			})
		}
	}
}

// visit looks at a page.
func (p *page) visit(r room, look string, narrow bool) {
	p.t.Helper()
	p.goTo(r.path)
	p.untilLive()
	if r.prepare != nil {
		r.prepare(p)
	}
	if *gallery != "" {
		p.picture(filepath.Join(*gallery, r.name+"-"+look+".png"))
	}
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

// picture saves the whole page.
func (p *page) picture(path string) {
	p.t.Helper()
	p.act("taking a picture", func(ctx context.Context) error {
		size, err := chromedp.Run(ctx, chromedp.Evaluate[[]int64]("[innerWidth, Math.min(4000, document.documentElement.scrollHeight)]"))
		if err != nil {
			return err
		}
		_ = size
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
		if err != nil {
			return err
		}
		return os.WriteFile(path, png, 0o644)
	})
}
