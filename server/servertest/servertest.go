// Package servertest gives a test a running server on a database of its own.
package servertest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/e2e/lag"
	"github.com/pgtape/pgtape/server"
)

// World is a server, its database, and the wire between it and its clients.
type World struct {
	*dbtest.DB
	URL  string // of the server
	Wire *Wire
}

// New starts a server that reads the tape and is ready; it goes with the test.
func New(t *testing.T, signUp server.SignUp) *World {
	t.Helper()
	d := dbtest.New(t)
	return serve(t, d, server.Config{DB: d.AsServer(t), SignUp: signUp})
}

// Far starts a server whose database is a long way off; its reader's is not.
func Far(t *testing.T, signUp server.SignUp, oneWay time.Duration) (*World, *lag.Proxy) {
	t.Helper()
	d := dbtest.New(t)
	through, way := dbtest.Lagged(t, d.URL(), oneWay)
	far, err := db.Open(t.Context(), through, db.Options{AsServer: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.Close)
	// Nothing but what a test asks for goes this way, since tests count it.
	return serve(t, d, server.Config{DB: far, SignUp: signUp, LockCheck: -1}), way
}

func serve(t *testing.T, d *dbtest.DB, config server.Config) *World {
	t.Helper()
	reader := tape.NewReader(tape.Options{URL: d.URL()})
	config.Reader = reader
	s := server.New(config)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = reader.Run(ctx, s.Sink()) })
	tasks.Go(func() { _ = s.Run(ctx) })

	web := httptest.NewUnstartedServer(s.Handler())
	wire := &Wire{Listener: web.Listener}
	web.Listener = wire
	web.Start()
	t.Cleanup(func() {
		stop()
		wire.Cut()
		web.Close()
		tasks.Wait()
	})
	w := &World{DB: d, URL: web.URL, Wire: wire}
	w.awaitReady(t)
	return w
}

func (w *World) awaitReady(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for status := 0; status != http.StatusOK; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatalf("the server is not ready: %v", err)
		}
		response.Body.Close()
		status = response.StatusCode
	}
}

// Wire is a listener whose connections can be cut.
type Wire struct {
	net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

// Accept takes the next connection.
func (w *Wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.conns = append(w.conns, conn)
	}
	return conn, err
}

// Cut ends all connections that there are without a word.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range w.conns {
		conn.Close()
	}
	w.conns = nil
}
