package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// The node that has taken a session on trust does not hear that another has deleted its account.
func TestASessionOfADeletedAccountIsNotTheNextOnesOfItsHandle(t *testing.T) {
	t.Parallel()
	here := open(t)
	there := openOn(t, here.DB)
	market := here.Market(t)
	for _, handle := range []string{"ana", "Bo.b"} {
		ana := here.signIn(t, handle)
		onThere := user{there, ana.cookie}
		buy := func(u user) answer {
			return u.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey())
		}
		for _, u := range []user{ana, onThere} {
			if got := buy(u); got.status != http.StatusCreated {
				t.Fatal(got)
			}
		}
		if got := ana.do(t, http.MethodDelete, "/api/v1/account", strings.NewReader(`{"handle":"`+handle+`"}`), "Content-Type", "application/json"); got.status != http.StatusOK {
			t.Fatal(got)
		}
		stranger := there.signIn(t, strings.ToLower(handle))
		for range 2 {
			for _, u := range []user{ana, onThere} {
				if got := buy(u); got.status != http.StatusUnauthorized {
					t.Errorf("the session of %s, whose account is deleted, trades: %s", handle, got)
				}
			}
		}
		var portfolio struct {
			Account   db.Account
			Positions []db.Position
		}
		stranger.get(t, "/api/v1/portfolio").read(t, &portfolio)
		if portfolio.Account.Balance != "1000.000000" || len(portfolio.Positions) != 0 {
			t.Errorf("who has the handle now has %+v, want nothing bought", portfolio)
		}
	}
	if got := here.nobody().post(t, "/api/v1/session", map[string]string{"handle": "gone-deadbeef"}); got.code() != db.InvalidRequest {
		t.Errorf("a handle that only those have who left: %s", got)
	}
	here.Verify(t)
}

// The server names accounts to the database by their ids; to callers that is no name of anybody.
func TestAnIDIsNoHandle(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, boss := s.signIn(t, "ana"), s.operator(t, "boss")
	s.Exec(t, "select pgtape.set_role('boss', 'admin')")
	account, err := s.DB.DB.Account(t.Context(), "ana")
	must(t, err)
	for _, name := range []string{account.Ref(), "#0" + account.Ref()[1:], "#000" + account.Ref()[1:]} {
		if got := s.nobody().post(t, "/api/v1/session", map[string]string{"handle": name}); got.code() != db.InvalidRequest {
			t.Errorf("signing in as %s: %s", name, got)
		}
		at := strings.Replace(name, "#", "%23", 1)
		for _, path := range []string{"/u/" + at, "/api/v1/accounts/" + at, "/u/%2323" + at} {
			if got := ana.get(t, path); got.status != http.StatusNotFound {
				t.Errorf("%s: %s", path, got)
			}
		}
		for _, path := range []string{"/role", "/link"} {
			if got := boss.post(t, "/api/v1/accounts/"+at+path, `{"role":"operator"}`); got.code() != db.NotFound {
				t.Errorf("%s%s: %s", name, path, got)
			}
		}
	}
	if got := ana.get(t, "/api/v1/session"); got.status != http.StatusOK {
		t.Error(got)
	}
}
