package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

func limited(l server.Limits) func(*server.Config) {
	return func(c *server.Config) { c.Limits = l }
}

// trusting believes those who ask from this machine.
func trusting(c *server.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// from is the header of a proxy that asks for an address.
func from(address string) []string { return []string{"X-Forwarded-For", address} }

// as is nobody who has a token all the same.
func (s *site) as(token string) user { return user{s, "pgtape_session=" + token} }

// untilTooMany asks until that is too often, and returns the refusal.
func untilTooMany(t *testing.T, ask func() answer) answer {
	t.Helper()
	for range 1000 {
		if got := ask(); got.status == http.StatusTooManyRequests {
			return got
		}
	}
	t.Fatal("never too many")
	return answer{}
}

func TestWhoAsksTooOftenIsToldToWait(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Trades: 1, Quotes: 1, Requests: 1, Opens: 1}))
	market, ana := s.Market(t), s.signIn(t, "ana")
	address := "/api/v1/markets/" + market
	for i, tt := range []struct {
		kind string
		ask  func(user) answer
	}{
		{"trades", func(u user) answer {
			return u.post(t, address+"/trades", buyLittle, "Idempotency-Key", newKey())
		}},
		{"quotes", func(u user) answer { return u.get(t, address+"/quote?outcome=yes&side=buy&shares=1") }},
		{"requests", func(u user) answer { return u.get(t, "/api/v1/session") }},
		{"requests", func(u user) answer { return u.get(t, "/nowhere") }},
		{"requests", func(u user) answer { return u.do(t, http.MethodDelete, address, nil) }},
		{"sockets", func(u user) answer { return u.get(t, "/ws") }},
		{"sockets", func(u user) answer { return u.get(t, "/api/v1/markets/nosuch/stream") }},
	} {
		got := untilTooMany(t, func() answer { return tt.ask(ana) })
		seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
		if got.code() != db.TooManyRequests || err != nil || seconds < 1 || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s, Retry-After: %s", tt.kind, got, got.header.Get("Retry-After"))
		}
		if got := tt.ask(s.as(fmt.Sprint("neighbour-", i))); got.status == http.StatusTooManyRequests {
			t.Errorf("%s: somebody else: %s", tt.kind, got)
		}
	}
	for _, path := range []string{"/healthz", "/static/js/app.js"} {
		for range 50 {
			if got := ana.get(t, path); got.status != http.StatusOK {
				t.Fatalf("%s: %s", path, got)
			}
		}
	}
	s.awaitMetric(t, `pgtape_limited_total{kind="trades"}`, 1)
}

func TestTheTokensOfOneAddressHaveALimitTogether(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Quotes: 0.1}), trusting)
	n := 0
	invented := func(headers []string) answer {
		n++
		return s.as(fmt.Sprint("made-up-", n)).get(t, "/api/v1/markets/nosuch/quote", headers...)
	}
	untilTooMany(t, func() answer { return invented(from("2001:db8:0:1::1")) })
	for _, tt := range []struct {
		address string
		limited bool
	}{
		{"2001:db8:0:1::2", true},              // the same network
		{"192.0.2.9, 2001:db8:0:1::3", true},   // what the client says itself
		{"2001:db8:0:1::4, 127.0.0.9", true},   // through two proxies
		{"2001:db8:0:2::1", false},             // another network
		{"2001:db8:0:1::5, 192.0.2.10", false}, // a proxy that is not ours
	} {
		if got := invented(from(tt.address)); (got.status == http.StatusTooManyRequests) != tt.limited {
			t.Errorf("%s: %s", tt.address, got)
		}
	}
}

func TestWhatIsForwardedCountsOnlyFromProxies(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Quotes: 0.1}))
	n := 0
	untilTooMany(t, func() answer {
		n++
		return s.nobody().get(t, "/api/v1/markets/nosuch/quote", "X-Forwarded-For", fmt.Sprint("192.0.2.", n%250), "X-Real-IP", fmt.Sprint("192.0.2.", n%250))
	})
}

func TestSigningInIsLimitedByAddressAndByHandle(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{SignIns: 3}), trusting) // 30 of an address
	signIn := func(handle, address string) answer {
		return s.nobody().post(t, "/api/v1/session", `{"handle":"`+handle+`"}`, from(address)...)
	}
	for i := range 30 {
		if got := signIn(fmt.Sprint("guest", i), "192.0.2.1"); got.status != http.StatusCreated {
			t.Fatal(got)
		}
	}
	got := signIn("guest30", "192.0.2.1")
	if seconds, _ := strconv.Atoi(got.header.Get("Retry-After")); got.code() != db.TooManyRequests || seconds < 1 || seconds > 20 {
		t.Errorf("one more from the address: %s, Retry-After: %s", got, got.header.Get("Retry-After"))
	}
	for _, handle := range []string{"ana", "ANA", "Ana"} {
		if got := signIn(handle, "192.0.2.20"); got.status != http.StatusCreated {
			t.Fatal(got)
		}
	}
	if got := signIn("ana", "192.0.2.20"); got.code() != db.TooManyRequests {
		t.Errorf("a fourth as one handle: %s", got)
	}
	if got := signIn("ana", "192.0.2.21"); got.status != http.StatusCreated {
		t.Errorf("from another address: %s", got)
	}
	if got := signIn("bo", "192.0.2.20"); got.status != http.StatusCreated {
		t.Errorf("another handle: %s", got)
	}
}

func TestALimitedPageIsAPage(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Requests: 0.1}))
	got := untilTooMany(t, func() answer { return s.nobody().get(t, "/", "Accept", "text/html") })
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || !strings.Contains(string(got.body), "too many requests") {
		t.Errorf("%s", got)
	}
}

// tryDial opens a socket, or tells what the answer was.
func (s *site) tryDial(t *testing.T, token string) (*websocket.Conn, answer) {
	t.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Cookie", "pgtape_session="+token)
	}
	conn, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/ws", header)
	if err != nil {
		if response == nil {
			t.Fatal(err)
		}
		return nil, answer{status: response.StatusCode, header: response.Header}
	}
	t.Cleanup(func() { conn.Close() })
	return conn, answer{status: response.StatusCode}
}

func TestSocketsAndStreamsHaveSeats(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Sockets: 2, AllSockets: 5}))
	market := s.Market(t)
	stream := "/api/v1/markets/" + market + "/stream"
	first, _ := s.tryDial(t, "one")
	s.tryDial(t, "one")
	refused := func(status int, got answer) {
		t.Helper()
		if got.status != status || got.header.Get("Retry-After") == "" {
			t.Errorf("%s, want %d", got, status)
		}
	}
	_, got := s.tryDial(t, "one")
	refused(http.StatusTooManyRequests, got)
	refused(http.StatusTooManyRequests, s.as("one").get(t, stream))

	s.stream(t, market, "").next("snapshot")
	s.tryDial(t, "two")
	s.tryDial(t, "two")
	_, got = s.tryDial(t, "three")
	refused(http.StatusServiceUnavailable, got)
	refused(http.StatusServiceUnavailable, s.nobody().get(t, stream))

	// What is no socket takes no seat, and one that is left is free again.
	must(t, first.Close())
	for deadline := time.Now().Add(patience); ; {
		if conn, _ := s.tryDial(t, "one"); conn != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the seat stays taken")
		}
	}
	_, got = s.tryDial(t, "four")
	refused(http.StatusServiceUnavailable, got)
}

func TestAnAddressHasSeatsForTenClients(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Sockets: 1}))
	for range 30 { // no socket: no seat
		if got := s.nobody().get(t, "/ws"); got.status != http.StatusBadRequest {
			t.Fatal(got)
		}
	}
	opened := 0
	for i := range 12 {
		if conn, _ := s.tryDial(t, fmt.Sprint("made-up-", i)); conn != nil {
			opened++
		}
	}
	if opened != 10 {
		t.Errorf("%d sockets", opened)
	}
}

func TestASocketThatSendsTooMuchIsClosed(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(*websocket.Conn) error{
		"messages": func(c *websocket.Conn) error {
			return c.WriteMessage(websocket.TextMessage, []byte(`{"op":"unsubscribe","market":"rain"}`))
		},
		"pings": func(c *websocket.Conn) error {
			return c.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, limited(server.Limits{Messages: 1}))
			conn, _ := s.tryDial(t, "")
			conn.SetPongHandler(func(string) error { return nil })
			for send(conn) == nil { // until it is cut, without a look at what it is told
			}
			w := &wire{t: t, conn: conn}
			if code := w.closed(); code != 4002 {
				t.Errorf("closed with %d", code)
			}
			s.awaitMetric(t, `pgtape_limited_total{kind="messages"}`, 1)
		})
	}
}
