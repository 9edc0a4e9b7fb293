package server_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// provider starts an OpenID Connect provider in this process, and a server that knows it.
func provider(t *testing.T, p server.SignUp) (*site, *mockoidc.MockOIDC) {
	t.Helper()
	m, err := mockoidc.Run()
	must(t, err)
	t.Cleanup(func() { _ = m.Shutdown() })
	return open(t, func(c *server.Config) {
		c.SignUp = p
		c.OIDC = server.Provider{Issuer: m.Issuer(), ClientID: m.ClientID, ClientSecret: m.ClientSecret, Name: "Example ID"}
	}), m
}

// window is a browser: it keeps cookies, and stops at each redirect.
type window struct {
	t      *testing.T
	site   *site
	client *http.Client
}

func (s *site) window(t *testing.T) *window {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &window{t, s, &http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// visit goes to an address and returns where that leads to; empty when it is a page.
func (w *window) visit(address string) (leads string, page answer) {
	w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = w.site.url + address
	}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, nil)
	must(w.t, err)
	request.Header.Set("Accept", "text/html")
	return w.send(request)
}

func (w *window) post(path, body string) answer {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.site.url+path, strings.NewReader(body))
	must(w.t, err)
	request.Header.Set("Content-Type", "application/json")
	_, got := w.send(request)
	return got
}

func (w *window) send(request *http.Request) (leads string, got answer) {
	w.t.Helper()
	response, err := w.client.Do(request)
	must(w.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(w.t, err)
	return response.Header.Get("Location"), answer{response.StatusCode, response.Header, text}
}

// toProvider begins a sign-in and returns the address at the provider.
func (w *window) toProvider(path string) string {
	w.t.Helper()
	leads, page := w.visit(path)
	if page.status != http.StatusSeeOther || !strings.Contains(leads, "code_challenge_method=S256") {
		w.t.Fatalf("%s: %s", path, page)
	}
	return leads
}

// toLink begins to link an identity and returns the address at the provider.
func (w *window) toLink(body string) string {
	w.t.Helper()
	got := w.post("/api/v1/identity", body)
	var answer struct{ Location string }
	got.read(w.t, &answer)
	if got.status != http.StatusOK || !strings.Contains(answer.Location, "code_challenge_method=S256") {
		w.t.Fatalf("linking: %s", got)
	}
	return answer.Location
}

// through signs in at the provider and returns the address to come back to.
func (w *window) through(address string) string {
	w.t.Helper()
	back, page := w.visit(address)
	if page.status != http.StatusFound {
		w.t.Fatalf("at the provider: %s", page)
	}
	return back
}

// with changes a parameter of an address.
func with(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// whoAmI is the handle that the window is signed in as.
func (w *window) whoAmI() string {
	w.t.Helper()
	_, got := w.visit("/api/v1/session")
	if got.status != http.StatusOK {
		return ""
	}
	var account db.Account
	got.read(w.t, &account)
	return account.Handle
}

func TestAProviderSignsInAndUp(t *testing.T) {
	t.Parallel()
	s, m := provider(t, server.OIDC)
	_, err := s.CreateAccount(t.Context(), "jane.doe", "") // the handle that would be suggested
	must(t, err)

	first := s.window(t)
	leads, page := first.visit(first.through(first.toProvider("/signin/oidc?to=/m/rain")))
	if leads != "/signup?provider=1" {
		t.Fatalf("the first time leads to %q: %s", leads, page)
	}
	var state struct {
		Handle, To string
		Pending    bool
	}
	_, page = first.visit(leads)
	embedded(t, page, &state)
	if state.Handle != "jane.doe2" || state.To != "/m/rain" || !state.Pending {
		t.Errorf("suggested: %+v", state)
	}
	if got := first.post("/api/v1/session", `{"provider":true,"handle":"jane.doe"}`); got.code() != db.AlreadyExists {
		t.Errorf("a taken handle: %s", got)
	}
	if got := first.post("/api/v1/session", `{"provider":true,"handle":"jane"}`); got.status != http.StatusCreated || first.whoAmI() != "jane" {
		t.Errorf("choosing a handle: %s", got)
	}
	if got := first.post("/api/v1/session", `{"provider":true,"handle":"jane3"}`); got.code() != db.InvalidRequest {
		t.Errorf("twice: %s", got)
	}

	second := s.window(t)
	if leads, _ := second.visit(second.through(second.toProvider("/signin/oidc?to=/m/rain"))); leads != "/m/rain" || second.whoAmI() != "jane" {
		t.Errorf("the second time leads to %q as %q", leads, second.whoAmI())
	}

	// Somebody else of the provider is somebody else here.
	m.QueueUser(&mockoidc.MockUser{Subject: "other", PreferredUsername: "<script> ñ", Email: "x@example.com"})
	other := s.window(t)
	leads, _ = other.visit(other.through(other.toProvider("/signin/oidc")))
	_, page = other.visit(leads)
	embedded(t, page, &state)
	if state.Handle != "script" {
		t.Errorf("suggested: %+v", state)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "new", "password", secret, "new", "true"); got.code() != db.NotPermitted {
		t.Errorf("signing up without the provider: %s", got)
	}
	s.Verify(t)
}

func TestAProviderThatSaysNo(t *testing.T) {
	t.Parallel()
	s, m := provider(t, server.OIDC)
	refused := func(name string, w *window, back string, status int, words string) {
		t.Helper()
		leads, page := w.visit(back)
		if page.status != status || leads != "" || !strings.Contains(string(page.body), words) {
			t.Errorf("%s: leads to %q, %s", name, leads, page)
		}
		if w.whoAmI() != "" {
			t.Errorf("%s: signed in", name)
		}
	}
	begin := func() (*window, string) {
		w := s.window(t)
		return w, w.toProvider("/signin/oidc")
	}

	w, address := begin()
	back := w.through(address)
	refused("another state", w, with(t, back, "state", "forged"), 400, "begun in another browser")
	refused("another browser", s.window(t), back, 400, "begun in another browser")
	if leads, _ := w.visit(back); leads != "/signup?provider=1" {
		t.Errorf("a forged state has spoilt the real one: leads to %q", leads)
	}
	refused("the same answer again", w, back, 400, "begun in another browser")

	w, address = begin()
	refused("another nonce", w, w.through(with(t, address, "nonce", "forged")), 403, "has not confirmed")

	w, address = begin()
	back = with(t, w.through(address), "error", "access_denied")
	refused("denied", w, back, 403, "said no")

	w, address = begin()
	used := w.through(address)
	w.visit(used)
	w, address = begin()
	code, err := url.Parse(used)
	must(t, err)
	refused("a code that has been used", w, with(t, w.through(address), "code", code.Query().Get("code")), 403, "has not confirmed")
	w, address = begin()
	refused("a code that is none", w, with(t, w.through(address), "code", "nonsense"), 403, "has not confirmed")

	w, address = begin()
	back = w.through(address)
	m.QueueError(&mockoidc.ServerError{Code: http.StatusInternalServerError, Error: mockoidc.InternalServerError})
	refused("a provider in trouble", w, back, 503, "cannot be reached")

	w, address = begin()
	back = w.through(address)
	m.FastForward(-2 * time.Hour)
	refused("a token that has run out", w, back, 403, "has not confirmed")
	m.FastForward(2 * time.Hour)

	w, address = begin()
	back = w.through(address)
	must(t, m.Shutdown())
	refused("a provider that has gone", w, back, 503, "cannot be reached")
	for _, hidden := range []string{m.ClientSecret} {
		if strings.Contains(s.log.String(), hidden) {
			t.Error("the log has the client's secret")
		}
	}
}

func TestAServerStartsWithoutItsProvider(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) {
		c.SignUp = server.OIDC
		c.OIDC = server.Provider{Issuer: "http://127.0.0.1:1", ClientID: "x"}
	})
	w := s.window(t)
	if _, page := w.visit("/signin/oidc"); page.status != http.StatusServiceUnavailable || !strings.Contains(string(page.body), "127.0.0.1 cannot be reached") {
		t.Errorf("%s", page)
	}
	if _, page := w.visit("/signin"); page.status != http.StatusOK {
		t.Errorf("%s", page)
	}
}

func TestAnIdentityIsLinkedAndUnlinked(t *testing.T) {
	t.Parallel()
	s, _ := provider(t, server.Open)
	ana, bo := s.window(t), s.window(t)
	if got := ana.post("/api/v1/identity", `{}`); got.code() != db.NotSignedIn {
		t.Errorf("linking without an account: %s", got)
	}
	ana.post("/api/v1/session", `{"handle":"ana","password":"`+secret+`"}`)
	bo.post("/api/v1/session", `{"handle":"bo"}`)
	if leads, page := ana.visit(ana.through(ana.toLink(`{}`))); leads != "/settings" {
		t.Fatalf("linking leads to %q: %s", leads, page)
	}
	if _, page := bo.visit(bo.through(bo.toLink(`{}`))); page.status != http.StatusConflict {
		t.Errorf("linking the same to another: %s", page)
	}
	other := s.window(t)
	if leads, _ := other.visit(other.through(other.toProvider("/signin/oidc"))); leads != "/" || other.whoAmI() != "ana" {
		t.Errorf("signing in leads to %q as %q", leads, other.whoAmI())
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.url+"/api/v1/identity", nil)
	must(t, err)
	if _, got := ana.send(request); got.status != http.StatusNoContent {
		t.Errorf("unlinking: %s", got)
	}
	leads, _ := other.visit(other.through(other.toProvider("/signin/oidc")))
	if leads != "/signup?provider=1" {
		t.Errorf("after unlinking it leads to %q", leads)
	}
	if got := other.post("/api/v1/session", `{"provider":true,"handle":"cy"}`); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	request, err = http.NewRequestWithContext(t.Context(), http.MethodDelete, s.url+"/api/v1/identity", nil)
	must(t, err)
	if _, got := other.send(request); got.code() != db.NotPermitted {
		t.Errorf("unlinking the only way in: %s", got)
	}
}

func TestAnInviteGoesThroughTheProvider(t *testing.T) {
	t.Parallel()
	s, _ := provider(t, server.Invite)
	w := s.window(t)
	if _, page := w.visit(w.through(w.toProvider("/signin/oidc"))); page.status != http.StatusForbidden || !strings.Contains(string(page.body), "need an invite") {
		t.Errorf("without: %s", page)
	}
	code, _, _, err := s.CreateInvite(t.Context(), db.NewInvite{Uses: 1, Life: time.Hour, Role: db.Trader}, "")
	must(t, err)
	w.visit(w.through(w.toProvider("/signin/oidc?invite=" + code)))
	if got := w.post("/api/v1/session", `{"provider":true,"handle":"jane"}`); got.status != http.StatusCreated {
		t.Errorf("with: %s", got)
	}
}
