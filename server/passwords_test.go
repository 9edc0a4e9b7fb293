package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

const secret = "correct horse battery"

func policy(p server.SignUp) func(*server.Config) {
	return func(c *server.Config) { c.SignUp = p }
}

// enter asks for a session with members of its body given as names and values.
func (s *site) enter(t *testing.T, u user, members ...string) (answer, user) {
	t.Helper()
	var pairs []string
	for i := 0; i < len(members); i += 2 {
		value := fmt.Sprintf("%q", members[i+1])
		if members[i+1] == "true" || members[i+1] == "false" {
			value = members[i+1]
		}
		pairs = append(pairs, fmt.Sprintf("%q:%s", members[i], value))
	}
	got := u.post(t, "/api/v1/session", "{"+strings.Join(pairs, ",")+"}")
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return got, user{s, cookie}
}

func TestSigningUpAndIn(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	steps := []struct {
		name string
		body []string
		want db.Code // empty: signed in
	}{
		{"signs up", []string{"handle", "ana", "password", secret}, ""},
		{"signs in", []string{"handle", "ana", "password", secret}, ""},
		{"signs in by another spelling", []string{"handle", "ANA", "password", secret, "new", "false"}, ""},
		{"is refused with a wrong password", []string{"handle", "ana", "password", secret + "!"}, db.NotSignedIn},
		{"is refused without the password", []string{"handle", "ana"}, db.NotSignedIn},
		{"cannot sign up on a taken handle", []string{"handle", "ana", "password", secret, "new", "true"}, db.AlreadyExists},
		{"cannot sign in as nobody", []string{"handle", "nobody", "password", secret, "new", "false"}, db.NotSignedIn},
		{"cannot sign up with a weak password", []string{"handle", "bo", "password", "password1"}, db.InvalidRequest},
		{"cannot sign up with the handle as password", []string{"handle", "somebody", "password", "Somebody"}, db.InvalidRequest},
		{"signs up without a password", []string{"handle", "cy", "new", "true"}, ""},
		{"cannot come back without one", []string{"handle", "cy"}, db.NotSignedIn},
		{"cannot come back with any", []string{"handle", "cy", "password", secret}, db.NotSignedIn},
		{"cannot use a link that is none", []string{"link", "NONSENSE", "password", secret}, db.NotPermitted},
		{"cannot use an invite that is none", []string{"handle", "dee", "invite", "NONSENSE", "new", "true"}, db.NotPermitted},
		{"cannot come from a provider that there is not", []string{"handle", "dee", "provider", "true"}, db.InvalidRequest},
	}
	for _, step := range steps {
		if got, _ := s.enter(t, s.nobody(), step.body...); got.code() != step.want || step.want == "" && got.status != http.StatusCreated {
			t.Errorf("somebody %s: %s, want %q", step.name, got, step.want)
		}
	}
	for _, handle := range []string{"bo", "somebody", "dee"} {
		if _, err := s.DB.DB.Account(t.Context(), handle); db.CodeOf(err) != db.NotFound {
			t.Errorf("%s has an account: %v", handle, err)
		}
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has a password")
	}
	s.Verify(t)
}

// Whether a handle exists, has no password, or has another cannot be told from words or time.
func TestARefusalTellsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Closed))
	for _, handle := range []string{"known", "bare"} {
		_, err := s.CreateAccount(t.Context(), handle, "")
		must(t, err)
	}
	link, _, err := s.CreateSignInLink(t.Context(), "known", time.Hour, "")
	must(t, err)
	if got, _ := s.enter(t, s.nobody(), "link", link, "password", secret); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	words, times := map[string]string{}, map[string][]time.Duration{}
	for range 5 {
		for _, handle := range []string{"known", "bare", "unknown"} {
			began := time.Now()
			got, _ := s.enter(t, s.nobody(), "handle", handle, "password", "something else")
			times[handle] = append(times[handle], time.Since(began))
			words[handle] = got.String()
		}
	}
	if words["known"] != words["bare"] || words["known"] != words["unknown"] {
		t.Errorf("words differ: %v", words)
	}
	quickest := func(handle string) time.Duration { return slices.Min(times[handle]) }
	for _, handle := range []string{"bare", "unknown"} {
		if 3*quickest(handle) < quickest("known") {
			t.Errorf("%s is refused in %v, known in %v", handle, quickest(handle), quickest("known"))
		}
	}
}

func TestAPolicyDecidesWhoSignsUp(t *testing.T) {
	t.Parallel()
	for _, p := range []server.SignUp{server.Handle, server.Open, server.Invite, server.Closed, server.OIDC, ""} {
		s := open(t, policy(p))
		created := p == server.Handle || p == server.Open
		got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", secret, "new", "true")
		if created != (got.status == http.StatusCreated) || !created && got.code() != db.NotPermitted {
			t.Errorf("%s: signing up: %s", p, got)
		}
		_, err := s.DB.DB.Account(t.Context(), "ana")
		if created != (err == nil) {
			t.Errorf("%s: %v", p, err)
		}
		// Whoever has a password signs in everywhere.
		if !created {
			_, err := s.CreateAccount(t.Context(), "ana", "")
			must(t, err)
			link, _, err := s.CreateSignInLink(t.Context(), "ana", time.Hour, "")
			must(t, err)
			if got, _ := s.enter(t, s.nobody(), "link", link, "password", secret); got.status != http.StatusCreated {
				t.Errorf("%s: by link: %s", p, got)
			}
		}
		if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", secret); got.status != http.StatusCreated {
			t.Errorf("%s: signing in: %s", p, got)
		}
	}
}

func TestAHandleAloneIsEnoughUntilItIsGuarded(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, _ := s.signIn(t, "ana"), s.signIn(t, "ana")
	if got := ana.post(t, "/api/v1/password", `{"password":"`+secret+`"}`); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "ana"); got.code() != db.NotPermitted {
		t.Errorf("an account with a password, by handle: %s", got)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", secret); got.status != http.StatusCreated {
		t.Errorf("by password: %s", got)
	}
	s.signIn(t, "bo")
	_, err := s.SetRole(t.Context(), "bo", db.Operator, "")
	must(t, err)
	if got, _ := s.enter(t, s.nobody(), "handle", "bo"); got.code() != db.NotPermitted {
		t.Errorf("an operator, by handle: %s", got)
	}
}

func TestAnInviteIsUsedUp(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Invite))
	code, id, _, err := s.CreateInvite(t.Context(), db.NewInvite{Uses: 2, Life: time.Hour, Role: db.Operator}, "")
	must(t, err)
	got, one := s.enter(t, s.nobody(), "handle", "one", "password", secret, "invite", code)
	if got.status != http.StatusCreated || !strings.Contains(got.String(), `"role":"operator"`) {
		t.Fatal(got)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "one", "password", secret, "invite", code, "new", "true"); got.code() != db.AlreadyExists {
		t.Errorf("a taken handle: %s", got)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "two", "invite", code); got.status != http.StatusCreated {
		t.Errorf("the second use, for a refusal uses nothing up: %s", got)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "three", "invite", code); got.code() != db.NotPermitted {
		t.Errorf("a third: %s", got)
	}
	var list struct{ Invites []db.Invite }
	one.get(t, "/api/v1/invites").read(t, &list)
	if len(list.Invites) != 1 || list.Invites[0].ID != id || list.Invites[0].Used != 2 {
		t.Errorf("%+v", list)
	}
	late, _, _, err := s.CreateInvite(t.Context(), db.NewInvite{Uses: 9, Life: time.Hour, Role: db.Trader}, "")
	must(t, err)
	s.Exec(t, "update pgtape_core.invite set expires_at = now()")
	if got, _ := s.enter(t, s.nobody(), "handle", "four", "invite", late); got.code() != db.NotPermitted {
		t.Errorf("an invite that has run out: %s", got)
	}
}

func TestAChangedPasswordSignsTheOthersOut(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	market := s.Market(t)
	_, here := s.enter(t, s.nobody(), "handle", "ana", "password", secret)
	_, there := s.enter(t, s.nobody(), "handle", "ana", "password", secret)
	there.trade(t, market, buyTen) // and is taken on trust
	if got := here.post(t, "/api/v1/password", `{"current":"wrong","password":"another horse battery"}`); got.code() != db.NotPermitted {
		t.Errorf("a wrong current password: %s", got)
	}
	if got := here.post(t, "/api/v1/password", fmt.Sprintf(`{"current":%q,"password":"12345678"}`, secret)); got.code() != db.InvalidRequest {
		t.Errorf("a weak password: %s", got)
	}
	got := here.post(t, "/api/v1/password", fmt.Sprintf(`{"current":%q,"password":"another horse battery"}`, secret))
	if got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	if got := (user{s, cookie}).get(t, "/api/v1/session"); got.status != http.StatusOK || cookie == here.cookie {
		t.Errorf("this browser: %s", got)
	}
	for name, old := range map[string]user{"another browser": there, "this one's old token": here} {
		if got := old.get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
			t.Errorf("%s: %s", name, got)
		}
		if got := old.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey()); got.code() != db.NotSignedIn {
			t.Errorf("%s trades: %s", name, got)
		}
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", secret); got.code() != db.NotSignedIn {
		t.Errorf("the old password: %s", got)
	}
	for _, hidden := range []string{secret, "another horse"} {
		if strings.Contains(s.log.String(), hidden) {
			t.Errorf("the log has %q", hidden)
		}
	}
}

func TestAnOldHashIsRenewed(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	s.enter(t, s.nobody(), "handle", "ana", "password", secret)
	// argon2id of the same password, with m=64,t=1,p=1 and the salt 0123456789abcdef.
	s.Exec(t, "update pgtape_core.credential set phc = $1", oldHash)
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", secret); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	if phc, err := s.Credential(t.Context(), "ana"); err != nil || !strings.Contains(phc, "m=19456,t=2,p=1") {
		t.Errorf("%s %v", phc, err)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", secret); got.status != http.StatusCreated {
		t.Errorf("once more: %s", got)
	}
}

func TestDevicesAreListedAndSignedOut(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	_, here := s.enter(t, s.nobody(), "handle", "ana", "password", secret)
	phone := s.nobody().post(t, "/api/v1/session", fmt.Sprintf(`{"handle":"ana","password":%q}`, secret),
		"User-Agent", "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36")
	cookie, _, _ := strings.Cut(phone.header.Get("Set-Cookie"), ";")
	_, third := s.enter(t, s.nobody(), "handle", "ana", "password", secret)

	var list struct{ Sessions []db.Session }
	here.get(t, "/api/v1/sessions").read(t, &list)
	if len(list.Sessions) != 3 || !list.Sessions[0].Current || list.Sessions[1].Current {
		t.Fatalf("%+v", list)
	}
	for _, device := range list.Sessions {
		if device.Label == "Chrome on Android" {
			if got := here.do(t, http.MethodDelete, fmt.Sprintf("/api/v1/sessions/%d", device.ID), nil); got.status != http.StatusNoContent {
				t.Fatal(got)
			}
		}
	}
	if got := (user{s, cookie}).get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
		t.Errorf("the phone: %s", got)
	}
	if got := third.get(t, "/api/v1/session"); got.status != http.StatusOK {
		t.Errorf("the third: %s", got)
	}
	if got := here.do(t, http.MethodDelete, "/api/v1/sessions", nil); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	if got := third.get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
		t.Errorf("the third, after all others: %s", got)
	}
	if got := here.get(t, "/api/v1/session"); got.status != http.StatusOK {
		t.Errorf("this one: %s", got)
	}
	// Signing in again replaces the token that the browser had.
	if _, again := s.enter(t, here, "handle", "ana", "password", secret); again.get(t, "/api/v1/session").status != http.StatusOK {
		t.Error("not signed in again")
	}
	if got := here.get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
		t.Errorf("the token from before: %s", got)
	}
}

func TestAnAdminRunsTheAccounts(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	_, root := s.enter(t, s.nobody(), "handle", "root", "password", secret)
	_, err := s.SetRole(t.Context(), "root", db.Admin, "")
	must(t, err)
	_, bare := s.enter(t, s.nobody(), "handle", "bare")
	_, ana := s.enter(t, s.nobody(), "handle", "ana", "password", secret)
	var key struct{ Key string }
	ana.post(t, "/api/v1/keys", `{"name":"bot","scopes":["read"]}`).read(t, &key)
	if got := ana.post(t, "/api/v1/keys", `{"name":"bot","scopes":["operate"]}`); got.code() != db.NotPermitted {
		t.Errorf("a trader's key to operate: %s", got)
	}

	if got := root.post(t, "/api/v1/accounts/bare/role", `{"role":"admin"}`); got.code() != db.NotPermitted {
		t.Errorf("a role for an account without a password: %s", got)
	}
	if got := root.post(t, "/api/v1/accounts/ana/role", `{"role":"operator"}`); got.status != http.StatusOK {
		t.Fatal(got)
	}
	if got := ana.get(t, "/api/v1/invites"); got.status != http.StatusOK {
		t.Errorf("the new operator: %s", got)
	}
	var people struct{ Accounts []db.Person }
	root.get(t, "/api/v1/accounts?q=AN").read(t, &people)
	if len(people.Accounts) != 1 || people.Accounts[0].Handle != "ana" || people.Accounts[0].Role != db.Operator ||
		people.Accounts[0].Keys != 1 || people.Accounts[0].Sessions != 1 || !people.Accounts[0].Guarded {
		t.Errorf("%+v", people)
	}
	if got := root.do(t, http.MethodDelete, "/api/v1/accounts/ana/access", nil); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	if got := ana.get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
		t.Errorf("ana's session: %s", got)
	}
	if got := s.nobody().get(t, "/api/v1/session", "Authorization", "Bearer "+key.Key); got.code() != db.NotSignedIn {
		t.Errorf("ana's key: %s", got)
	}

	var made struct{ Link string }
	root.post(t, "/api/v1/accounts/bare/link", `{}`).read(t, &made)
	address, link, _ := strings.Cut(made.Link, "#link=")
	if address != s.url+"/signin" {
		t.Errorf("link: %s", made.Link)
	}
	if page := s.nobody().do(t, http.MethodPost, "/signin", strings.NewReader("link="+link), "Content-Type", "application/x-www-form-urlencoded"); !strings.Contains(string(page.body), "<b>bare</b>") {
		t.Errorf("the link's page: %s", page)
	}
	if got, _ := s.enter(t, s.nobody(), "link", link, "password", "short"); got.code() != db.InvalidRequest {
		t.Errorf("a weak password by link: %s", got)
	}
	if got, back := s.enter(t, s.nobody(), "link", link, "password", secret); got.status != http.StatusCreated || back.get(t, "/api/v1/session").status != http.StatusOK {
		t.Errorf("by link: %s", got)
	}
	if got := bare.get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
		t.Errorf("the session from before the link: %s", got)
	}
	if got, _ := s.enter(t, s.nobody(), "link", link, "password", secret); got.code() != db.NotPermitted {
		t.Errorf("the link again: %s", got)
	}
	entries, err := s.Audit(t.Context(), 0, 50)
	must(t, err)
	var acts []string
	for _, e := range entries {
		if e.Actor == "root" {
			acts = append(acts, e.Act+" "+e.Subject)
		}
	}
	if want := []string{"link_made bare", "access_revoked ana", "role_given ana"}; !slices.Equal(acts, want) {
		t.Errorf("audited %v, want %v", acts, want)
	}
	if strings.Contains(s.log.String(), link) || strings.Contains(s.log.String(), key.Key) {
		t.Error("the log has a link or a key")
	}
}

func TestForgettingAnAccountsWaysIn(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	_, ana := s.enter(t, s.nobody(), "handle", "ana", "password", secret)
	key, _, err := s.CreateKey(t.Context(), "ana", "k", []string{"read"}, 0)
	must(t, err)
	must(t, s.LinkIdentity(t.Context(), "ana", db.Identity{Issuer: "https://id", Subject: "1"}))
	s.Exec(t, "select pgtape_core.forget_access((select id from pgtape_core.account where handle = 'ana'))")
	if got := ana.get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
		t.Errorf("a session: %s", got)
	}
	if got := s.nobody().get(t, "/api/v1/session", "Authorization", "Bearer "+key); got.code() != db.NotSignedIn {
		t.Errorf("a key: %s", got)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", secret); got.code() != db.NotSignedIn {
		t.Errorf("the password: %s", got)
	}
	if handle, err := s.IdentityAccount(t.Context(), db.Identity{Issuer: "https://id", Subject: "1"}); handle != "" || err != nil {
		t.Errorf("the identity: %s %v", handle, err)
	}
}

func TestAPageThatNeedsAnAccountAsksForOne(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	got := s.nobody().get(t, "/settings?a=b", "Accept", "text/html")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/signin?to=%2Fsettings%3Fa%3Db" {
		t.Errorf("%s %v", got, got.header)
	}
	if got := s.nobody().get(t, "/settings", "Accept", "text/html", "Authorization", "Bearer x"); got.status != http.StatusUnauthorized {
		t.Errorf("with a bad key: %s", got)
	}
	for to, want := range map[string]string{"/m/rain?x=1": "/m/rain?x=1", "//evil": "/", "https://evil": "/", `/\evil`: "/", "": "/"} {
		var state struct{ To string }
		embedded(t, s.nobody().get(t, "/signin?to="+strings.ReplaceAll(to, "?", "%3F")), &state)
		if state.To != want {
			t.Errorf("to %q leads to %q, want %q", to, state.To, want)
		}
	}
}

const oldHash = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$/ur5fLELUb1eXkT9oKHqq6gHGZ9Phwgbj4qyIcCNaYc"
