package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/edge"
)

func believing(_ *edge.Options, c *server.EdgeConfig) {
	var s server.Config
	trusting(&s)
	c.Proxies = s.Proxies
}

// TestTradingThroughAnEdge is as trading at the origin: sessions, refusals, keys, and what pages of
// other sites may not do.
func TestTradingThroughAnEdge(t *testing.T) {
	t.Parallel()
	s := open(t, trusting)
	market := s.Market(t)
	s.follow(t)
	e := s.edge(t, believing)
	w := e.dial(t)
	w.subscribe(market, "", "tape")
	w.next("snapshot")

	ana := e.signIn(t, "ana")
	receipt := ana.trade(t, market, buyTen)
	if f := w.next("event"); f.Seq != receipt.Version || f.Trade.Account != "ana" {
		t.Errorf("the trade on the stream: %+v", f)
	}
	if got := ana.get(t, "/api/v1/markets/"+market+"?min_version=2"); !strings.Contains(string(got.body), `"version":2,`) || got.header.Get("X-Pgtape-Edge") != "memory" {
		t.Errorf("the state behind the trade: %s", got)
	}
	path := "/api/v1/markets/" + market + "/trades"
	for what, tt := range map[string]struct {
		got  answer
		want db.Code
	}{
		"without a session":      {e.nobody().post(t, path, buyTen, "Idempotency-Key", newKey()), db.NotSignedIn},
		"without a key":          {ana.post(t, path, buyTen), db.InvalidRequest},
		"a price of yesterday":   {ana.post(t, path, `{"outcome":"yes","side":"buy","shares":"10","max_cost":"0.01"}`, "Idempotency-Key", newKey()), db.StaleQuote},
		"from another site":      {ana.post(t, path, buyTen, "Idempotency-Key", newKey(), "Origin", "https://evil.example"), db.NotPermitted},
		"no JSON":                {ana.post(t, path, buyTen, "Idempotency-Key", newKey(), "Content-Type", "text/plain"), db.InvalidRequest},
		"a body that is too big": {ana.post(t, path, `{"outcome":"`+strings.Repeat("x", 70<<10)+`"}`, "Idempotency-Key", newKey()), db.InvalidRequest},
		"a market of nothing":    {ana.post(t, "/api/v1/markets/none/trades", buyTen, "Idempotency-Key", newKey()), db.NotFound},
	} {
		if tt.got.code() != tt.want {
			t.Errorf("%s: %s, want %s", what, tt.got, tt.want)
		}
	}
	if got := ana.post(t, path, buyTen, "Idempotency-Key", newKey(), "Origin", e.url); got.status != http.StatusCreated {
		t.Errorf("from a page of the edge: %s", got)
	}
	if got := ana.get(t, "/m/"+market); got.status != http.StatusOK || !strings.Contains(string(got.body), e.url+"/m/"+market) {
		t.Errorf("the page does not know its address %s: %d", e.url, got.status)
	}
	got := e.nobody().post(t, "/api/v1/session", `{"handle":"bo"}`, "X-Forwarded-Proto", "https")
	if cookie := got.header.Get("Set-Cookie"); !strings.Contains(cookie, "Secure") || got.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("the cookie of who came by TLS: %s", cookie)
	}
	if got := ana.do(t, http.MethodDelete, "/api/v1/session", nil); got.status != http.StatusNoContent {
		t.Errorf("signing out: %s", got)
	}
	if got := ana.post(t, path, buyTen, "Idempotency-Key", newKey()); got.code() != db.NotSignedIn {
		t.Errorf("signed out: %s", got)
	}
	s.Verify(t)
}

// TestATradeThroughAnEdgeIsOneRoundTrip between edge and origin, on a connection that is there already.
func TestATradeThroughAnEdgeIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	s.follow(t)
	e := s.edge(t)
	ana := e.signIn(t, "ana")
	w := e.dial(t)
	w.subscribe(market, "", "tape")
	w.next("snapshot")
	const way = 100 * time.Millisecond
	e.link.Delay(way, 0)
	fastest := time.Hour
	for range 5 {
		began := time.Now()
		ana.trade(t, market, buyTen)
		took := time.Since(began)
		w.next("event")
		fastest = min(fastest, took)
		if took < 2*way {
			t.Errorf("a trade took %v, less than a round trip", took)
		}
	}
	if fastest >= 4*way {
		t.Errorf("the fastest trade took %v: more than one round trip of %v", fastest, 2*way)
	}
	began := time.Now()
	if got := ana.get(t, "/api/v1/markets/"+market); got.status != http.StatusOK || time.Since(began) > way {
		t.Errorf("reading from memory took %v", time.Since(began))
	}
	t.Logf("fastest trade: %v", fastest)
}

// TestClientsOfAnEdgeAreToldApart by the origin, which believes the edge, and by the edge, which
// believes nobody.
func TestClientsOfAnEdgeAreToldApart(t *testing.T) {
	t.Parallel()
	s := open(t, limited(server.Limits{Quotes: 0.1}), trusting) // 2 of an address
	market := s.Market(t)
	s.follow(t)
	quote := "/api/v1/markets/" + market + "/quote?outcome=yes&side=buy&shares=1"
	through := s.edge(t, believing)
	untilTooMany(t, func() answer { return through.nobody().get(t, quote, from("192.0.2.1")...) })
	if got := through.nobody().get(t, quote, from("192.0.2.2")...); got.status != http.StatusOK {
		t.Errorf("another client: %s", got)
	}
	strict := s.edge(t, func(_ *edge.Options, c *server.EdgeConfig) { c.Limits = server.Limits{Quotes: 1000} })
	n := 0
	untilTooMany(t, func() answer {
		n++
		return strict.nobody().get(t, quote, from(fmt.Sprint("192.0.2.", n%250))...)
	})
	own := s.edge(t, func(_ *edge.Options, c *server.EdgeConfig) { c.Limits = server.Limits{Requests: 0.1} })
	untilTooMany(t, func() answer { return own.nobody().get(t, "/api/v1/markets/"+market) })
}

// heard is what an origin was asked.
type heard struct {
	major         int
	host, address string
	header        http.Header
	uri, body     string
}

// listeningOrigin starts an edge of an origin that is no market's, and says what it hears.
func listeningOrigin(t *testing.T, h2 bool) (url string, asked chan heard) {
	t.Helper()
	asked = make(chan heard, 100)
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/healthz" && r.URL.Path != "/ws" && r.Method != "PRI" {
			asked <- heard{r.ProtoMajor, r.Host, r.RemoteAddr, r.Header.Clone(), r.RequestURI, string(text)}
		}
		switch r.URL.Path {
		case "/break":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte(`{"status":"alive"}`))
	}))
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(h2)
	origin.Config.Protocols = &protocols
	origin.Config.ErrorLog = quiet
	origin.Start()
	t.Cleanup(origin.Close)
	o, err := edge.New(edge.Options{URL: origin.URL})
	must(t, err)
	e := server.NewEdge(server.EdgeConfig{Origin: o})
	front := httptest.NewServer(e.Handler())
	front.Config.ErrorLog = quiet
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = e.Run(t.Context())
	}()
	t.Cleanup(func() { front.Close(); <-ended })
	return front.URL, asked
}

func TestAnEdgeForwardsRequestsAndNothingElse(t *testing.T) {
	t.Parallel()
	url, asked := listeningOrigin(t, true)
	host := strings.TrimPrefix(url, "http://")
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody else was asked") }))
	t.Cleanup(evil.Close)
	send := func(text string) string {
		t.Helper()
		conn, err := net.Dial("tcp", host)
		must(t, err)
		defer conn.Close()
		must(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = conn.Write([]byte(text))
		must(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return "cut off"
		}
		defer response.Body.Close()
		text2, err := io.ReadAll(response.Body)
		if err != nil {
			return "cut off"
		}
		return response.Status + " " + string(text2)
	}
	const forged = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Real-Ip: 192.0.2.1\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nTe: gzip\r\nUpgrade: websocket\r\nProxy-Authorization: x\r\n"
	send("POST /api/v1/markets/rain%2Fx/trades?a=%C3%B6 HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n" + forged + "\r\n3\r\n{}\n\r\n0\r\n\r\n")
	got := <-asked
	if got.major != 2 || got.host != host || got.uri != "/api/v1/markets/rain%2Fx/trades?a=%C3%B6" || got.body != "{}\n" {
		t.Errorf("forwarded: %+v", got)
	}
	want := map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": host, "Content-Length": "3",
		"Forwarded": "", "X-Real-Ip": "", "X-Hop": "", "Te": "", "Upgrade": "", "Connection": "", "Proxy-Authorization": "",
	}
	for name, value := range want {
		if got.header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
		}
	}
	send("GET " + evil.URL + "/x HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
	if got := <-asked; got.uri != "/x" {
		t.Errorf("a whole address: %+v", got)
	}
	if got := send("GET /break HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"); got != "cut off" {
		t.Errorf("what broke off: %s", got)
	}
	<-asked
	long := send("POST /api/v1/session HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n" + strings.Repeat("x", 100000))
	if !strings.HasPrefix(long, "413") {
		t.Errorf("a body that is too long: %s", long)
	}
	if len(asked) > 0 {
		t.Errorf("it was forwarded: %+v", <-asked)
	}
}

func TestAnOriginWithoutHTTP2IsAskedInHTTP1(t *testing.T) {
	t.Parallel()
	url, asked := listeningOrigin(t, false)
	waitUntil(t, "an answer", func() bool {
		response, err := http.Get(url + "/api/v1/leaderboard")
		must(t, err)
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	if got := <-asked; got.major != 1 {
		t.Errorf("asked in HTTP/%d", got.major)
	}
}
