package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/pgtape/pgtape/db"
)

// host is a page of another origin that shows pages of the site in frames.
func (s *site) host(t *testing.T, width int, paths ...string) string {
	t.Helper()
	var body strings.Builder
	body.WriteString("<!doctype html><title>Another site</title>")
	for _, path := range paths {
		fmt.Fprintf(&body, `<iframe src="%s%s" width="%d" height="240"></iframe>`, s.url, path, width)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(body.String()))
	}))
	t.Cleanup(web.Close)
	return web.URL
}

// visit goes to an address of any site.
func (p *page) visit(url string) {
	p.t.Helper()
	p.act("going to "+url, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(url)) })
}

// frames are those within the page, in order.
func (p *page) frames() (frames []*cdp.Frame) {
	p.t.Helper()
	p.act("listing frames", func(ctx context.Context) error {
		tree, err := chromedp.Call(ctx, cdppage.GetFrameTree, cdp.Empty{})
		if err == nil {
			for _, child := range tree.FrameTree.ChildFrames {
				frames = append(frames, child.Frame)
			}
		}
		return err
	})
	return frames
}

// inFrame evaluates an expression in a frame of another origin, which scripts of the page cannot.
func inFrame[T any](p *page, frame cdp.FrameID, expression string) (v T) {
	p.t.Helper()
	p.act("evaluating "+expression, func(ctx context.Context) error {
		world, err := chromedp.Call(ctx, cdppage.CreateIsolatedWorld, cdppage.CreateIsolatedWorldParams{FrameID: frame})
		if err != nil {
			return err
		}
		yes := true
		result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
			Expression: expression, ContextID: world.ExecutionContextID, ReturnByValue: &yes,
		})
		if err != nil {
			return err
		}
		return json.Unmarshal(result.Result.Value, &v)
	})
	return v
}

func TestOtherSitesShowTheCardOfAMarket(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it <i>rain</i>?"})
	must(t, err)
	other := s.Account(t, "1000")
	s.buy(t, other, "rain", "yes", "10")
	p := s.page(t)
	p.visit(s.host(t, 400, "/embed/rain"))
	frame := p.frames()[0].ID
	shows := func(part string) {
		t.Helper()
		p.poll("the card says "+part, func() bool {
			return strings.Contains(plain(inFrame[string](p, frame, "document.body?.innerText ?? ''")), part)
		})
	}
	shows("Will it <i>rain</i>?")
	shows(percent(s.price(t, "rain", "yes")))
	shows("Live")
	s.buy(t, other, "rain", "yes", "50")
	shows(percent(s.price(t, "rain", "yes")))
}

func TestOtherSitesShowNoOtherPage(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	p := s.page(t)
	p.faults.allow(`frame-ancestors 'none'`, `^request failed: Document`, `404`)
	p.visit(s.host(t, 400, "/m/"+market, "/", "/m/none"))
	for _, frame := range p.frames() {
		if text := inFrame[string](p, frame.ID, "document.body?.innerText ?? ''"); strings.Contains(text, "pgtape") || strings.Contains(text, "Will it?") {
			t.Errorf("%s is shown in a frame: %s", frame.URL, text)
		}
		if frame.UnreachableURL == "" {
			t.Errorf("%s was not refused", frame.URL)
		}
	}
}

func TestAnEmbeddedCardIsNarrowAndNeedsNoScripts(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	_, err := s.CreateMarket(t.Context(), hostile)
	must(t, err)
	_, err = s.CreateMarket(t.Context(), db.NewMarket{
		Slug: "endless", Question: strings.Repeat("W", 500), Outcomes: []string{strings.Repeat("W", 60), "b", "c", "d", "e"},
	})
	must(t, err)
	p := s.page(t)
	p.set(emulation.SetScriptExecutionDisabledParams{Value: true})
	p.faults.allow(`^request failed: Script +csp`)
	p.act("becoming narrow", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.EmulateViewport(240, 240)) })
	for slug, parts := range map[string][]string{
		"hostile": {picture, "33.3 %", "Open", "as of"},
		"endless": {"WWW", "20.0 %", "and 1 more"},
	} {
		p.goTo("/embed/" + slug)
		p.reads(parts...)
		if wide := get[int](p, "document.documentElement.scrollWidth"); wide > 240 {
			t.Errorf("%s is %d wide", slug, wide)
		}
	}
}

func TestTheFrameToCopyIsThatOfTheCard(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	p := s.page(t)
	p.openMarket(market)
	p.until("the corner has the frame", `[...document.querySelectorAll(".copy-text")].some((e) => e.textContent.startsWith("<iframe"))`)
	src := get[string](p, `[...document.querySelectorAll(".copy-text")].find((e) => e.textContent.startsWith("<iframe")).textContent.match(/src="([^"]*)"/)[1]`)
	if src != s.url+"/embed/"+market {
		t.Errorf("the frame to copy shows %s", src)
	}
}
