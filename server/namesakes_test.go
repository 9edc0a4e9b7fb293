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
