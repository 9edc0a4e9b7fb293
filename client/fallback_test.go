package client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/e2e/link"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/servertest"
)

const patience = 3 * time.Minute

// witness watches a market and holds what it is delivered against the promises.
type witness struct {
	t      *testing.T
	market string
	frames chan client.Frame // but heartbeats
	ended  chan error
	stop   context.CancelFunc

	seq       int64
	cursor    string
	snapshots int
}

func watch(t *testing.T, address, market, after, mode string) *witness {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w := &witness{t: t, market: market, frames: make(chan client.Frame, 10_000), ended: make(chan error, 1), stop: stop, cursor: after}
	fmt.Sscan(after, &w.seq)
	c := client.New(address)
	go func() {
		w.ended <- c.Watch(ctx, []client.Subscription{{Market: market, After: after, Mode: mode}}, func(f client.Frame) {
			if f.Op != client.OpHeartbeat {
				w.frames <- f
			}
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-w.ended; err != nil {
			t.Errorf("watch ended with %v", err)
		}
		c.Close()
	})
	return w
}

// next is the next frame; every event has to follow the one before.
func (w *witness) next() client.Frame {
	w.t.Helper()
	select {
	case f := <-w.frames:
		switch f.Op {
		case client.OpSnapshot:
			w.snapshots++
			w.seq, w.cursor = f.Seq, f.Cursor
		case client.OpEvent:
			if f.Prev != w.seq || f.Seq != w.seq+1 || f.Trade == nil || f.Raw == nil {
				w.t.Fatalf("event %+v follows %d", f.Event, w.seq)
			}
			w.seq, w.cursor = f.Seq, f.Cursor
		case client.OpQuote:
			if f.Seq <= w.seq {
				w.t.Fatalf("quote %d follows %d", f.Seq, w.seq)
			}
			w.seq = f.Seq
		}
		return f
	case <-time.After(patience):
		w.t.Fatalf("nothing comes after %d", w.seq)
		return client.Frame{}
	}
}

func (w *witness) upTo(seq int64) {
	w.t.Helper()
	for w.seq < seq {
		w.next()
	}
}

func (w *witness) until(state string) client.Frame {
	w.t.Helper()
	for {
		if f := w.next(); f.Op == client.OpState && f.Code == state {
			return f
		}
	}
}

// trades makes some and returns the version after them.
func trades(t *testing.T, c *client.Client, market string, n int) (version int64) {
	t.Helper()
	for range n {
		receipt, err := c.Trade(t.Context(), market, client.Order{Outcome: "yes", Side: "buy", Shares: "0.1", MaxCost: "1"}, client.NewKey())
		if err != nil {
			t.Fatal(err)
		}
		version = receipt.Version
	}
	return version
}

// blocks is a proxy that does to sockets what some do, until it is told to let them through.
type blocks struct {
	http.Handler
	how     func(w http.ResponseWriter, r *http.Request)
	off     atomic.Bool
	sockets atomic.Int64 // let through
}

func (b *blocks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ws" {
		if !b.off.Load() {
			b.how(w, r)
			return
		}
		b.sockets.Add(1)
	}
	b.Handler.ServeHTTP(w, r)
}

// hows are the ways in which sockets are kept from getting through.
var hows = map[string]func(upstream http.Handler) func(http.ResponseWriter, *http.Request){
	"refused": func(http.Handler) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusForbidden) }
	},
	"the upgrade is dropped from the request": func(upstream http.Handler) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Upgrade")
			r.Header.Del("Connection")
			upstream.ServeHTTP(w, r)
		}
	},
	"opened, and nothing is let through": func(http.Handler) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer conn.Close()
			_, _, _ = conn.NextReader()
			for err == nil {
				_, _, err = conn.NextReader()
			}
		}
	},
	"cut in the handshake": func(http.Handler) func(http.ResponseWriter, *http.Request) {
		return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	},
	"never answered": func(http.Handler) func(http.ResponseWriter, *http.Request) {
		return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	},
}

func blocking(t *testing.T, target, how string) (url string, b *blocks) {
	t.Helper()
	upstream := httputil.NewSingleHostReverseProxy(must(t)(parse(target)))
	upstream.ErrorLog = log.New(io.Discard, "", 0)
	b = &blocks{Handler: upstream, how: hows[how](upstream)}
	web := httptest.NewUnstartedServer(b)
	web.Config.ErrorLog = upstream.ErrorLog
	web.Start()
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	return web.URL, b
}

func parse(text string) (*url.URL, error) { return url.Parse(text) }

func must(t *testing.T) func(*url.URL, error) *url.URL {
	return func(u *url.URL, err error) *url.URL {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
}

// TestWhereSocketsAreBlockedTheTapeIsPolled, and when they are let through, taken again.
func TestWhereSocketsAreBlockedTheTapeIsPolled(t *testing.T) {
	t.Parallel()
	for how := range hows {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := servertest.New(t, server.Handle)
			market, ana := w.Market(t), signedIn(t, w, "ana")
			address, block := blocking(t, w.URL, how)
			tape, quotes := watch(t, address, market, "", client.Tape), watch(t, address, market, "", client.Latest)
			for _, v := range []*witness{tape, quotes} {
				v.until(client.Live)
				if v.seq != 1 || v.snapshots != 1 {
					t.Fatalf("%d snapshots, at %d", v.snapshots, v.seq)
				}
			}
			for range 3 {
				version := trades(t, ana, market, 5)
				tape.upTo(version)
				quotes.upTo(version)
			}
			behind := watch(t, address, market, tape.cursor, client.Tape)
			if f := behind.until(client.Live); f.At.IsZero() || behind.snapshots != 0 {
				t.Errorf("live at %v after %d snapshots", f.At, behind.snapshots)
			}
			block.off.Store(true)
			for deadline := time.Now().Add(patience); block.sockets.Load() < 3; {
				if time.Now().After(deadline) {
					t.Fatalf("%d of 3 have gone back to sockets", block.sockets.Load())
				}
				tape.upTo(trades(t, ana, market, 1))
				time.Sleep(50 * time.Millisecond)
			}
			last := trades(t, ana, market, 5)
			for _, v := range []*witness{tape, quotes, behind} {
				v.upTo(last)
			}
			if tape.snapshots != 1 || behind.snapshots != 0 {
				t.Errorf("%d and %d snapshots of tapes", tape.snapshots, behind.snapshots)
			}
		})
	}
}

func TestPollingGivesACursorOfAnotherHistoryASnapshot(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	market, ana := w.Market(t), signedIn(t, w, "ana")
	trades(t, ana, market, 3)
	address, _ := blocking(t, w.URL, "refused")
	v := watch(t, address, market, "2.0123456789abcdef", client.Tape)
	v.until(client.Live)
	if v.snapshots != 1 || v.seq != 4 {
		t.Errorf("%d snapshots, at %d", v.snapshots, v.seq)
	}
	v.upTo(trades(t, ana, market, 2))
}

func TestPollingTellsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	address, _ := blocking(t, w.URL, "refused")
	var errs []string
	err := client.New(address).Watch(t.Context(), []client.Subscription{{Market: "nothing"}}, func(f client.Frame) {
		if f.Op == client.OpError {
			errs = append(errs, f.Code)
		}
	})
	if client.CodeOf(err) != client.CodeNotFound || !slices.Equal(errs, []string{client.CodeNotFound}) {
		t.Errorf("error %v after %v", err, errs)
	}
}

func TestAServerThatIsNotOursIsRefusedForGood(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	err := client.New(web.URL).Watch(t.Context(), []client.Subscription{{Market: "m"}}, func(client.Frame) {})
	if err == nil || err.Error() != "the server answered 404 Not Found" {
		t.Errorf("error = %v", err)
	}
}

// TestWatchThroughABadLine goes on through everything that a line can do, each event once.
func TestWatchThroughABadLine(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name  string
		fault func(*link.Link)
		stale bool
	}{
		{"cut", (*link.Link).Cut, true},
		{"frozen", (*link.Link).Freeze, true},
		{"reset", (*link.Link).Reset, false},
		{"slow", func(l *link.Link) { l.Delay(200*time.Millisecond, 200*time.Millisecond) }, false},
		{"narrow", func(l *link.Link) { l.Limit(4 << 10) }, false},
	}
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := servertest.New(t, server.Handle)
			market, ana := w.Market(t), signedIn(t, w, "ana")
			l, err := link.New(strings.TrimPrefix(w.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(l.Close)
			v := watch(t, "http://"+l.Address(), market, "", client.Tape)
			v.until(client.Live)
			for range 2 {
				tt.fault(l)
				version := trades(t, ana, market, 10)
				if tt.stale {
					broken := time.Now()
					f := v.until(client.Stale)
					if age := f.Received.Sub(f.At); age < 0 || f.At.After(broken.Add(2*time.Second)) {
						t.Errorf("stale since %v, broken at %v", f.At, broken)
					}
					l.Mend()
					v.until(client.Live)
				}
				v.upTo(version)
				l.Mend()
			}
			if v.snapshots != 1 {
				t.Errorf("%d snapshots", v.snapshots)
			}
		})
	}
}
