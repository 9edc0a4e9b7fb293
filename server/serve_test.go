package server_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/server"
)

func TestShutdownSaysRestarting(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	var wires []*wire
	for range 3 {
		w := s.dial(t)
		w.subscribe(market, "", "")
		w.next("snapshot")
		wires = append(wires, w)
	}
	stream := s.stream(t, market, "")
	stream.next("snapshot")

	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := s.stop(); err != nil {
			t.Errorf("serving: %v", err)
		}
	}()
	var codes []int
	for _, w := range wires {
		codes = append(codes, w.closed())
	}
	if !slices.Equal(codes, []int{1012, 1012, 1012}) {
		t.Errorf("closed with %v", codes)
	}
	stream.ended()
	wait(t, "the end of Serve", stopped)
	if _, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://")); err == nil {
		t.Error("the port still answers")
	}
}

// A node that is drained lets nobody in and says so, while it answers requests and feeds the sockets
// that have not had their turn.
func TestDrainingSendsSocketsAwayOneByOne(t *testing.T) {
	t.Parallel()
	const drain = 1500 * time.Millisecond
	s := open(t, func(c *server.Config) { c.Drain = drain })
	s.follow(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	wires := make([]*wire, 20)
	for i := range wires {
		wires[i] = s.dial(t)
		wires[i].subscribe(market, "", "")
		wires[i].next("snapshot")
	}
	stream := s.stream(t, market, "")
	stream.next("snapshot")

	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	for s.nobody().get(t, "/readyz").status != http.StatusServiceUnavailable {
		if time.Since(began) > drain/3 {
			t.Fatal("readiness says nothing of the restart")
		}
	}
	for _, path := range []string{"/ws", "/api/v1/markets/" + market + "/stream"} {
		got := s.nobody().get(t, path, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %s %v", path, got, got.header)
		}
	}
	made := ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", "one")
	if made.status != http.StatusCreated {
		t.Errorf("a trade meanwhile: %s", made)
	}
	asked, err := http.Get(s.url + "/healthz")
	must(t, err)
	asked.Body.Close()
	if asked.StatusCode != http.StatusOK || !asked.Close {
		t.Errorf("healthz says %d and keeps the connection", asked.StatusCode)
	}

	ends := make(chan time.Duration, len(wires))
	for _, w := range wires {
		go func() {
			w.next("event")
			if code := w.closed(); code != 1012 {
				t.Errorf("closed with %d", code)
			}
			ends <- time.Since(began)
		}()
	}
	first, last := time.Hour, time.Duration(0)
	for range wires {
		end := <-ends
		first, last = min(first, end), max(last, end)
	}
	stream.next("event")
	stream.ended()
	if first < drain/3 || last-first < drain/3 {
		t.Errorf("sockets ended from %v to %v", first, last)
	}
	must(t, <-stopped)
	s.Verify(t)
}

func TestShutdownLetsATradeFinish(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	lock, err := s.Pool().Begin(t.Context())
	must(t, err)
	_, err = lock.Exec(t.Context(), "select from pgtape_core.book for update")
	must(t, err)

	answered := make(chan answer, 1)
	go func() {
		answered <- ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", "one")
	}()
	s.until(t, "a trade that waits for the lock", `
		select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`)
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			break // no longer listening
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the port still answers")
		}
	}
	must(t, lock.Commit(t.Context()))
	if got := <-answered; got.status != http.StatusCreated {
		t.Error(got)
	}
	must(t, <-stopped)
	s.Verify(t)
}

// until waits for a query to say true.
func (s *site) until(t *testing.T, what, query string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		var yes bool
		must(t, s.Pool().QueryRow(t.Context(), query).Scan(&yes))
		if yes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
