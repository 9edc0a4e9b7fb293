package server_test

import (
	"net/http"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// A session that trades is remembered, so that a trade asks the database once; signing out ends it
// all the same.
func TestASessionIsRememberedUntilItsEnd(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	trade := func(key string) answer {
		return ana.post(t, "/api/v1/markets/"+market+"/trades", `{"outcome":"yes","side":"buy","shares":"1","max_cost":"1"}`, "Idempotency-Key", key)
	}
	if got := trade("asks"); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	s.Exec(t, "alter table pgtape_core.session rename to hidden") // whoever asks fails
	if got := trade("does not"); got.status != http.StatusCreated {
		t.Errorf("%s, want a trade without asking who it is", got)
	}
	s.Exec(t, "alter table pgtape_core.hidden rename to session")
	if got := ana.do(t, http.MethodDelete, "/api/v1/session", nil); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	for _, key := range []string{"after", "does not"} {
		if got := trade(key); got.code() != db.NotSignedIn {
			t.Errorf("after signing out: %s", got)
		}
	}
	if got := (user{s, "pgtape_session=nonsense"}).post(t, "/api/v1/markets/"+market+"/trades", `{}`); got.code() != db.NotSignedIn {
		t.Errorf("a token that is none: %s", got)
	}
}
