package server_test

import (
	"net/http"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/password"
	"github.com/pgtape/pgtape/server"
)

// A password is hashed in its normal form; one that an earlier version hashed as it was typed is right
// still, and is hashed again.
func TestAPasswordOfAnotherNormalFormSignsIn(t *testing.T) {
	t.Parallel()
	s := open(t, policy(server.Open))
	const composed, apart = "Möbelstück 12", "Mo\u0308belstu\u0308ck 12"
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", apart); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	for _, typed := range []string{composed, apart} {
		if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", typed, "new", "false"); got.status != http.StatusCreated {
			t.Errorf("%+q: %s", typed, got)
		}
	}

	phc := func() (kept string) {
		must(t, s.Pool().QueryRow(t.Context(), "select phc from pgtape_core.credential").Scan(&kept))
		return kept
	}
	typed, _, err := password.NewHasher(1).Again(t.Context(), apart, phc())
	must(t, err)
	s.Exec(t, "update pgtape_core.credential set phc = $1", typed)
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", apart, "new", "false"); got.status != http.StatusCreated || phc() == typed {
		t.Errorf("as an earlier version kept it: %s", got)
	}
	if got, _ := s.enter(t, s.nobody(), "handle", "ana", "password", composed, "new", "false"); got.status != http.StatusCreated {
		t.Errorf("hashed again: %s", got)
	}
	if got := s.nobody().post(t, "/api/v1/session", `{"handle":"bo","password":"half of \ud83d it","new":true}`); got.code() != db.InvalidRequest {
		t.Errorf("half a character: %s", got)
	}
}
