package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// age makes all sessions ones of an hour ago.
func (s *site) age(t *testing.T) {
	t.Helper()
	s.Exec(t, "update pgtape_core.session set created_at = created_at - interval '1 hour'")
}

// Whoever only has somebody's browser cannot make what lets him in afterwards.
func TestAWayInNeedsItsOwner(t *testing.T) {
	t.Parallel()
	s, _ := provider(t, server.Open)
	_, root := s.enter(t, s.nobody(), "handle", "root", "password", secret)
	_, err := s.SetRole(t.Context(), "root", db.Admin, "")
	must(t, err)
	s.enter(t, s.nobody(), "handle", "ana", "password", secret)
	s.age(t)
	ways := []struct {
		path, members string
		want          int
	}{
		{"/api/v1/keys", `"name":"bot","scopes":["trade"]`, http.StatusCreated},
		{"/api/v1/identity", "", http.StatusOK},
		{"/api/v1/accounts/ana/role", `"role":"operator"`, http.StatusOK},
		{"/api/v1/accounts/ana/link", "", http.StatusCreated},
		{"/api/v1/invites", `"role":"admin"`, http.StatusCreated},
	}
	for _, way := range ways {
		with := func(secret string) string {
			current := `"current":"` + secret + `"`
			return "{" + strings.Trim(way.members+","+current, ",") + "}"
		}
		if got := root.post(t, way.path, "{"+way.members+"}"); got.code() != db.NotConfirmed || !strings.Contains(got.String(), `"password":true`) {
			t.Errorf("%s without the password: %s", way.path, got)
		}
		if got := root.post(t, way.path, with("wrong")); got.code() != db.NotPermitted {
			t.Errorf("%s with a wrong one: %s", way.path, got)
		}
		if got := root.post(t, way.path, with(secret)); got.status != way.want {
			t.Errorf("%s with it: %s", way.path, got)
		}
	}
	_, fresh := s.enter(t, s.nobody(), "handle", "root", "password", secret)
	for _, way := range ways {
		if got := fresh.post(t, way.path, "{"+way.members+"}"); got.status != way.want {
			t.Errorf("%s just signed in: %s", way.path, got)
		}
	}
	if got := root.post(t, "/api/v1/identity", `{"current":"`+secret+`"}`, "Origin", "https://evil.example"); got.status != http.StatusForbidden {
		t.Errorf("linking for another site: %s", got)
	}
}

// An account that has an identity and no password: the sign-in has to be fresh, also to set the first one.
func TestAnIdentityConfirmsByBeingUsed(t *testing.T) {
	t.Parallel()
	s, _ := provider(t, server.Open)
	w := s.window(t)
	enter := func() { w.visit(w.through(w.toProvider("/signin/oidc"))) }
	enter()
	if got := w.post("/api/v1/session", `{"provider":true,"handle":"ana"}`); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	s.age(t)
	for path, body := range map[string]string{
		"/api/v1/keys":     `{"name":"bot","scopes":["trade"],"current":"anything"}`,
		"/api/v1/password": `{"current":"anything","password":"` + secret + `"}`,
	} {
		if got := w.post(path, body); got.code() != db.NotConfirmed || !strings.Contains(got.String(), "sign in again") {
			t.Errorf("%s of an old session: %s", path, got)
		}
	}
	enter()
	if got := w.post("/api/v1/password", `{"password":"`+secret+`"}`); got.status != http.StatusNoContent {
		t.Errorf("of a fresh one: %s", got)
	}

	// A link of another site does not link: it signs in, as whoever the identity belongs to.
	other := s.window(t)
	other.post("/api/v1/session", `{"handle":"bo"}`)
	other.visit(other.through(other.toProvider("/signin/oidc?link=1")))
	if ways, err := s.WaysIn(t.Context(), "bo"); err != nil || ways.Issuer != "" {
		t.Errorf("bo has %+v (%v)", ways, err)
	}
}

func TestTheOwnerIsToldAndMayEndAllElse(t *testing.T) {
	t.Parallel()
	s, _ := provider(t, server.Open)
	w := s.window(t)
	w.post("/api/v1/session", `{"handle":"ana","password":"`+secret+`"}`)
	makeKey := func() string {
		var made struct{ Key string }
		got := w.post("/api/v1/keys", `{"name":"bot","scopes":["read"]}`)
		got.read(t, &made)
		if got.status != http.StatusCreated {
			t.Fatal(got)
		}
		return made.Key
	}
	holds := func(key string) int {
		return s.nobody().get(t, "/api/v1/portfolio", "Authorization", "Bearer "+key).status
	}
	first := makeKey()
	if leads, page := w.visit(w.through(w.toLink(`{}`))); leads != "/settings" {
		t.Fatalf("linking leads to %q: %s", leads, page)
	}
	if got := w.post("/api/v1/password", `{"current":"`+secret+`","password":"a second horse"}`); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	if holds(first) != http.StatusOK {
		t.Error("a key ends though nobody chose that")
	}
	if got := w.post("/api/v1/password", `{"current":"a second horse","password":"a third horse","end_access":true}`); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	second := makeKey()
	if ways, err := s.WaysIn(t.Context(), "ana"); err != nil || ways.Issuer != "" || holds(first) != http.StatusUnauthorized || holds(second) != http.StatusOK {
		t.Errorf("after a change that ends all: %+v, keys %d and %d (%v)", ways, holds(first), holds(second), err)
	}
	link, _, err := s.CreateSignInLink(t.Context(), "ana", time.Hour, "")
	must(t, err)
	if got := w.post("/api/v1/session", `{"link":"`+link+`","password":"a fourth horse","end_access":true}`); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	if holds(second) != http.StatusUnauthorized {
		t.Errorf("after a recovery that ends all the key gets %d", holds(second))
	}
	list, err := s.Notifications(t.Context(), "ana", 0, 50)
	must(t, err)
	var kinds []string
	for _, n := range list {
		kinds = append(kinds, n.Kind)
	}
	if got := strings.Join(kinds, " "); got != "password_changed key_made password_changed password_changed identity_linked key_made" {
		t.Errorf("told: %s", got)
	}
	if _, page := w.visit("/notifications"); !strings.Contains(string(page.body), "Was it not you?") {
		t.Errorf("the page does not say what to do: %s", page)
	}
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	_, root := s.enter(t, s.nobody(), "handle", "root", "password", secret)
	s.enter(t, s.nobody(), "handle", "bare")
	for _, handle := range []string{"root", "bare"} {
		_, err := s.SetRole(t.Context(), handle, db.Admin, "")
		must(t, err)
	}
	// Another admin who cannot sign in again is none that could help.
	leave := func() answer { return root.post(t, "/api/v1/accounts/root/role", `{"role":"trader"}`) }
	if got := leave(); got.code() != db.NotPermitted || !strings.Contains(got.String(), "last admin who can sign in") {
		t.Errorf("giving it up: %s", got)
	}
	if _, err := s.SetRole(t.Context(), "root", db.Operator, ""); db.CodeOf(err) != db.NotPermitted {
		t.Errorf("in SQL: %v", err)
	}
	got := root.do(t, http.MethodDelete, "/api/v1/account", strings.NewReader(`{"handle":"root","password":"`+secret+`"}`), "Content-Type", "application/json")
	if got.code() != db.NotPermitted {
		t.Errorf("leaving: %s", got)
	}
	if _, err := s.SetRole(t.Context(), "bare", db.Trader, ""); err != nil {
		t.Errorf("one who cannot sign in: %v", err)
	}
	s.enter(t, s.nobody(), "handle", "eve", "password", secret)
	_, err := s.SetRole(t.Context(), "eve", db.Admin, "")
	must(t, err)
	if got := leave(); got.status != http.StatusOK {
		t.Errorf("with another: %s", got)
	}
	if _, err := s.DeleteAccount(t.Context(), "eve", "eve"); db.CodeOf(err) != db.NotPermitted {
		t.Errorf("then the other is the last: %v", err)
	}
}
