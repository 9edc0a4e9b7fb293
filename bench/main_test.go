package bench_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// world is a server on a database of its own.
type world struct {
	*dbtest.DB
	url  string
	wire *wire
}

func newWorld(t *testing.T, signIn server.SignIn) *world {
	t.Helper()
	d := dbtest.New(t)
	reader := tape.NewReader(tape.Options{URL: d.URL()})
	s := server.New(server.Config{DB: d.AsServer(t), Reader: reader, SignIn: signIn})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = reader.Run(ctx, s.Sink()) })
	tasks.Go(func() { _ = s.Run(ctx) })

	web := httptest.NewUnstartedServer(s.Handler())
	wire := &wire{Listener: web.Listener}
	web.Listener = wire
	web.Start()
	t.Cleanup(func() {
		stop()
		wire.cut()
		web.Close()
		tasks.Wait()
	})
	w := &world{DB: d, url: web.URL, wire: wire}
	w.awaitReady(t)
	return w
}

func (w *world) awaitReady(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for status := 0; status != http.StatusOK; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/readyz", nil)
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

// wire is a listener whose connections can be cut.
type wire struct {
	net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

func (w *wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.conns = append(w.conns, conn)
	}
	return conn, err
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range w.conns {
		conn.Close()
	}
	w.conns = nil
}
