package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// What a page, or a program, asks for an account is done for that account or not at all.
func TestAChangeIsForTheAccountThatIsMeant(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana, bob := s.Market(t), s.signIn(t, "ana"), s.signIn(t, "bob")
	var page struct{ Shown string }
	embedded(t, ana.get(t, "/m/"+market), &page)
	if !strings.HasPrefix(page.Shown, "ana:") {
		t.Fatalf("the page is shown to %q", page.Shown)
	}
	other := []string{"X-Pgtape-Account", page.Shown, "Idempotency-Key", newKey()}
	changes := []struct{ method, path, body string }{
		{"POST", "/api/v1/markets/" + market + "/trades", buyTen},
		{"POST", "/api/v1/markets", `{"slug":"rain","question":"Will it rain?"}`},
		{"POST", "/api/v1/markets/" + market + "/moves", `{"move":"halt","reason":"x"}`},
		{"POST", "/api/v1/markets/" + market + "/comments", `{"body":"x"}`},
		{"POST", "/api/v1/notifications/read", `{}`},
		{"POST", "/api/v1/keys", `{"name":"x","scopes":["read"]}`},
		{"POST", "/api/v1/password", `{"password":"correct horse battery"}`},
		{"DELETE", "/api/v1/account", `{"handle":"bob"}`},
		{"DELETE", "/api/v1/sessions", ""},
		{"DELETE", "/api/v1/session", ""},
		{"POST", "/api/v1/session", `{"handle":"cy"}`},
		{"GET", "/api/v1/portfolio", ""},
		{"GET", "/api/v1/account/export", ""},
	}
	for _, change := range changes {
		headers := append([]string{"Content-Type", "application/json"}, other...)
		got := bob.do(t, change.method, change.path, strings.NewReader(change.body), headers...)
		if got.status != http.StatusConflict || got.code() != db.AccountChanged || !strings.Contains(got.String(), "bob") {
			t.Errorf("%s %s of ana's page as bob: %s", change.method, change.path, got)
		}
	}
	if got := bob.get(t, "/portfolio/history.csv?as="+page.Shown); got.code() != db.AccountChanged {
		t.Errorf("ana's link as bob: %s", got)
	}
	for _, meant := range []string{page.Shown, "ana", "ANA", ""} {
		got := ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "X-Pgtape-Account", meant, "Idempotency-Key", newKey())
		if got.status != http.StatusCreated {
			t.Errorf("ana as %q: %s", meant, got)
		}
	}

	// A handle whose owner has gone may be somebody else's by now: the name is not.
	if got := ana.do(t, "DELETE", "/api/v1/account", strings.NewReader(`{"handle":"ana"}`)); got.status != http.StatusOK {
		t.Fatal(got)
	}
	heir := s.signIn(t, "ana")
	if got := heir.get(t, "/api/v1/portfolio", "X-Pgtape-Account", page.Shown); got.code() != db.AccountChanged {
		t.Errorf("the page of who was called ana before: %s", got)
	}
	// Who is signed out is told that first.
	if got := s.nobody().get(t, "/api/v1/portfolio", "X-Pgtape-Account", page.Shown); got.code() != db.NotSignedIn {
		t.Errorf("nobody: %s", got)
	}
	s.Verify(t)
}
