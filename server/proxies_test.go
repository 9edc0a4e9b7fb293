package server_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/e2e/link"
)

// eventSource does what a browser's EventSource does: it connects again when a stream has ended,
// with the last id it was given. It also takes silence for an end.
type eventSource struct {
	url      string
	dial     func() (net.Conn, error) // nil: as usual
	pace     time.Duration            // a rest after each KiB read
	each     func(sent) bool          // hears of all but heartbeats and comments; false: that is all
	lastID   string
	connects int
}

const tooQuiet = 5 * time.Second

func (s *eventSource) run(ctx context.Context) error {
	transport := &http.Transport{DisableKeepAlives: true}
	if s.dial != nil {
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return s.dial() }
	}
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		done = s.connect(ctx, transport)
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

func (s *eventSource) connect(ctx context.Context, transport *http.Transport) (done bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(tooQuiet, cancel)
	defer quiet.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return true
	}
	if s.lastID != "" {
		request.Header.Set("Last-Event-ID", s.lastID)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return false
	}
	s.connects++
	_ = readEvents(&paced{response.Body, s.pace, func() { quiet.Reset(tooQuiet) }}, func(e sent) bool {
		if e.comment || e.event == "heartbeat" || e.frame.Op == "subscribed" {
			return true
		}
		s.lastID = e.id
		done = !s.each(e)
		return !done
	}) // an error: the end of this connection
	return done
}

// paced reads slowly.
type paced struct {
	io.Reader
	pace  time.Duration
	heard func()
}

func (p *paced) Read(b []byte) (int, error) {
	if p.pace > 0 {
		time.Sleep(p.pace)
		b = b[:min(len(b), 1<<10)]
	}
	n, err := p.Reader.Read(b)
	p.heard()
	return n, err
}

// like is a proxy by the documented rules of nginx: it gathers an answer in a buffer of 8 KiB and
// sends that when it is full, or when the answer ends; unless the answer says X-Accel-Buffering:
// no, which is not passed on, and which only a proxy that obeys heeds. When its upstream is
// silent for longer than it reads, it ends the answer.
type like struct {
	upstream string
	obeys    bool
	reads    time.Duration
}

func (p like) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	upstream, err := http.NewRequestWithContext(ctx, r.Method, p.upstream+r.URL.RequestURI(), nil)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	upstream.Header = r.Header.Clone()
	response, err := http.DefaultTransport.RoundTrip(upstream)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	buffers := !p.obeys || response.Header.Get("X-Accel-Buffering") != "no"
	response.Header.Del("X-Accel-Buffering")
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)

	silent := time.AfterFunc(p.reads, cancel)
	defer silent.Stop()
	var buffer bytes.Buffer
	piece := make([]byte, 4<<10)
	for {
		n, err := response.Body.Read(piece)
		silent.Reset(p.reads)
		buffer.Write(piece[:n])
		for buffer.Len() > 0 && (!buffers || buffer.Len() >= 8<<10 || err == io.EOF) {
			if _, err := w.Write(buffer.Next(8 << 10)); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

const buyLittle = `{"outcome":"yes","side":"buy","shares":"0.1","max_cost":"1"}`

// throughProxies runs a test behind each kind of proxy.
func throughProxies(t *testing.T, test func(t *testing.T, s *site, proxied string, late bool)) {
	t.Parallel()
	tests := []struct {
		name  string
		proxy func(upstream *url.URL) http.Handler
		late  bool
	}{
		{"httputil.ReverseProxy", func(u *url.URL) http.Handler {
			return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
		}, false},
		{"one that buffers unless it is told not to", func(u *url.URL) http.Handler { return like{u.String(), true, tooQuiet} }, false},
		{"one that buffers whatever it is told", func(u *url.URL) http.Handler { return like{u.String(), false, tooQuiet} }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			upstream, err := url.Parse(s.url)
			must(t, err)
			web := httptest.NewUnstartedServer(tt.proxy(upstream))
			web.Config.ErrorLog = quiet
			web.Start()
			t.Cleanup(web.Close)
			test(t, s, web.URL, tt.late)
		})
	}
}

// TestStreamsThroughProxies: where a proxy lets it, an event is there before the next one is made.
func TestStreamsThroughProxies(t *testing.T) {
	throughProxies(t, func(t *testing.T, s *site, proxied string, late bool) {
		market, ana := s.Market(t), s.signIn(t, "ana")
		s.follow(t)
		const trades = 40
		heard := make(chan int64, trades+1)
		source := &eventSource{url: proxied + "/api/v1/markets/" + market + "/stream"}
		source.each = func(e sent) bool {
			heard <- e.frame.Seq
			return e.frame.Seq <= trades
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		ran := make(chan error, 1)
		go func() { ran <- source.run(ctx) }()
		next := func(want int64) {
			t.Helper()
			select {
			case seq := <-heard:
				if seq != want {
					t.Fatalf("event %d, want %d", seq, want)
				}
			case <-ctx.Done():
				t.Fatalf("event %d does not come", want)
			}
		}
		s.awaitMetric(t, "pgtape_snapshots_total", 1)
		if late { // until its buffer is full
			for len(heard) <= trades {
				ana.trade(t, market, buyLittle)
			}
		} else {
			next(1)
		}
		first := int64(2)
		if late {
			first = 1
		}
		for seq := first; seq <= trades+1; seq++ {
			if !late {
				ana.trade(t, market, buyLittle)
			}
			next(seq)
		}
		must(t, <-ran)
	})
}

// TestStreamsThroughProxiesAndCuts cuts the wire in front of the proxy: what lay in its buffer is
// lost on the way, and comes with the next connection.
func TestStreamsThroughProxiesAndCuts(t *testing.T) {
	throughProxies(t, func(t *testing.T, s *site, proxied string, _ bool) {
		market, ana := s.Market(t), s.signIn(t, "ana")
		for range 3 { // before the reader starts, which takes over the heads only
			ana.trade(t, market, buyTen)
		}
		s.follow(t)
		l, err := link.New(strings.TrimPrefix(proxied, "http://"))
		must(t, err)
		t.Cleanup(l.Close)

		const last = 104
		var got []int64
		source := &eventSource{url: "http://" + l.Address() + "/api/v1/markets/" + market + "/stream"}
		source.each = func(e sent) bool {
			got = append(got, e.frame.Seq)
			if e.frame.Op == "snapshot" && len(got) > 1 {
				t.Errorf("a snapshot at %d", e.frame.Seq)
			}
			switch len(got) {
			case 20, 60:
				l.Reset()
			case 40, 80:
				l.Cut()
				time.AfterFunc(300*time.Millisecond, l.Mend)
			}
			return e.frame.Seq < last
		}
		first := s.nobody().get(t, "/api/v1/markets/"+market+"/tape?limit=1")
		var page struct{ Next string }
		first.read(t, &page)
		source.lastID = page.Next
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		ran := make(chan error, 1)
		go func() { ran <- source.run(ctx) }()
		for ended := false; !ended; { // on and on: what comes late comes with what follows
			ana.trade(t, market, buyLittle)
			select {
			case err := <-ran:
				must(t, err)
				ended = true
			case <-time.After(20 * time.Millisecond):
			}
		}
		inOrder(t, got, 2, last)
		if source.connects < 2 {
			t.Error("nothing was cut")
		}
	})
}

// TestAStreamOfAnotherHistoryStartsFromASnapshot also behind a proxy, and goes on from there.
func TestAStreamOfAnotherHistoryStartsFromASnapshot(t *testing.T) {
	throughProxies(t, func(t *testing.T, s *site, proxied string, late bool) {
		if late {
			t.Skip("the same, later")
		}
		market, ana := s.Market(t), s.signIn(t, "ana")
		s.follow(t)
		ana.trade(t, market, buyTen)
		var got []string
		source := &eventSource{url: proxied + "/api/v1/markets/" + market + "/stream", lastID: "2.0123456789abcdef"}
		joined := make(chan struct{})
		source.each = func(e sent) bool {
			if got = append(got, e.frame.Op); len(got) == 1 {
				close(joined)
			}
			return e.frame.Seq < 3
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		ran := make(chan error, 1)
		go func() { ran <- source.run(ctx) }()
		wait(t, "a snapshot", joined)
		ana.trade(t, market, buyTen)
		must(t, <-ran)
		if strings.Join(got, " ") != "snapshot event" {
			t.Errorf("got %v", got)
		}
	})
}
