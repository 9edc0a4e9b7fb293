package server_test

import (
	"fmt"
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

// A key is one key however it was pasted: revoked, it is in no spelling taken any more.
func TestAKeyEndsInEverySpelling(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	var made struct {
		ID  int64  `json:"id"`
		Key string `json:"key"`
	}
	ana.post(t, "/api/v1/keys", `{"name":"bot","scopes":["read"]}`).read(t, &made)
	spelled := map[string]string{"plain": made.Key, "zero-width": made.Key + "\u200b", "no-break": "\u00a0" + made.Key, "joiner": made.Key + "\u2060\ufeff"}
	portfolio := func(key string) answer {
		return s.nobody().do(t, http.MethodGet, "/api/v1/portfolio", nil, "Authorization", "Bearer "+key)
	}
	for name, key := range spelled {
		if got := portfolio(key); got.status != http.StatusOK {
			t.Fatalf("%s: %s", name, got)
		}
	}
	if got := ana.do(t, http.MethodDelete, fmt.Sprint("/api/v1/keys/", made.ID), nil); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	for name, key := range spelled {
		if got := portfolio(key); got.code() != db.NotSignedIn {
			t.Errorf("revoked, %s: %s", name, got)
		}
	}
}
