package server_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// shields are what every answer tells browsers.
var shields = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; script-src 'self'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "same-origin",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=()",
	"X-Request-Id":                 "",
}

func checkShields(t *testing.T, what string, got answer) {
	t.Helper()
	shields := shields
	if strings.Contains(what, "/embed/") || strings.Contains(what, "/card.png") { // for other sites to show
		shields = maps.Clone(shields)
		delete(shields, "X-Frame-Options")
		shields["Cross-Origin-Resource-Policy"] = "cross-origin"
	}
	for name, part := range shields {
		if value := got.header.Get(name); value == "" || !strings.HasPrefix(value, part) {
			t.Errorf("%s (%d): %s: %q", what, got.status, name, value)
		}
	}
	if got.header.Get("Cache-Control") == "" && got.status != http.StatusSwitchingProtocols {
		t.Errorf("%s (%d): no Cache-Control", what, got.status)
	}
}

// TestEveryAnswerHasItsShields: every route, also when it refuses, and what is no route.
func TestEveryAnswerHasItsShields(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	fill := strings.NewReplacer(":slug", market, ":handle", "ana", "*", "js/app.js")
	missing := strings.NewReplacer(":slug", "nosuch", ":handle", "nosuch", "*", "nosuch")
	for _, route := range s.server.Routes() {
		what := route.Method + " " + route.Path
		if !strings.HasSuffix(route.Path, "/stream") { // which does not end
			checkShields(t, what, ana.do(t, route.Method, fill.Replace(route.Path), nil))
		}
		checkShields(t, what+" of nothing", s.nobody().do(t, route.Method, missing.Replace(route.Path), nil))
		checkShields(t, what+" for a browser", s.nobody().do(t, route.Method, missing.Replace(route.Path), nil, "Accept", "text/html"))
	}
	stream := s.stream(t, market, "")
	checkShields(t, "a stream", answer{status: http.StatusOK, header: stream.header})
	for what, got := range map[string]answer{
		"no route":            ana.get(t, "/nowhere"),
		"no method":           ana.do(t, "BREW", "/", nil),
		"TRACE":               ana.do(t, http.MethodTrace, "/", nil),
		"another site":        ana.post(t, "/api/v1/session", `{}`, "Origin", "https://evil.example"),
		"no JSON":             ana.post(t, "/api/v1/session", `handle=ana`, "Content-Type", "text/plain"),
		"too long a body":     ana.post(t, "/api/v1/session", `{"handle":"`+strings.Repeat("a", 1<<20)),
		"escapes of no text":  ana.get(t, "/m/%ff"),
		"a socket without it": ana.get(t, "/ws"),
	} {
		checkShields(t, what, got)
		if got.status < 400 {
			t.Errorf("%s: %s", what, got)
		}
	}
}

func TestTLSIsToStay(t *testing.T) {
	t.Parallel()
	s := open(t)
	if got := s.nobody().get(t, "/healthz"); got.header.Get("Strict-Transport-Security") != "" {
		t.Error("promised over plain HTTP")
	}
	for _, path := range []string{"/healthz", "/", "/nowhere"} {
		got := s.nobody().get(t, path, "X-Forwarded-Proto", "https")
		if age := got.header.Get("Strict-Transport-Security"); !strings.HasPrefix(age, "max-age=") {
			t.Errorf("%s: %q", path, age)
		}
	}
}

// TestPagesOfOtherSitesChangeNothing: browsers say where a request comes from, in one way or another.
func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	trades := "/api/v1/markets/" + market + "/trades"
	before := s.written(t)
	for _, from := range [][]string{
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Origin", "http://" + strings.TrimPrefix(s.url, "http://127.0.0.1") + ".evil.example"},
		{"Origin", s.url + ".evil.example"},
		{"Origin", "http://evil.example@" + strings.TrimPrefix(s.url, "http://") + ".evil.example"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", s.url},
	} {
		if got := ana.post(t, trades, buyTen, append(from, "Idempotency-Key", newKey())...); got.code() != db.NotPermitted {
			t.Errorf("a trade, %v: %s", from, got)
		}
		if got := ana.do(t, http.MethodDelete, "/api/v1/session", nil, from...); got.code() != db.NotPermitted {
			t.Errorf("signing out, %v: %s", from, got)
		}
		if got := ana.get(t, "/ws", append(from, "Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")...); got.code() != db.NotPermitted {
			t.Errorf("a socket, %v: %s", from, got)
		}
	}
	if got := ana.get(t, "/m/"+market, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusOK {
		t.Errorf("a link from another site: %s", got)
	}
	for _, from := range []string{"same-origin", "none"} {
		if got := ana.post(t, trades, `{}`, "Sec-Fetch-Site", from, "Origin", s.url, "Idempotency-Key", newKey()); got.code() != db.InvalidOrder {
			t.Errorf("%s: %s", from, got)
		}
	}
	if after := s.written(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
}

// TestALimitedAnswerHasItsShields, also as a page.
func TestALimitedAnswerHasItsShields(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Requests: 0.1}))
	checkShields(t, "a limited page", untilTooMany(t, func() answer { return s.nobody().get(t, "/", "Accept", "text/html") }))
	checkShields(t, "a limited call", untilTooMany(t, func() answer { return s.nobody().get(t, "/api/v1/markets") }))
}
