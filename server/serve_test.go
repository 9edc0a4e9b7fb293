package server_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
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
