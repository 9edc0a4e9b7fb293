package e2e_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

const secret = "correct horse battery"

// visitor is a page that is left without waiting for it to be live.
func (s *site) visitor(t *testing.T) *page {
	t.Helper()
	p := s.page(t)
	return p
}

// untilLoaded waits for the scripts of a page that the page before has led to: without them a form
// does nothing.
func (p *page) untilLoaded() {
	p.t.Helper()
	p.until("the page is loaded", "document.readyState === 'complete'")
}

// enter signs in, or up where a page has that form, with a password.
func (p *page) enter(handle, secret, button string) {
	p.t.Helper()
	p.untilLoaded()
	name, word := "#sign-in-name", "#sign-in-password"
	if button == "sign-up" {
		name, word = "#sign-up-name", "#new-password"
	}
	p.fill(name, handle)
	p.fill(word, secret)
	p.click(hook(button))
}

func TestSigningUpAndInAndOut(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	market := s.Market(t)
	p := s.visitor(t)
	p.goTo("/m/" + market)
	p.untilLive()
	p.click(hook("to-sign-up"))
	p.until("the page is for signing up", "location.pathname === '/signup'")
	p.untilLoaded()
	p.faults.allow("40[019]")
	p.fill("#sign-up-name", "ana")
	p.fill("#new-password", "password1")
	p.click(hook("sign-up"))
	p.says(".form-error", "choose another")
	p.fill("#new-password", secret)
	p.click(hook("sign-up"))
	p.until("it leads back to the market", "location.pathname === "+js("/m/"+market))
	p.says(hook("account-handle"), "ana")

	p.untilLoaded()
	p.clickWords("account-menu", "Sign out")
	p.click(hook("to-sign-in"))
	p.until("the page is for signing in", "location.pathname === '/signin'")
	p.enter("ana", "wrong horse battery", "sign-in")
	p.says(".form-error", "the handle or the password is wrong")
	p.fill("#sign-in-password", secret)
	p.click(hook("sign-in"))
	p.until("it leads back to the market again", "location.pathname === "+js("/m/"+market))
	p.says(hook("account-handle"), "ana")

	// Somebody else cannot have the handle.
	other := s.visitor(t)
	other.faults.allow("409")
	other.goTo("/signup")
	other.enter("ANA", secret, "sign-up")
	other.says(".form-error", "is taken")
	if url := get[string](other, "location.href"); strings.Contains(url, "horse") {
		t.Errorf("the address is %s", url)
	}
}

func TestAChangedPasswordSignsTheOtherBrowserOut(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	here, there := s.visitor(t), s.visitor(t)
	here.goTo("/signup")
	here.enter("ana", secret, "sign-up")
	here.says(hook("account-handle"), "ana")
	there.goTo("/settings") // which asks to sign in first
	there.enter("ana", secret, "sign-in")
	there.until("it leads to the settings", "location.pathname === '/settings'")
	here.click(hook("account-handle"))
	here.until("both browsers are listed", `document.querySelectorAll("[data-testid=device]").length === 2`)
	here.says(hook("device"), "Chrome on Linux this one")
	here.untilLoaded()

	here.faults.allow("403")
	there.faults.allow("401.*/api/v1/notifications") // asked for again just then
	here.fill("#current-password", "wrong")
	here.fill("#new-password", "another horse battery")
	here.click(hook("change-password"))
	here.says(".form-error", "current password is wrong")
	here.fill("#current-password", secret)
	here.click(hook("change-password"))
	here.until("one browser is left", `document.querySelectorAll("[data-testid=device]").length === 1`)
	here.says(hook("account-handle"), "ana")

	there.reload()
	there.until("the other browser has to sign in", "location.pathname === '/signin'")
	there.enter("ana", "another horse battery", "sign-in")
	there.until("it leads to the settings", "location.pathname === '/settings'")
	here.reload()
	here.clickWords("main", "Sign out all others")
	here.clickWords("dialog", "Sign out all others")
	here.until("one browser is left", `document.querySelectorAll("[data-testid=device]").length === 1`)
}

func TestAnAPIKeyUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	p := s.visitor(t)
	p.goTo("/signup")
	p.enter("ana", secret, "sign-up")
	p.says(hook("account-handle"), "ana")
	p.goTo("/settings")
	p.fill("#key-name", "my bot")
	p.click(hook("make-key"))
	p.says("#new-key code", db.KeyPrefix)
	key := p.text("#new-key code")
	if got := s.withKey(t, key, "/api/v1/portfolio"); got != http.StatusOK {
		t.Errorf("with the key: %d", got)
	}
	p.reload()
	p.says(hook("key"), key[:10])
	if strings.Contains(get[string](p, "document.documentElement.innerHTML"), key) {
		t.Error("the key is shown again")
	}
	p.clickWords(hook("key"), "Revoke")
	p.says("dialog", "the key my bot are refused")
	p.clickWords("dialog", "Revoke")
	p.until("no key is listed", find(hook("key"))+" === null && document.querySelector('#key-name') !== null")
	if got := s.withKey(t, key, "/api/v1/portfolio"); got != http.StatusUnauthorized {
		t.Errorf("with the revoked key: %d", got)
	}
}

// withKey asks as a program does.
func (s *site) withKey(t *testing.T, key, path string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	response.Body.Close()
	return response.StatusCode
}

// admin opens a page that an admin is signed in on.
func (s *site) admin(t *testing.T) *page {
	t.Helper()
	_, err := s.SignUp(t.Context(), db.SignUp{Handle: "root"})
	must(t, err)
	_, err = s.SetRole(t.Context(), "root", db.Admin, "")
	must(t, err)
	link, _, err := s.CreateSignInLink(t.Context(), "root", patience, "")
	must(t, err)
	p := s.visitor(t)
	p.goTo("/signin#link=" + link)
	p.fill("#new-password", secret)
	p.click(hook("set-password"))
	p.says(hook("account-handle"), "root")
	return p
}

func TestAnInviteIsGoodForOne(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Invite})
	s.Exec(t, "select pgtape.set_setting('opening_credits', 'approval')")
	helper := s.helper(t)
	admin := s.admin(t)
	admin.clickWords(".nav", "Admin")
	admin.until("the page is the admin's", "location.pathname === '/admin'")
	admin.untilLoaded()
	admin.click(hook("make-invite"))
	admin.says(hook("new-invite"), s.url+"/signup#invite=")
	path := strings.TrimPrefix(admin.text(hook("new-invite")), s.url)

	guest, late := s.visitor(t), s.visitor(t)
	guest.goTo(path)
	guest.enter("ana", secret, "sign-up")
	guest.says(hook("account-handle"), "ana")
	late.faults.allow("403")
	late.goTo(path)
	late.enter("bo", secret, "sign-up")
	late.says(".form-error", "this invite is used up")
	if value := get[string](late, find("#sign-up-name")+".value"); value != "bo" {
		t.Errorf("the form has lost what was typed: %q", value)
	}
	late.goTo("/signup")
	late.says("main", "New accounts need an invite")

	admin.reload()
	admin.says(hook("invite"), "1 of 1")
	admin.clickWords(hook("waiting", "handle", "ana"), "Approve")
	admin.until("ana waits no more", "document.readyState === 'complete' && "+find("h1")+" !== null && "+find(hook("waiting", "handle", "ana"))+" === null")
	if balance := value[string](t, s, "select round(balance)::text from pgtape.accounts where handle = 'ana'"); balance != "1000" {
		t.Errorf("ana is approved and has %s credits", balance)
	}
	admin.leaveOut(helper)
	admin.says(hook("person", "handle", "ana"), "trader")
	admin.do(find(hook("person", "handle", "ana")+" select") + ".value = 'operator'")
	admin.clickWords(hook("person", "handle", "ana"), "Give")
	admin.clickWords("dialog", "Give")
	admin.until("ana is an operator", find(hook("person", "handle", "ana")+" option[selected]")+".value === 'operator'")
	admin.untilLoaded()
	admin.click(`[aria-label="Sign-in link for ana"]`)
	admin.says(hook("new-link"), "/signin#link=")
	guest.goTo(strings.TrimPrefix(admin.text(hook("new-link")), s.url))
	guest.says("main", "For the account ana")
	guest.goTo("/admin")
	guest.says("h1", "Admin")
	if get[bool](guest, find(hook("person"))+" !== null") {
		t.Error("an operator is shown the accounts")
	}
	guest.goTo("/signin#link=NONSENSE")
	guest.says("main", "does not work any more")
}

// helper makes an account that has lost to another in the one market that it knows, and nowhere else.
func (s *site) helper(t *testing.T) string {
	t.Helper()
	main, helper, market := s.Account(t, "1000"), s.Account(t, "1000"), s.Market(t)
	for _, o := range []db.Order{
		{Account: main, Side: "buy", Shares: "100", MaxCost: "100"},
		{Account: helper, Side: "buy", Shares: "300", MaxCost: "300"},
		{Account: main, Side: "sell", Shares: "100", MinProceeds: "0"},
	} {
		o.Market, o.Outcome = market, "yes"
		_, err := s.Trade(t.Context(), o)
		must(t, err)
	}
	return helper
}

// leaveOut has an account that loses to another be left out of the leaderboard.
func (p *page) leaveOut(helper string) {
	p.t.Helper()
	p.says(hook("transfer"), helper)
	p.click(`[aria-label="Leave out ` + helper + `"]`)
	p.clickWords("dialog", "Leave out")
	p.says(hook("unranked", "handle", helper), helper)
	p.says(hook("transfer"), "left out")
	p.untilLoaded()
	p.goTo("/leaderboard")
	p.says("main", "accounts that trade nowhere else lift nobody")
	if get[bool](p, find("main")+".textContent.includes('"+helper+"')") {
		p.t.Error("an account that is left out is on the leaderboard")
	}
	p.goTo("/admin")
}

func TestAccountsByKeyboard(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	p := s.visitor(t)
	p.faults.allow("401", "api/v1/notifications") // asked for as one signs out
	p.goTo("/signup")
	p.until("the handle has the focus", "document.activeElement.id === 'sign-up-name'")
	p.press("ana\t" + secret + "\t\r")
	p.says(hook("account-handle"), "ana")
	p.tabTo(hook("account-handle"))
	p.press("\r")
	p.until("Enter leads to the settings", "location.pathname === '/settings' && document.readyState === 'complete'")
	p.tabTo("#key-name")
	p.press("bot\r")
	p.says(hook("new-key"), db.KeyPrefix)
	p.until("the key has the focus", "document.activeElement.id === 'new-key'")
	p.tabTo("#new-key a")
	p.press("\r")
	p.until("the key is listed", find(hook("key"))+" !== null")
	p.tabTo(hook("key") + " button")
	p.press("\r")
	p.until("the question has the focus", "document.activeElement.closest('dialog') !== null")
	p.press("\t\r")
	p.until("no key is listed", find(hook("key"))+" === null && document.querySelector('#key-name') !== null")
	p.tabTo(hook("sign-out"))
	p.press("\r")
	p.says("account-menu", "Sign up")
}

// tabTo presses Tab until an element has the focus.
func (p *page) tabTo(selector string) {
	p.t.Helper()
	p.until("there is "+selector, find(selector)+" !== null")
	p.untilLoaded()
	for range 80 {
		if get[bool](p, "document.activeElement === "+find(selector)) {
			return
		}
		p.press("\t")
	}
	p.t.Fatalf("Tab does not lead to %s", selector)
}

func TestAProviderInABrowser(t *testing.T) {
	t.Parallel()
	m, err := mockoidc.Run()
	must(t, err)
	t.Cleanup(func() { _ = m.Shutdown() })
	s := open(t, siteOptions{signUp: server.OIDC, oidc: server.Provider{
		Issuer: m.Issuer(), ClientID: m.ClientID, ClientSecret: m.ClientSecret, Name: "Example ID",
	}})
	for _, first := range []bool{true, false} {
		p := s.visitor(t)
		p.goTo("/settings")
		p.click(hook("provider"))
		if first {
			p.says("h1", "Choose a handle")
			p.says("main", "Example ID has told us")
			p.untilLoaded()
			p.fill("#sign-up-name", "jane")
			p.click(hook("sign-up"))
		}
		p.until("it leads to the settings", "location.pathname === '/settings'")
		p.says(hook("account-handle"), "jane")
		p.says("main", "You can sign in with Example ID")
	}
}

func TestAccountPagesOnAPhone(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	p := s.phone(t)
	for _, path := range []string{"/signin", "/signup"} {
		p.goTo(path)
		p.fitsWidth(path)
		p.picture(strings.TrimPrefix(path, "/"))
	}
	p.enter(strings.Repeat("w", 32), secret, "sign-up")
	p.says(hook("account-handle"), "www")
	_, err := s.SetRole(t.Context(), strings.Repeat("w", 32), db.Admin, "")
	must(t, err)
	_, _, err = s.CreateKey(t.Context(), strings.Repeat("w", 32), strings.Repeat("W", 60), []string{"read", "trade", "operate"}, 0)
	must(t, err)
	_, _, _, err = s.CreateInvite(t.Context(), db.NewInvite{Uses: 3, Life: patience, Role: db.Trader}, "")
	must(t, err)
	for _, path := range []string{"/settings", "/admin"} {
		p.goTo(path)
		p.fitsWidth(path)
		p.picture(strings.TrimPrefix(path, "/"))
	}
}

func TestAccountPagesInLightAndDark(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{signUp: server.Open})
	p := s.admin(t)
	_, _, err := s.CreateKey(t.Context(), "root", "bot", []string{"read", "trade"}, 0)
	must(t, err)
	_, _, _, err = s.CreateInvite(t.Context(), db.NewInvite{Uses: 3, Life: patience, Role: db.Trader}, "")
	must(t, err)
	for path, selectors := range map[string][]string{
		"/signin":   {"h1", "label", "main .button", ".aside", ".notice"},
		"/signup":   {"h1", "label", ".hint", "main .button"},
		"/settings": {"h1", "h2", "th", "td", ".pill", ".hint", ".button-danger", "legend"},
		"/admin":    {"h1", "h2", "th", "td", ".button-danger", "label", "select"},
	} {
		p.goTo(path)
		for _, scheme := range []string{"light", "dark"} {
			p.prefer(scheme)
			p.until("the page is "+scheme, "getComputedStyle(document.documentElement).colorScheme === "+js(scheme))
			p.contrasts(scheme+" "+path, selectors)
			p.picture(strings.TrimPrefix(path, "/") + "-" + scheme)
		}
	}
}

// pictures names a folder in which tests keep pictures of pages, for whoever wants to look.
const pictures = "PGTAPE_TEST_PICTURES"

// picture keeps a picture of the page, if somebody wants any.
func (p *page) picture(name string) {
	p.t.Helper()
	dir := os.Getenv(pictures)
	if dir == "" {
		return
	}
	p.act("taking a picture", func(ctx context.Context) error {
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			return err
		}
		return os.WriteFile(dir+"/"+name+".png", picture, 0o644)
	})
}

func TestAHandleWithAPasswordIsNotEnteredByChoosingIt(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	ana, other := s.visitor(t), s.visitor(t)
	ana.goTo("/")
	ana.signIn("ana")
	ana.goTo("/settings")
	ana.says("main", "anybody can sign in by your handle")
	ana.fill("#new-password", secret)
	ana.click(hook("change-password"))
	ana.until("there is a password to change", find("#current-password")+" !== null")

	other.faults.allow("403")
	other.goTo("/")
	other.fill(hook("sign-in-handle"), "ana")
	other.click(hook("sign-in-button"))
	other.says(".sign-in-error", "ana is not open to whoever chooses the handle")
	other.picture("guarded")
	other.clickWords(".sign-in-error", "Sign in with a password")
	other.until("the page is for signing in", "location.pathname === '/signin'")
	other.enter("ana", secret, "sign-in")
	other.says(hook("account-handle"), "ana")
}
