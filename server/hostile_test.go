package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// What people send who try to get in: to the database, onto a page, at a file, at the next server.
var hostile = []string{
	`'`, `' or '1'='1`, `'; drop table pgtape_core.trade; --`, `1; select pg_sleep(30) --`, `' || pg_sleep(30) || '`,
	`1) union select handle, balance from pgtape_core.account --`, `$$; select pg_terminate_backend(pg_backend_pid()); $$`,
	`"; copy (select 1) to program 'id'; --`, `yes' and 1=cast((select version()) as int) and 'a'='a`, `\'; --`, `%27%20or%201=1`, `%2527`,
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `</script><svg/onload=alert(1)>`, `{{.Account}}`, `${7*7}`,
	`../../../../etc/passwd`, `..\..\windows\win.ini`, `%2e%2e%2fetc%2fpasswd`, `%252e%252e%252f`, `/etc/passwd`, `file:///etc/passwd`, `http://127.0.0.1:1/`,
	"\x00", "a\x00b", "\xff\xfe", "\xc0\xae\xc0\xae/", "\xed\xa0\x80", "\u202egnp.exe", "ﬀ\u0301\u200b", "\r\nSet-Cookie: a=b", "line\nline",
	`%s%s%s%n`, `|id`, "`id`", `$(id)`, `*)(uid=*))(|(uid=*`, `{"$gt":""}`, `[]`, `null`, `true`, `-1`, `0`, `1e309`, `NaN`, `9223372036854775808`,
	`2026-01-01T00:00:00Z'; --`, `812.9f3a2c1b04d7e6aa' or 1=1`, strings.Repeat("A", 5000), strings.Repeat("😀", 1000), strings.Repeat("(", 2000),
}

// document is what this test reads of the API's description.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Parameters map[string]parameter
		Schemas    map[string]schema
	}
}

type parameter struct {
	Ref      string `json:"$ref"`
	In, Name string
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]schema
}

type operation struct {
	Parameters  []parameter
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	}
}

func last(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// bodies are orders and the like that would be taken, to put one hostile member into; %d is a number
// of its own.
var bodies = map[string]string{
	"/api/v1/session":                 `{"handle":"guest%d"}`,
	"/api/v1/markets":                 `{"slug":"hostile-%d","question":"?","liquidity":"1"}`,
	"/api/v1/markets/{slug}/trades":   `{"outcome":"yes","side":"buy","shares":"0.1","max_cost":"1"}`,
	"/api/v1/markets/{slug}/moves":    `{"move":"dispute","reason":"?"}`,
	"/api/v1/markets/{slug}/comments": `{"body":"so it is"}`,
	"/api/v1/notifications/read":      `{"ids":null}`,
	"/api/v1/password":                `{"password":"correct horse battery"}`,
	"/api/v1/keys":                    `{"name":"k","scopes":["read"]}`,
}

// attacker sends one thing after another and fails the test if one does harm.
type attacker struct {
	*testing.T
	site   *site
	cookie string
	market string
	sent   int
}

// send returns the answer; what is refused must be refused well, and at once.
func (a *attacker) send(method, path, body string, headers ...string) answer {
	a.Helper()
	a.sent++
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, a.site.url+path, strings.NewReader(body))
	if err != nil {
		return answer{} // Go does not send this; the raw ones below do
	}
	if path != "/api/v1/session" { // signing in ends the session that one had
		request.Header.Set("Cookie", a.cookie)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", newKey())
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		if strings.Contains(err.Error(), "invalid header") {
			return answer{}
		}
		a.Fatalf("%s %.200s: %v", method, path, err)
	}
	// Who changes the password gets another session for the old one.
	if cookie, _, given := strings.Cut(response.Header.Get("Set-Cookie"), ";"); given && path == "/api/v1/password" {
		a.cookie = cookie
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	got := answer{response.StatusCode, response.Header, text}
	if err != nil || got.status >= 500 || time.Since(began) > 10*time.Second {
		a.Errorf("%s %.200q %.200q %.100q: %.300s (%v, %v)", method, path, body, headers, got, time.Since(began), err)
	}
	if got.status >= 400 && got.code() == "" && got.header.Get("Content-Type") == "application/problem+json" {
		a.Errorf("%s %.200q: a refusal without a code: %s", method, path, got)
	}
	return got
}

// at is the address of a path whose parameters are as they should be, but for one.
func (a *attacker) at(path, name, value string) string {
	for parameter, good := range map[string]string{"slug": a.market, "handle": "mallory"} {
		if parameter == name {
			good = url.PathEscape(value)
		}
		path = strings.ReplaceAll(path, "{"+parameter+"}", good)
	}
	return path
}

// parameter puts every hostile text into a parameter of an operation.
func (a *attacker) parameter(method, path string, p parameter) {
	body := ""
	if method == http.MethodPost {
		body = strings.ReplaceAll(bodies[path], "%d", "1")
	}
	for _, text := range hostile {
		switch p.In {
		case "path":
			a.send(method, a.at(path, p.Name, text), body)
		case "query":
			a.send(method, a.at(path, "", "")+"?"+p.Name+"="+url.QueryEscape(text), body)
			if strings.Contains(text, "%") && !strings.ContainsAny(text, " \r\n") {
				a.send(method, a.at(path, "", "")+"?"+p.Name+"="+text, body) // escapes that are none, or double
			}
		case "header":
			a.send(method, a.at(path, "", ""), body, p.Name, text)
		}
	}
}

// member does so with a member of its body.
func (a *attacker) member(method, path, name string, s schema) {
	base := bodies[path]
	if base == "" {
		base = `{}`
	}
	for _, text := range hostile {
		var body map[string]any
		must(a.T, json.Unmarshal([]byte(strings.ReplaceAll(base, "%d", fmt.Sprint(a.sent))), &body))
		body[name] = text
		if s.Type == "array" {
			body[name] = []string{text, "other"}
		}
		encoded, err := json.Marshal(body)
		must(a.T, err)
		a.send(method, a.at(path, "", ""), string(encoded))
	}
}

// TestHostileTextIsRefusedOrIsText goes through every parameter and member that the API describes.
func TestHostileTextIsRefusedOrIsText(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, mallory := s.Market(t), s.signIn(t, "mallory")
	s.follow(t)
	a := &attacker{T: t, site: s, cookie: mallory.cookie, market: market}
	var d document
	s.nobody().get(t, "/api/v1/openapi.json").read(t, &d)
	before := s.written(t)
	for _, writes := range []bool{false, true} {
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			var shared []parameter
			if raw, ok := d.Paths[path]["parameters"]; ok {
				must(t, json.Unmarshal(raw, &shared))
			}
			for verb, raw := range d.Paths[path] {
				method := strings.ToUpper(verb)
				if verb == "parameters" || path == "/ws" || (method != http.MethodGet) != writes || method == http.MethodDelete {
					continue
				}
				var o operation
				must(t, json.Unmarshal(raw, &o))
				for _, p := range slices.Concat(shared, o.Parameters) {
					if p.Ref != "" {
						p = d.Components.Parameters[last(p.Ref)]
					}
					a.parameter(method, path, p)
				}
				body := o.RequestBody.Content["application/json"].Schema
				if body.Ref != "" {
					body = d.Components.Schemas[last(body.Ref)]
				}
				for name, member := range body.Properties {
					a.member(method, path, name, member)
				}
			}
		}
		if after := s.written(t); !writes && after != before {
			t.Errorf("reading has written: %s, before %s", after, before)
		}
	}
	if a.sent < 1000 {
		t.Errorf("%d requests only", a.sent)
	}
	if log := s.log.String(); strings.Contains(log, "panic") || strings.Contains(log, "request failed") {
		t.Errorf("in the log: %s", grepLog(log, "panic", "request failed"))
	}
	mallory.cookie = a.cookie
	if got := mallory.get(t, "/api/v1/session"); got.status != http.StatusOK {
		t.Errorf("the session is gone: %s", got)
	}
	s.Verify(t)
}

func grepLog(log string, words ...string) string {
	var found []string
	for line := range strings.SplitSeq(log, "\n") {
		for _, word := range words {
			if strings.Contains(line, word) && len(found) < 5 {
				found = append(found, line)
			}
		}
	}
	return strings.Join(found, "\n")
}

// TestHostileTextIsEscapedOnPages also in what only the address says.
func TestHostileTextIsEscapedOnPages(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := &attacker{T: t, site: s}
	for _, text := range hostile {
		for _, path := range []string{
			"/?q=" + url.QueryEscape(text), "/?category=" + url.QueryEscape(text), "/?status=" + url.QueryEscape(text),
			"/?sort=" + url.QueryEscape(text), "/?cursor=" + url.QueryEscape(text), "/m/" + url.PathEscape(text), "/" + url.PathEscape(text),
		} {
			page := string(a.send(http.MethodGet, path, "", "Accept", "text/html").body)
			if strings.Contains(text, "<") && strings.Contains(page, text) {
				t.Errorf("%s: the page has %s", path, text)
			}
		}
	}
}

// raw sends bytes as they are and returns the status, 0 when there was none.
func (s *site) raw(t *testing.T, request string) (status int, text string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	go func() { _, _ = io.WriteString(conn, request) }()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // what is cut says enough
	return response.StatusCode, string(body) + fmt.Sprint(response.Header)
}

func TestPathsLeadToNoFiles(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, path := range []string{
		"/static/../server.go", "/static/../../go.mod", "/static/%2e%2e/server.go", "/static/..%2fstatic.go", "/static/%2e%2e%2fstatic.go", "/static/%252e%252e%252fstatic.go",
		"/static/..\\static.go", "/static/..%5cstatic.go", "/static/js/../../static.go", "/static/./static.go", "/static//etc/passwd", "/static/%2fetc%2fpasswd",
		"/static/js/app.js%00.html", "/static/%00", "/static/%c0%ae%c0%ae/static.go", "/static/..;/static.go", "/static/.%00./static.go", "/static/js", "/static/js/",
		"/static", "/static/", "/static/static.go", "/static/package.json/..", "/static/~root", "/.git/config", "/.env", "/../../etc/passwd", "//etc/passwd",
		"//evil.example/%2e%2e", "/%2e%2e/%2e%2e/etc/passwd", "/m/..%2f..%2fhealthz", "/api/v1/../../healthz", "/api//v1/markets", "/API/V1/markets", "/debug/pprof/",
		"/static/js/app.js/", "/static/js/app.js%2f..%2fapp.js", "/healthz/", "/healthz%00", "/healthz%20",
	} {
		status, text := s.raw(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if status < 400 || status >= 500 || strings.Contains(text, "package ") || strings.Contains(text, "root:") {
			t.Errorf("%s: %d %.200s", path, status, text)
		}
	}
}

// TestMisshapenRequestsAreRefused, or their connection is ended.
func TestMisshapenRequestsAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	const get, end = "GET /healthz HTTP/1.1\r\nHost: x\r\n", "\r\n"
	for name, request := range map[string]string{
		"an endless header":      get + "X: " + strings.Repeat("a", 2<<20) + "\r\n" + end,
		"headers without number": get + strings.Repeat("X: a\r\n", 400_000) + end,
		"an endless address":     "GET /?" + strings.Repeat("a=b&", 300_000) + " HTTP/1.1\r\nHost: x\r\n" + end,
		"a NUL in a header":      get + "X: a\x00b\r\n" + end,
		"a header with a space":  get + "X : a\r\n" + end,
		"two hosts":              get + "Host: y\r\n" + end,
		"no host":                "GET /healthz HTTP/1.1\r\n" + end,
		"a host of no sort":      "GET /healthz HTTP/1.1\r\nHost: x/<script>\r\n" + end,
		"two lengths":            "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + get + end,
		"a negative length":      "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
		"an unknown encoding":    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"chunks of no size":      "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"a body without end":     "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{\"handle\":\"" + strings.Repeat("a", 1<<20),
		"no HTTP":                "hello\r\n\r\n",
		"an old HTTP":            "GET /healthz\r\n\r\n",
		"a newer HTTP":           "GET /healthz HTTP/3.0\r\nHost: x\r\n" + end,
		"TLS":                    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"a proxy's request":      "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n" + end,
		"a socket of another":    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: AAAA\r\n" + end,
	} {
		if status, text := s.raw(t, request); status != 0 && status < 400 || status == http.StatusInternalServerError {
			t.Errorf("%s: %d %.200s", name, status, text)
		}
	}
	if got := s.nobody().get(t, "/healthz"); got.status != http.StatusOK {
		t.Errorf("alive? %s", got)
	}
}
