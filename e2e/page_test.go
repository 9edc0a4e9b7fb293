package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// page is a browser window of somebody: cookies and storage are its own.
type page struct {
	t      *testing.T
	ctx    context.Context
	site   *site
	faults faults
}

// page opens a window. When the test ends, the window must have been without faults.
func (s *site) page(t *testing.T) *page {
	t.Helper()
	return s.window(t, shareBrowser(t), chromedp.WithNewBrowserContext())
}

// tab opens another window of the same person: cookies are shared.
func (p *page) tab() *page {
	p.t.Helper()
	return p.site.window(p.t, p.ctx)
}

func (s *site) window(t *testing.T, in context.Context, options ...chromedp.ContextOption) *page {
	t.Helper()
	p := &page{t: t, site: s}
	ctx, leave := chromedp.NewContext(in, append(options, chromedp.WithListener(p.faults.listen))...)
	t.Cleanup(leave)
	p.ctx = ctx
	p.faults.dialog = func() {
		_, _ = chromedp.Call(ctx, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{})
	}
	hung := time.AfterFunc(patience, leave)
	defer hung.Stop()
	must(t, chromedp.Do(ctx)) // opens it: the window lives as long as the context of its first run
	p.set(emulation.SetLocaleOverrideParams{Locale: "en-US"})
	p.set(emulation.SetFocusEmulationEnabledParams{Enabled: true}) // each window believes to be in front
	t.Cleanup(p.inspect)
	return p
}

// inspect ends the test of a page.
func (p *page) inspect() {
	for _, fault := range p.faults.unexpected() {
		p.t.Errorf("%s", fault)
	}
	if !p.t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		path := filepath.Join(p.t.ArtifactDir(), fmt.Sprintf("page-%d.png", time.Now().UnixNano()))
		err = os.WriteFile(path, picture, 0o644)
		p.t.Logf("the page at its end: %s", path)
	}
	if err != nil {
		p.t.Logf("no picture of the page: %v", err)
	}
}

// set emulates something.
func (p *page) set(what any) {
	p.t.Helper()
	p.act("emulating", func(ctx context.Context) (err error) {
		switch params := what.(type) {
		case emulation.SetLocaleOverrideParams:
			_, err = chromedp.Call(ctx, emulation.SetLocaleOverride, params)
		case emulation.SetFocusEmulationEnabledParams:
			_, err = chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, params)
		case emulation.SetScriptExecutionDisabledParams:
			_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, params)
		case emulation.SetEmulatedMediaParams:
			_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, params)
		case network.SetCacheDisabledParams:
			_, err = chromedp.Call(ctx, network.SetCacheDisabled, params)
		default:
			err = fmt.Errorf("unknown: %T", what)
		}
		return err
	})
}

// act does something within the test's patience.
func (p *page) act(what string, do func(context.Context) error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := do(ctx); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

func (p *page) goTo(path string) {
	p.t.Helper()
	p.act("going to "+path, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(p.site.url+path)) })
}

// back goes back in the history, as the button does; forward the other way.
func (p *page) back()    { p.step("back", -1) }
func (p *page) forward() { p.step("forward", 1) }

func (p *page) step(what string, by int64) {
	p.t.Helper()
	p.act("going "+what, func(ctx context.Context) error {
		for {
			err := historyStep(ctx, by)
			// The page that the step before has left is not yet replaced in the browser's books.
			if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Not attached to an active page") {
				return err
			}
		}
	})
}

func historyStep(ctx context.Context, by int64) error {
	h, err := chromedp.Call(ctx, cdppage.GetNavigationHistory, cdp.Empty{})
	if err != nil {
		return err
	}
	to := h.Entries[h.CurrentIndex+by].ID
	_, err = chromedp.Call(ctx, cdppage.NavigateToHistoryEntry, cdppage.NavigateToHistoryEntryParams{EntryID: to})
	return err
}

// beforeLoad runs a script in all further documents before theirs.
func (p *page) beforeLoad(script string) {
	p.t.Helper()
	p.act("preparing", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

func (p *page) reload() {
	p.t.Helper()
	p.act("reloading", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Reload()) })
}

// openMarket goes to a market's page and waits until it is live.
func (p *page) openMarket(slug string) {
	p.t.Helper()
	p.goTo("/m/" + slug)
	p.untilLive()
}

func (p *page) untilLive() {
	p.t.Helper()
	p.until("the badge says Live", `document.querySelector("[data-testid=badge]").dataset.state === "live"`)
}

// get evaluates an expression in the page.
func get[T any](p *page, expression string) T {
	p.t.Helper()
	var v T
	p.act("evaluating "+expression, func(ctx context.Context) (err error) {
		v, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		return err
	})
	return v
}

// do runs a statement in the page.
func (p *page) do(statement string) {
	p.t.Helper()
	p.act("running "+statement, func(ctx context.Context) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](statement))
		return err
	})
}

// until waits for a condition, which is looked at often, in the page: it also holds across a
// navigation.
func (p *page) until(what, condition string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	ctx, cancel := context.WithDeadline(p.ctx, deadline)
	defer cancel()
	for {
		look := fmt.Sprintf(`(async () => {
			for (const end = Date.now() + %d; Date.now() < end; await new Promise((go) => setTimeout(go, 15))) {
				try { if (%s) return true; } catch {}
			}
			return false;
		})()`, max(0, time.Until(deadline).Milliseconds()-500), condition)
		met, err := chromedp.Run(ctx, chromedp.Evaluate[bool](look, chromedp.EvalAwaitPromise))
		if met {
			return
		}
		if err == nil || ctx.Err() != nil {
			p.t.Fatalf("not within %v: %s (%s; %v)", patience, what, condition, err)
		}
	}
}

// poll waits for something that is not in the page.
func (p *page) poll(what string, met func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !met(); {
		if time.Now().After(deadline) {
			p.t.Fatalf("not within %v: %s", patience, what)
		}
		get[bool](p, `new Promise((go) => setTimeout(() => go(true), 15))`)
	}
}

// hook selects by data-testid and further data attributes, given as names and values.
func hook(id string, attributes ...string) string {
	selector := "[data-testid=" + strconv.Quote(id) + "]"
	for i := 0; i < len(attributes); i += 2 {
		selector += "[data-" + attributes[i] + `="` + inSelector.Replace(attributes[i+1]) + `"]`
	}
	return selector
}

// inSelector writes a text into the quotes of a selector. Go's escapes are not those of CSS.
var inSelector = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\a `)

// find is the expression for the element of a selector.
func find(selector string) string { return "document.querySelector(" + js(selector) + ")" }

// js is a text as a literal.
func js(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		panic(err) // no text fails
	}
	return string(literal)
}

// text is what an element says, spaces made plain.
func (p *page) text(selector string) string {
	p.t.Helper()
	return plain(get[string](p, find(selector)+".innerText"))
}

// plain makes a text comparable: one kind of space, one line.
func plain(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(text)), " ")
}

// says waits until an element's text has a part, spaces made plain.
func (p *page) says(selector, part string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s says %q", selector, part),
		fmt.Sprintf(`%s.innerText.replace(/\s+/g, " ").includes(%s)`, find(selector), js(part)))
}

// click waits until an element can be clicked, as a person would, and clicks its middle.
func (p *page) click(selector string) {
	p.t.Helper()
	p.clickAt(p.clickable(find(selector)))
}

func (p *page) clickAt(at []float64) {
	p.t.Helper()
	p.act("clicking", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.MouseClickXY(at[0], at[1])) })
}

// clickable waits until the element of an expression is visible, enabled, at rest and in front,
// and returns its middle.
func (p *page) clickable(element string) []float64 {
	p.t.Helper()
	p.until(element+" can be clicked", fmt.Sprintf(`await (async (e) => {
		if (!e || e.disabled) return false;
		e.scrollIntoView({ block: "nearest", behavior: "instant" });
		const before = e.getBoundingClientRect();
		await new Promise((go) => setTimeout(go, 30));
		const r = e.getBoundingClientRect();
		if (r.width === 0 || r.x !== before.x || r.y !== before.y) return false;
		const hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
		globalThis.middleForTest = [r.x + r.width / 2, r.y + r.height / 2];
		return !e.disabled && (hit === e || e.contains(hit));
	})(%s)`, element))
	return get[[]float64](p, "globalThis.middleForTest")
}

// clickWords clicks the button or link of some words inside an element.
func (p *page) clickWords(inside, words string) {
	p.t.Helper()
	element := fmt.Sprintf(`[...%s.querySelectorAll("button, a")].find((e) => e.innerText.replace(/\s+/g, " ").includes(%s))`, find(inside), js(words))
	p.clickAt(p.clickable(element))
}

// press types keys into whatever has the focus. A key down brings its character along, so that a
// page may prevent it, as on a keyboard.
func (p *page) press(keys string) {
	p.t.Helper()
	p.act("pressing "+strconv.Quote(keys), func(ctx context.Context) error {
		for _, r := range keys {
			events := kb.Encode(r)
			down, up := events[0], events[len(events)-1]
			if char := events[1]; char.Type == kb.KeyChar {
				down.Text, down.UnmodifiedText = char.Text, char.UnmodifiedText
			}
			for _, event := range []*input.DispatchKeyEventParams{down, up} {
				if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *event); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// fill clicks a field and replaces what is in it.
func (p *page) fill(selector, value string) {
	p.t.Helper()
	p.click(selector)
	p.do(find(selector) + ".select()")
	p.press(value)
}

// signIn chooses a handle.
func (p *page) signIn(handle string) {
	p.t.Helper()
	p.fill(hook("sign-in-handle"), handle)
	p.click(hook("sign-in-button"))
	p.says(hook("account-handle"), handle)
}

// untilTicket waits for a state of the ticket.
func (p *page) untilTicket(state string) {
	p.t.Helper()
	p.until("the ticket is "+state, find(hook("ticket-state"))+".dataset.state === "+js(state))
}

// seqs are the events that the page shows, newest first.
func (p *page) seqs() []int64 {
	p.t.Helper()
	return get[[]int64](p, `[...document.querySelectorAll("[data-testid=tape-row]")].map((row) => Number(row.dataset.seq))`)
}
