package server_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/server"
)

// Origin and Host are compared as what they name, and a trusted proxy says by which name it was called.
func TestAPageOfThisHostIsKnownHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	plain := open(t)
	behind := open(t, func(c *server.Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	tests := []struct {
		site                    *site
		host, origin, forwarded string
		same                    bool
	}{
		{plain, "ex.org", "https://ex.org", "", true},
		{plain, "ex.org:443", "https://ex.org", "", true},
		{plain, "ex.org", "https://ex.org:443", "", true},
		{plain, "EX.org", "https://ex.ORG:443", "", true},
		{plain, "ex.org:80", "http://ex.org", "", true},
		{plain, "ex.org.", "https://ex.org", "", true},
		{plain, "[::1]:8080", "http://[::1]:8080", "", true},
		{plain, "ex.org:80", "https://ex.org", "", false},
		{plain, "ex.org:8443", "https://ex.org", "", false},
		{plain, "ex.org", "https://ex.org:8443", "", false},
		{plain, "ex.org", "https://evil.example", "", false},
		{plain, "ex.org", "null", "", false},
		{plain, "ex.org", "https://ex.org.evil.example", "", false},
		{plain, "inner:8080", "https://ex.org", "ex.org", false}, // nobody trusts that proxy
		{behind, "inner:8080", "https://ex.org", "ex.org", true},
		{behind, "inner:8080", "https://ex.org", "ex.org:443", true},
		{behind, "inner:8080", "https://ex.org", "evil.example, ex.org", true}, // the last is the proxy's own
		{behind, "inner:8080", "https://evil.example", "evil.example, ex.org", false},
		{behind, "inner:8080", "https://inner:8080", "ex.org", false},
	}
	taken := func(s *site, host string, headers ...string) bool { // for a page of the server's own
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/session", strings.NewReader(`{"handle":"ana"}`))
		must(t, err)
		request.Host = host
		request.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		must(t, response.Body.Close())
		return response.StatusCode != http.StatusForbidden
	}
	for _, tt := range tests {
		headers := []string{"Origin", tt.origin}
		if tt.forwarded != "" {
			headers = append(headers, "X-Forwarded-Host", tt.forwarded)
		}
		if same := taken(tt.site, tt.host, headers...); same != tt.same {
			t.Errorf("host %s, origin %s, forwarded %q: taken for the same: %v, want %v", tt.host, tt.origin, tt.forwarded, same, tt.same)
		}
	}
	// A browser that says itself whose page it is needs no proxy's word.
	for fetch, want := range map[string]bool{"same-origin": true, "none": true, "same-site": false, "cross-site": false} {
		if same := taken(plain, "inner:8080", "Origin", "https://ex.org", "Sec-Fetch-Site", fetch); same != want {
			t.Errorf("%s: taken for the same: %v, want %v", fetch, same, want)
		}
	}
	if log := plain.log.String(); !strings.Contains(log, "another site was refused") || !strings.Contains(log, "host=") {
		t.Error("the log says nothing of a refusal")
	}
}
