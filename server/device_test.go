package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// deviceOf is the cookie by which a browser is known that has signed in.
func deviceOf(t *testing.T, got answer) string {
	t.Helper()
	for _, cookie := range got.header.Values("Set-Cookie") {
		if strings.HasPrefix(cookie, "pgtape_device=") {
			value, _, _ := strings.Cut(cookie, ";")
			return value
		}
	}
	t.Fatalf("no cookie of the device: %v", got.header)
	return ""
}

// Limits count whoever tries, not whom he tries it with.
func TestNobodyLocksAnotherOut(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{SignIns: 2}), trusting, policy(server.Open)) // 20 of an address
	enter := func(cookie, address, handle, secret string) answer {
		return user{s, cookie}.post(t, "/api/v1/session", fmt.Sprintf(`{"handle":%q,"password":%q,"new":false}`, handle, secret), from(address)...)
	}
	sign := func(handle, address string) string {
		return deviceOf(t, s.nobody().post(t, "/api/v1/session", fmt.Sprintf(`{"handle":%q,"password":%q,"new":true}`, handle, secret), from(address)...))
	}
	ana, eve := sign("ana", "192.0.2.1"), sign("eve", "192.0.2.2")

	// Wrong passwords, from many addresses: each is stopped by itself, and the owner is not.
	for n := range 6 {
		address := fmt.Sprint("198.51.100.", n)
		for try := range 3 {
			want := db.NotSignedIn
			if try == 2 {
				want = db.TooManyRequests
			}
			if got := enter("", address, "ana", "guess"); got.code() != want {
				t.Errorf("guess %d from %s: %s", try, address, got)
			}
		}
	}
	if got := enter("", "203.0.113.1", "ana", secret); got.status != http.StatusCreated {
		t.Errorf("the owner somewhere else: %s", got)
	}

	// From the owner's own address, used up by a neighbour: the device has signed in before.
	for n := range 25 {
		enter("", "192.0.2.1", fmt.Sprint("guest", n), "guess")
	}
	for name, cookie := range map[string]string{
		"no device": "", "a made-up one": "pgtape_device=ana:1/AAAAAAAAAAAAAAAAAAAAAA", "somebody else's": eve,
	} {
		got := enter(cookie, "192.0.2.1", "ana", secret)
		if got.code() != db.TooManyRequests || !strings.Contains(got.String(), "signed in to the account before") || got.header.Get("Retry-After") == "" {
			t.Errorf("with %s: %s", name, got)
		}
	}
	if got := enter(ana, "192.0.2.1", "ana", secret); got.status != http.StatusCreated {
		t.Errorf("with the owner's: %s", got)
	}
	for range 3 {
		enter(ana, "192.0.2.1", "ana", "guess")
	}
	if got := enter(ana, "192.0.2.1", "ana", secret); got.code() != db.TooManyRequests {
		t.Errorf("guessing on the device: %s", got)
	}
}

// Each browser has a share of its own: from a computer that was shared once, nobody uses up that of the
// owner's others. A cookie of before, which all browsers of an account had alike, is none.
func TestADeviceUsesUpItsOwnShare(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{SignIns: 2}), trusting, policy(server.Open))
	enter := func(cookie, address, secret string) answer {
		return user{s, cookie}.post(t, "/api/v1/session", fmt.Sprintf(`{"handle":"ana","password":%q,"new":false}`, secret), from(address)...)
	}
	first := s.nobody().post(t, "/api/v1/session", fmt.Sprintf(`{"handle":"ana","password":%q,"new":true}`, secret), from("192.0.2.1")...)
	shared, own := deviceOf(t, first), deviceOf(t, enter("", "192.0.2.2", secret))
	if shared == own {
		t.Fatal("two browsers have one cookie")
	}
	if again := deviceOf(t, enter(own, "192.0.2.2", secret)); again != own {
		t.Errorf("who signs in again is another device: %s, before %s", again, own)
	}
	for range 3 {
		enter(shared, "198.51.100.1", "guess")
	}
	if got := enter(shared, "198.51.100.2", secret); got.code() != db.TooManyRequests {
		t.Errorf("guessing on the shared computer: %s", got)
	}

	account, _, _ := strings.Cut(strings.TrimPrefix(own, "pgtape_device="), "/")
	key, err := s.DeviceKey(t.Context())
	must(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("device " + account))
	before := "pgtape_device=" + account + "/" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
	for range 25 {
		enter("", "192.0.2.3", "guess")
	}
	if got := enter(before, "192.0.2.3", secret); got.code() != db.TooManyRequests {
		t.Errorf("with a cookie of before: %s", got)
	}
	if got := enter(own, "192.0.2.3", secret); got.status != http.StatusCreated {
		t.Errorf("on the owner's own device: %s", got)
	}
}

// Recovery links that are none count where they come from.
func TestNobodyKeepsLinksFromWorking(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{SignIns: 2}), trusting, policy(server.Open))
	_, err := s.CreateAccount(t.Context(), "ana", "")
	must(t, err)
	use := func(link, address string) answer {
		return s.nobody().post(t, "/api/v1/session", fmt.Sprintf(`{"link":%q,"password":%q}`, link, secret), from(address)...)
	}
	refused := false
	for range 30 {
		refused = refused || use("NONSENSE", "192.0.2.1").code() == db.TooManyRequests
	}
	if !refused {
		t.Error("links may be tried for ever")
	}
	link, _, err := s.CreateSignInLink(t.Context(), "ana", time.Hour, "")
	must(t, err)
	if got := use(link, "192.0.2.2"); got.status != http.StatusCreated {
		t.Errorf("a good link from elsewhere: %s", got)
	}
}
