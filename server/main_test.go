package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const patience = 3 * time.Minute // of a test with what must happen

// site is a server on a database of its own.
type site struct {
	*dbtest.DB
	url    string
	server *server.Server
	reader *tape.Reader
	log    *logs
	stop   func() error // shuts down and waits
}

// open starts a server with the rights that it has in production. Its tape reader does not run
// before follow.
func open(t *testing.T, options ...func(*server.Config)) *site {
	t.Helper()
	return openOn(t, dbtest.New(t), options...)
}

// openOn is open on a database that is there.
func openOn(t *testing.T, d *dbtest.DB, options ...func(*server.Config)) *site {
	t.Helper()
	return openMade(t, d, server.New, options...)
}

// openMade is openOn with a server that is made otherwise.
func openMade(t *testing.T, d *dbtest.DB, create func(server.Config) *server.Server, options ...func(*server.Config)) *site {
	t.Helper()
	s := &site{DB: d, log: &logs{}}
	s.reader = tape.NewReader(tape.Options{URL: s.URL()})
	config := server.Config{
		DB: s.AsServer(t), Reader: s.reader, SignUp: server.Handle,
		Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, option := range options {
		option(&config)
	}
	s.server = create(config)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	feeding, fed := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = s.server.Run(feeding) })
	served := make(chan error, 1)
	tasks.Go(func() {
		defer fed()
		served <- s.server.Serve(ctx, listener)
	})
	s.stop = sync.OnceValue(func() error {
		cancel()
		tasks.Wait()
		return <-served
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return s
}

// follow runs the tape reader and returns when it is live.
func (s *site) follow(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	live := &untilLive{Sink: s.server.Sink(), live: make(chan struct{})}
	go func() { ended <- s.reader.Run(ctx, live) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	wait(t, "a live tape", live.live)
}

// untilLive tells when the reader says so.
type untilLive struct {
	tape.Sink
	once sync.Once
	live chan struct{}
}

func (u *untilLive) SetState(state tape.State) {
	u.Sink.SetState(state)
	if state == tape.Live {
		u.once.Do(func() { close(u.live) })
	}
}

func wait(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

// logs is what the server logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// user is somebody with a browser, or without a cookie nobody.
type user struct {
	site   *site
	cookie string
}

func (s *site) nobody() user { return user{site: s} }

// signIn signs in as a handle, creating the account if there is none.
func (s *site) signIn(t *testing.T, handle string) user {
	t.Helper()
	got := s.nobody().post(t, "/api/v1/session", map[string]string{"handle": handle})
	if got.status != http.StatusCreated {
		t.Fatalf("sign in as %s: %s", handle, got)
	}
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return user{s, cookie}
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// read parses the body into v.
func (a answer) read(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
}

// code is the code of a refusal, or empty.
func (a answer) code() db.Code {
	var p struct{ Code db.Code }
	if json.Unmarshal(a.body, &p) != nil || a.status < 400 {
		return ""
	}
	return p.Code
}

func (u user) get(t *testing.T, path string, headers ...string) answer {
	t.Helper()
	return u.do(t, http.MethodGet, path, nil, headers...)
}

// post sends a JSON body: a string as it is, anything else marshalled.
func (u user) post(t *testing.T, path string, body any, headers ...string) answer {
	t.Helper()
	text, raw := body.(string)
	if !raw {
		marshalled, err := json.Marshal(body)
		must(t, err)
		text = string(marshalled)
	}
	return u.do(t, http.MethodPost, path, strings.NewReader(text), append([]string{"Content-Type", "application/json"}, headers...)...)
}

// do sends a request with headers given as names and values; an empty value takes a header away.
func (u user) do(t *testing.T, method, path string, body io.Reader, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, u.site.url+path, body)
	must(t, err)
	if u.cookie != "" {
		request.Header.Set("Cookie", u.cookie)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
		} else {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	return answer{response.StatusCode, response.Header, text}
}

// trade places an order under a key of its own and returns the receipt.
func (u user) trade(t *testing.T, market string, order string) db.Receipt {
	t.Helper()
	got := u.post(t, "/api/v1/markets/"+market+"/trades", order, "Idempotency-Key", newKey())
	if got.status != http.StatusCreated {
		t.Fatalf("trade: %s", got)
	}
	var receipt db.Receipt
	got.read(t, &receipt)
	return receipt
}

const buyTen = `{"outcome":"yes","side":"buy","shares":"10","max_cost":"10"}`

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// quiet takes what others would log.
var quiet = log.New(io.Discard, "", 0)
