package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/server"
)

// TestSlowRequestsHoldUpNobody: clients that send a byte now and then, of headers and of bodies, are
// given up when their time is over; all the others are answered meanwhile.
func TestSlowRequestsHoldUpNobody(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.ReadWithin = 2 * time.Second })
	market, ana := s.Market(t), s.signIn(t, "ana")
	s.follow(t)
	const body = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n"
	beginnings := []struct{ text, answer string }{
		{"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""},
		{"POST /api/v1/session HTTP/1.1\r\n" + body + "\r\n{", "HTTP/1.1 408"},
		{"POST /api/v1/markets/" + market + "/trades HTTP/1.1\r\n" + body + "Cookie: " + ana.cookie + "\r\nIdempotency-Key: k\r\n\r\n{", "HTTP/1.1 408"},
		{"GET /healthz HTTP/1.1\r\n" + body + "\r\n{", "HTTP/1.1 200"}, // nobody reads this body
		{"DELETE /api/v1/session HTTP/1.1\r\n" + body + "\r\n{", "HTTP/1.1 204"},
	}
	const each = 40
	var slow sync.WaitGroup
	for i := range each * len(beginnings) {
		beginning := beginnings[i%len(beginnings)]
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		must(t, err)
		defer conn.Close()
		slow.Go(func() {
			if got := dribble(conn, beginning.text); !strings.HasPrefix(got, beginning.answer) {
				t.Errorf("%.30q: answered %.200q, want %s", beginning.text, got, beginning.answer)
			}
		})
	}

	gone := make(chan struct{})
	go func() {
		defer close(gone)
		slow.Wait()
	}()
	for n, over := 0, false; !over; n++ {
		select {
		case <-gone:
			over = true
			if n == 0 {
				t.Error("nobody else was answered")
			}
		default:
			began := time.Now()
			if got := ana.get(t, "/m/"+market); got.status != http.StatusOK {
				t.Fatal(got)
			}
			ana.trade(t, market, buyLittle)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("others wait %v", took)
			}
			if n > 10_000 {
				t.Fatal("the slow ones stay")
			}
		}
	}
	s.Verify(t)
}

// dribble sends a beginning, and then byte after byte until the connection is ended from the other
// side. It returns what came back.
func dribble(conn net.Conn, beginning string) string {
	ended := make(chan struct{})
	go func() {
		for _, err := io.WriteString(conn, beginning); err == nil; _, err = conn.Write([]byte(" ")) {
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	defer close(ended)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	var got bytes.Buffer
	if _, err := io.Copy(&got, conn); isTimeout(err) {
		return fmt.Sprintf("nothing but %q, and no end", got.String())
	}
	return got.String()
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// TestWhoSaysNothingIsGivenUp: a connection alone is nothing.
func TestWhoSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.ReadWithin = 100 * time.Millisecond })
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer conn.Close()
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("%v", err)
	}
}

// TestABodyThatTookItsTimeIsRead: its deadline is that of the body, not of what is done with it.
func TestABodyThatTookItsTimeIsRead(t *testing.T) {
	t.Parallel()
	const within = 2 * time.Second
	s := open(t, func(c *server.Config) { c.ReadWithin = within })
	market, ana := s.Market(t), s.signIn(t, "ana")
	lock, err := s.Pool().Begin(t.Context())
	must(t, err)
	_, err = lock.Exec(t.Context(), "select from pgtape_core.book for update")
	must(t, err)
	time.AfterFunc(within+time.Second, func() { _ = lock.Commit(t.Context()) })
	began := time.Now()
	ana.trade(t, market, buyTen) // waits for longer than the body may take
	if took := time.Since(began); took < within {
		t.Errorf("the trade took %v only", took)
	}
}

// TestSlowBodiesOverHTTP2 have the same time: there a deadline is a stream's, and its neighbours go on.
func TestSlowBodiesOverHTTP2(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.ReadWithin = time.Second })
	web := httptest.NewUnstartedServer(s.server.Handler())
	web.EnableHTTP2 = true
	web.Config.ErrorLog = quiet
	web.StartTLS()
	t.Cleanup(web.Close)
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = io.WriteString(writer, `{"handle":`) }()
	type result struct {
		response *http.Response
		err      error
	}
	answered := make(chan result, 1)
	go func() {
		response, err := web.Client().Post(web.URL+"/api/v1/session", "application/json", reader)
		answered <- result{response, err}
	}()
	for n := 0; ; n++ {
		select {
		case got := <-answered:
			must(t, got.err)
			got.response.Body.Close()
			if got.response.ProtoMajor != 2 || got.response.StatusCode != http.StatusRequestTimeout {
				t.Errorf("%s %s", got.response.Proto, got.response.Status)
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
		response, err := web.Client().Get(web.URL + "/healthz")
		must(t, err)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || n > 2000 {
			t.Fatalf("%d: %s", n, response.Status)
		}
	}
}

// TestWhoDoesNotTakeAnswersIsGivenUp: asks on and on, and reads nothing.
func TestWhoDoesNotTakeAnswersIsGivenUp(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.server.SetWriting(time.Second)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer conn.Close()
	must(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
	must(t, conn.SetWriteDeadline(time.Now().Add(patience)))
	for err == nil { // until the server, which has long stopped reading, ends it
		_, err = io.WriteString(conn, "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	if isTimeout(err) {
		t.Error("the connection stays")
	}
	if got := s.nobody().get(t, "/healthz"); got.status != http.StatusOK {
		t.Error(got)
	}
}
