package server_test

import (
	"net/http"
	"testing"
)

// A key that is not seen is a key: HTTP takes the spaces of ASCII off, and no others.
func TestAKeyThatIsNotSeenTradesOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	for _, key := range []string{"\u00a0", "\u3000", "\u200b", "\u00a0x"} {
		for _, want := range []int{http.StatusCreated, http.StatusOK} {
			if got := ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", key); got.status != want {
				t.Errorf("with the key %q: %s, want %d", key, got, want)
			}
		}
	}
	s.Verify(t)
}
