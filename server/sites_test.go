package server_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// asks sends a request to a server under another name, or from a page of another origin.
func (s *site) asks(t *testing.T, method, path, host, origin, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	must(t, err)
	if host != "" {
		r.Host = host
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if method == http.MethodOptions {
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,idempotency-key")
	}
	r.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(r)
	must(t, err)
	got.Body.Close()
	return got
}

func TestAServerAnswersToItsOwnNamesOnly(t *testing.T) {
	t.Parallel()
	public, err := url.Parse("https://markets.example.org")
	must(t, err)
	local := open(t, func(c *server.Config) { c.Sites = server.Sites{Local: true} })
	named := open(t, func(c *server.Config) { c.Sites = server.Sites{Public: public, Hosts: []string{"alias.example.org"}} })
	unsaid := open(t)
	for _, tt := range []struct {
		host         string
		local, named int
	}{
		{"127.0.0.1:8080", 200, 200},
		{"[::1]:8080", 200, 200},
		{"localhost", 200, 200},
		{"LOCALHOST.:80", 200, 200},
		{"app.localhost", 200, 200},
		{"192.0.2.7", 200, 200},
		{"markets.example.org", 403, 200},
		{"Markets.Example.ORG:8443", 403, 200},
		{"alias.example.org", 403, 200},
		{"evil.example", 403, 403},
		{"markets.example.org.evil.example", 403, 403},
		{"localhost.evil.example", 403, 403},
		{"127.0.0.1.nip.example", 403, 403},
	} {
		for _, path := range []string{"/", "/feed.atom", "/api/v1/markets", "/ws"} {
			want := map[*site]int{local: tt.local, named: tt.named, unsaid: 200}
			for s, status := range want {
				if path == "/ws" && status == 200 {
					status = 400 // no upgrade was asked for
				}
				if got := s.asks(t, http.MethodGet, path, tt.host, "", ""); got.StatusCode != status {
					t.Errorf("%s of %s: %d, want %d", path, tt.host, got.StatusCode, status)
				}
			}
		}
		if got := local.asks(t, http.MethodGet, "/healthz", tt.host, "", ""); got.StatusCode != 200 {
			t.Errorf("/healthz of %s: %d", tt.host, got.StatusCode)
		}
	}
}

func TestFeedsAndLinksNameThePublicAddress(t *testing.T) {
	t.Parallel()
	public, err := url.Parse("https://markets.example.org")
	must(t, err)
	s := open(t, func(c *server.Config) { c.Sites.Public = public })
	market := s.Market(t)
	for _, path := range []string{"/feed.atom", "/feed.rss", "/m/" + market, "/embed/" + market} {
		body := string(s.nobody().get(t, path).body)
		if !strings.Contains(body, "https://markets.example.org") || strings.Contains(body, s.url) {
			t.Errorf("%s does not name the public address, or the one that was asked", path)
		}
	}
}

// What names the host of a request is in no shared cache: others would be given it.
func TestSharedCachesKeepTheOwnNameOnly(t *testing.T) {
	t.Parallel()
	public, err := url.Parse("https://markets.example.org")
	must(t, err)
	named := open(t, func(c *server.Config) { c.Sites.Public = public })
	unsaid := open(t, func(c *server.Config) { c.Sites.Hosts = []string{"alias.example.org"} })
	market := unsaid.Market(t)
	for _, path := range []string{"/feed.atom", "/feed.rss", "/embed/" + market, "/m/" + market, "/m/" + market + "/card.png"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, unsaid.url+path, nil)
		must(t, err)
		r.Host = "alias.example.org"
		got, err := http.DefaultClient.Do(r)
		must(t, err)
		text, err := io.ReadAll(got.Body)
		must(t, err)
		got.Body.Close()
		if shared := strings.Contains(got.Header.Get("Cache-Control"), "public"); got.StatusCode != http.StatusOK || shared && strings.Contains(string(text), r.Host) {
			t.Errorf("%s: %d, a shared cache may keep what names %s: %s", path, got.StatusCode, r.Host, got.Header.Get("Cache-Control"))
		}
	}
	if got := named.nobody().get(t, "/feed.atom").header.Get("Cache-Control"); got != "public, max-age=60" {
		t.Errorf("under a public address: %s", got)
	}
}

// A proxy may be trusted and still pass on what is no host.
func TestAForwardedHostIsAHost(t *testing.T) {
	t.Parallel()
	s := open(t, trusting)
	for host, good := range map[string]bool{
		"markets.example.org": true, "EX.org.:8443": true, "[2001:db8::1]:8080": true, "192.0.2.7": true, "a_b.example": true, "old, new.example": true,
		`"><script>`: false, "evil.example/path": false, "user@evil.example": false, "a b": false, "ex.org:port": false, "ex.org:0": false,
		"[ex.org]": false, "::1": false, "ex.org?x": false, ":80": false,
	} {
		if got := s.nobody().get(t, "/feed.atom", "X-Forwarded-Host", host); (got.status == http.StatusOK) != good || !good && got.code() != db.InvalidRequest {
			t.Errorf("%s: %d", host, got.status)
		}
	}
}

func TestACredentialIsTheSameHoweverItsSchemeIsWritten(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"Bearer", "bearer", "BEARER", "bEaReR "} {
		s := open(t, limited(server.Limits{Quotes: 0.1}))
		untilTooMany(t, func() answer {
			return s.nobody().get(t, "/api/v1/markets/nosuch/quote", "Authorization", scheme+" pgt_x")
		})
		// Its own client's limit was reached, not that of the address.
		if got := s.nobody().get(t, "/api/v1/markets/nosuch/quote", "Authorization", "Bearer pgt_y"); got.code() == db.TooManyRequests {
			t.Errorf("%q: counted by the address alone", scheme)
		}
	}
}

func TestMetricsCanBeElsewhere(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.OwnMetrics = true })
	if got := s.nobody().get(t, "/metrics"); got.status != http.StatusNotFound {
		t.Errorf("/metrics: %s", got)
	}
	if s.server.MetricsHandler() == nil {
		t.Error("no handler for elsewhere")
	}
}

func TestAFrontEndElsewhereIsLetInIfItIsNamed(t *testing.T) {
	t.Parallel()
	const own, other = "https://app.example.org", "https://evil.example"
	s := open(t, func(c *server.Config) {
		c.Sites.Origins = []string{own + ":443", "http://plain.example", "https://[2001:db8::1]:8443"}
	})
	for origin, allowed := range map[string]bool{
		own: true, other: false, own + ".evil.example": false, "null": false, "http://app.example.org": false,
		"http://plain.example:80": true, "https://plain.example": false, own + ":80": false, "https://[2001:db8::1]:8443": true, "https://[2001:db8::1]": false,
	} {
		preflight := s.asks(t, http.MethodOptions, "/api/v1/session", "", origin, "")
		signIn := s.asks(t, http.MethodPost, "/api/v1/session", "", origin, `{"handle":"ana"}`)
		read := s.asks(t, http.MethodGet, "/api/v1/markets", "", origin, "")
		page := s.asks(t, http.MethodGet, "/", "", origin, "")
		for what, got := range map[string]*http.Response{"preflight": preflight, "sign-in": signIn, "read": read} {
			if said := got.Header.Get("Access-Control-Allow-Origin"); (said == origin) != allowed || !allowed && said != "" {
				t.Errorf("%s of %s: allows %q", what, origin, said)
			}
			if what != "preflight" && !strings.Contains(strings.Join(got.Header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s of %s varies by %q", what, origin, got.Header.Values("Vary"))
			}
		}
		if signIn.StatusCode == http.StatusForbidden == allowed || preflight.Header.Get("Access-Control-Allow-Methods") == "" == allowed {
			t.Errorf("%s: preflight %d, sign-in %d", origin, preflight.StatusCode, signIn.StatusCode)
		}
		if page.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("pages are for %s too", origin)
		}
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/ws", http.Header{"Origin": {origin}})
		if (err == nil) != allowed {
			t.Errorf("a socket of %s: %v", origin, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}
