package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// refusedForAnother is what a page meets that shows somebody else than who is signed in.
const refusedForAnother = "409"

// ofAnEndedSession is what a page meets that counts in the instant in which its session ends.
const ofAnEndedSession = "401.*/api/v1/(notifications|portfolio)"

// joined makes people with a password each.
func (s *site) joined(t *testing.T, handles ...string) {
	t.Helper()
	for _, handle := range handles {
		body := fmt.Sprintf(`{"handle":%q,"password":%q,"new":true}`, handle, secret)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/session", strings.NewReader(body))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		response.Body.Close()
		if response.StatusCode != http.StatusCreated {
			t.Fatalf("signing up %s: %s", handle, response.Status)
		}
	}
}

// changeHands signs somebody in where somebody else is.
func (p *page) changeHands(handle string) {
	p.t.Helper()
	p.goTo("/signin?to=/leaderboard")
	p.enter(handle, secret, "sign-in")
	p.until("it leads on", "location.pathname === '/leaderboard'")
	p.says(hook("account-handle"), handle)
}

func TestAPageOfSomebodyElseIsLoadedAgain(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	market := s.Market(t)
	s.joined(t, "ana", "bob")
	a := s.visitor(t)
	a.faults.allow(ofAnEndedSession, refusedForAnother)
	a.changeHands("ana")
	b := a.tab()
	b.faults.allow(ofAnEndedSession)
	a.openMarket(market)
	a.untilTicket("ready")
	a.fill(hook("ticket-amount"), "77")
	b.changeHands("bob")
	a.says(hook("said"), "You are signed in as bob now.")
	a.says(hook("account-handle"), "bob")
	a.untilLive()
	a.until("what ana typed is gone", find(hook("ticket-amount"))+`.value === "10"`)

	// Also of what is only about one's own: settings, and a page that both may see.
	a.goTo("/settings")
	a.untilLoaded()
	a.do(`document.querySelector("#key-name").value = "bob's draft"`)
	b.changeHands("ana")
	a.says(hook("account-handle"), "ana")
	a.until("the draft is gone", `document.querySelector("#key-name").value === ""`)
	b.clickWords("account-menu", "Sign out")
	b.says(hook("to-sign-in"), "Sign in")
	a.until("nobody's settings are shown", "location.pathname === '/' && "+find(hook("account-handle"))+" === null")
	b.changeHands("bob")
	a.says(hook("account-handle"), "bob")
}

// A page that could not hear of it: its change is refused, whatever it is.
func TestWhatAPageDoesIsForWhomItShows(t *testing.T) {
	t.Parallel()
	desk := &desk{}
	s := open(t, siteOptions{signUp: server.Open, around: desk.around})
	market := s.Market(t)
	s.joined(t, "ana", "bob")
	a := s.visitor(t)
	a.changeHands("ana")
	b := a.tab()
	b.faults.allow(ofAnEndedSession)
	a.faults.allow(refusedForAnother, ofAnEndedSession)
	// The page is deaf to what tells it, as one would be that the browser has put to sleep.
	a.beforeLoad(`const real = addEventListener; globalThis.addEventListener = (name, ...rest) => ["storage", "focus", "visibilitychange", "pageshow"].includes(name) || real(name, ...rest);`)

	tests := []struct {
		name string
		page string
		act  func()
		rows string // of what must not be
	}{
		{"an order", "/m/" + market, func() {
			a.untilLive()
			a.untilTicket("ready")
			b.changeHands("bob")
			a.click(hook("ticket-submit"))
		}, "pgtape_core.trade"},
		{"a comment", "/m/" + market + "/comments", func() {
			a.fill("#comment", "as ana")
			b.changeHands("bob")
			a.clickWords(".comment-form", "Post")
		}, "pgtape_core.comment"},
		{"an API key", "/settings", func() {
			a.fill("#key-name", "mine")
			b.changeHands("bob")
			a.click(hook("make-key"))
		}, "pgtape_core.api_key"},
		{"signing out", "/leaderboard", func() {
			b.changeHands("bob")
			a.clickWords("account-menu", "Sign out")
		}, "pgtape_core.trade"},
	}
	for _, tt := range tests {
		b.changeHands("ana")
		a.goTo(tt.page)
		a.untilLoaded()
		a.says(hook("account-handle"), "ana")
		tt.act()
		a.says(hook("said"), "You are signed in as bob now.")
		a.says(hook("account-handle"), "bob")
		if n := value[int](t, s, "select count(*) from "+tt.rows); n != 0 {
			t.Errorf("%s of ana's page was done as bob", tt.name)
		}
	}
	b.reload()
	b.says(hook("account-handle"), "bob")
	s.Verify(t)
}

func TestAnOrderOnItsWayIsSomebodys(t *testing.T) {
	t.Parallel()
	desk := &desk{}
	s := open(t, siteOptions{signUp: server.Open, around: desk.around})
	market := s.Market(t)
	s.joined(t, "ana", "bob")
	p := s.visitor(t)
	p.faults.allow(append(gone, ofAnEndedSession)...)
	p.changeHands("ana")
	p.openMarket(market)
	p.untilTicket("ready")
	desk.answers(func(int) verdict { return lose })
	p.click(hook("ticket-submit"))
	p.untilTicket("unknown")
	p.clickWords("account-menu", "Sign out")
	p.says(hook("to-sign-in"), "Sign in")
	desk.answers(func(int) verdict { return pass })
	arrived := len(desk.arrived())
	p.changeHands("bob")
	p.openMarket(market)
	p.untilTicket("ready")
	if n := len(desk.arrived()); n != arrived {
		t.Errorf("ana's order was sent %d times more", n-arrived)
	}
	if kept := get[[]string](p, `Object.keys(sessionStorage).filter((name) => name.startsWith("order "))`); len(kept) != 0 {
		t.Errorf("the browser keeps %v", kept)
	}

	// Bob's is not ana's either, though nobody signs out: she signs in over him, in another tab, while
	// this one is away.
	desk.answers(func(int) verdict { return lose })
	p.click(hook("ticket-submit"))
	p.untilTicket("unknown")
	p.goTo("/embed/" + market)
	desk.answers(func(int) verdict { return pass })
	other := p.tab()
	other.faults.allow(ofAnEndedSession)
	other.changeHands("ana")
	arrived = len(desk.arrived())
	p.openMarket(market)
	p.untilTicket("ready")
	if n := len(desk.arrived()); n != arrived {
		t.Errorf("bob's order was sent %d times more", n-arrived)
	}
	for _, handle := range []string{"ana", "bob"} {
		if n := s.tradesOf(t, handle); n != 0 {
			t.Errorf("%s has %d trades", handle, n)
		}
	}
	s.Verify(t)
}

// Back shows nothing of who has signed out.
func TestBackAfterSigningOut(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	market := s.Market(t)
	s.joined(t, "ana", "bob")
	p := s.visitor(t)
	p.faults.allow(ofAnEndedSession, refusedForAnother)
	p.changeHands("ana")
	pages := []string{"/portfolio", "/settings", "/notifications", "/m/" + market}
	for _, path := range pages {
		p.goTo(path)
		p.untilLoaded()
		p.says(hook("account-handle"), "ana")
	}
	p.goTo("/leaderboard")
	p.untilLoaded()
	p.clickWords("account-menu", "Sign out")
	p.says(hook("to-sign-in"), "Sign in")
	for i := range pages {
		path := pages[len(pages)-1-i]
		p.back()
		p.until(fmt.Sprintf("%s is nobody's, %d steps back", path, i+1), `document.readyState === "complete" && `+
			find(hook("to-sign-in"))+" !== null && !document.body.innerText.includes('ana')")
	}

	// Nor of who was signed out when somebody else came: forward, and back.
	p.changeHands("bob")
	p.goTo("/settings")
	p.untilLoaded()
	other := p.tab()
	other.faults.allow(ofAnEndedSession)
	other.changeHands("ana")
	p.back()
	p.says(hook("account-handle"), "ana")
	p.forward()
	p.until("forward is ana's", "location.pathname === '/settings' && "+find(hook("account-handle"))+".innerText === 'ana'")
}

// A browser that was left signed in is not its owner: what lets somebody in later asks for the password.
func TestAKeyAsksForThePassword(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	s.joined(t, "ana")
	p := s.visitor(t)
	p.faults.allow("403")
	p.changeHands("ana")
	s.Exec(t, "update pgtape_core.session set created_at = created_at - interval '1 hour'")
	p.goTo("/settings")
	p.untilLoaded()
	p.fill("#key-name", "my bot")
	p.click(hook("make-key"))
	p.says("dialog", "Please type your password")
	p.clickWords("dialog", "Cancel")
	p.says(".form-error", "this needs your password")
	p.click(hook("make-key"))
	p.fill(hook("confirm-password"), "wrong")
	p.clickWords("dialog", "Go on")
	p.says(".form-error", "the current password is wrong")
	p.click(hook("make-key"))
	p.fill(hook("confirm-password"), secret)
	p.press("\r")
	p.says("#new-key code", db.KeyPrefix)
	p.goTo("/notifications")
	p.says(hook("notification", "kind", "key_made"), "An API key was made: my bot")
	p.untilLoaded()
	p.clickWords(hook("notification", "kind", "key_made"), "Change your password")
	p.until("it leads to the settings", "location.pathname === '/settings'")
	p.fill("#current-password", secret)
	p.fill("#new-password", "another horse battery")
	p.click(`[name="end_access"]`)
	p.click(hook("change-password"))
	p.until("no key is left", "document.readyState === 'complete' && "+find(hook("key"))+" === null && document.querySelector('#key-name') !== null")
}

func TestTheLastAdminIsAsked(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	p := s.admin(t)
	p.faults.allow("403")
	p.goTo("/admin")
	p.untilLoaded()
	p.do(`document.querySelector("[data-handle=root] select").value = "trader"`)
	p.clickWords("[data-handle=root]", "Give")
	p.says("dialog", "This is your own account")
	p.clickWords("dialog", "Give")
	p.says("[data-handle=root]", "root is the last admin who can sign in")
}
