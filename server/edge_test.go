package server_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/e2e/link"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/edge"
	"github.com/pgtape/pgtape/static"
)

// edgeSite is a site as seen through an edge.
type edgeSite struct {
	*site
	link   *link.Link // to the site
	origin *edge.Origin
	edge   *server.Edge
}

// edge starts an edge of a site, and returns when it is live.
func (s *site) edge(t *testing.T, options ...func(*edge.Options, *server.EdgeConfig)) *edgeSite {
	t.Helper()
	l, err := link.New(strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	t.Cleanup(l.Close)
	o := edge.Options{URL: "http://" + l.Address()}
	config := server.EdgeConfig{}
	for _, option := range options {
		option(&o, &config)
	}
	e := &edgeSite{site: &site{DB: s.DB, server: s.server, reader: s.reader, log: s.log}, link: l}
	e.origin, err = edge.New(o)
	must(t, err)
	config.Origin = e.origin
	e.edge = server.NewEdge(config)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	e.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = e.edge.Run(ctx) })
	tasks.Go(func() {
		if err := e.edge.Serve(ctx, listener); err != nil {
			t.Errorf("serving at the edge: %v", err)
		}
	})
	e.stop = sync.OnceValue(func() error {
		cancel()
		tasks.Wait()
		return nil
	})
	t.Cleanup(func() { _ = e.stop() })
	e.until(t, tape.Live)
	return e
}

func (e *edgeSite) until(t *testing.T, state tape.State) {
	t.Helper()
	waitUntil(t, "an edge that is "+string(state), func() bool { return e.origin.Status().State == state })
}

// watch makes the edge follow a market, and waits until it does.
func (e *edgeSite) watch(t *testing.T, market string) {
	t.Helper()
	waitUntil(t, "a market that is followed", func() bool {
		return e.nobody().get(t, "/api/v1/markets/"+market).header.Get("X-Pgtape-Edge") == "memory"
	})
}

// TestAnEdgeAnswersAsItsOrigin: to the byte, from memory what it has there.
func TestAnEdgeAnswersAsItsOrigin(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.follow(t)
	e := s.edge(t)
	market := "rain"
	_, err := s.CreateMarket(t.Context(), db.NewMarket{
		Slug: market, Question: `<Will> it "rain" & pour?`, Outcomes: []string{"yes", "no", `a "quoted" <one>`, "möglich\u2028"}, Liquidity: "25.5",
	})
	must(t, err)
	traders := []string{s.Account(t, "1000"), s.Account(t, "1000"), s.Account(t, "1000")}
	e.watch(t, market)
	same := func(path string, from string) {
		t.Helper()
		here, there := e.nobody().get(t, path), s.nobody().get(t, path)
		if string(here.body) != string(there.body) || here.status != there.status {
			t.Errorf("%s: the edge says\n%s\nthe origin\n%s", path, here, there)
		}
		for _, name := range []string{"ETag", "Content-Type", "Cache-Control", "Content-Security-Policy", "Vary"} {
			if got, want := here.header.Values(name), there.header.Values(name); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %s is %q at the edge, %q at the origin", path, name, got, want)
			}
		}
		if got := here.header.Get("X-Pgtape-Edge"); got != from {
			t.Errorf("%s: answered from %q, want %q", path, got, from)
		}
	}
	version := int64(1)
	for i := range 40 {
		switch i % 10 {
		case 7:
			_, err = s.HaltMarket(t.Context(), market, `"so" <it> is`)
		case 8:
			_, err = s.OpenMarket(t.Context(), market, "on")
		default:
			_, err = s.Trade(t.Context(), db.Order{Account: traders[i%3], Market: market, Outcome: "yes", Side: "buy", Shares: "1.5", MaxCost: "2"})
		}
		must(t, err)
		version++
		same(fmt.Sprintf("/api/v1/markets/%s?min_version=%d", market, version), "memory")
	}
	must(t, err)
	waitUntil(t, "a past in memory", func() bool {
		return e.nobody().get(t, "/api/v1/markets/rain/history").header.Get("X-Pgtape-Edge") == "memory"
	})
	until := time.Now().UTC().Format(time.RFC3339Nano)
	same("/api/v1/markets/rain/history?to="+until, "memory")
	same("/api/v1/markets/rain/history?points=7&to="+until, "memory")
	same("/api/v1/markets/rain/history?points=x", "memory")
	for _, path := range []string{
		"/api/v1/markets/rain/tape", "/api/v1/markets/rain/tape?latest=3", "/api/v1/openapi.json", "/api/v1/markets", "/api/v1/leaderboard",
		"/api/v1/markets/none", "/api/v1/markets/rain/quote?outcome=yes&side=buy&shares=1", "/api/v1/nothing", "/nothing",
	} {
		same(path, "forwarded")
	}
	same("/static/js/app.js", "")
	same("/static/"+static.Build()+"/js/app.js", "")
	same("/static/0123456789abcdef/js/app.js", "forwarded") // of an origin that is newer, say

	etag := e.nobody().get(t, "/api/v1/markets/rain").header.Get("ETag")
	if got := e.nobody().get(t, "/api/v1/markets/rain", "If-None-Match", etag); got.status != http.StatusNotModified {
		t.Errorf("of what has not changed: %s", got)
	}
}

// TestFramesOfAnEdgeAreThoseOfItsOrigin: snapshots, events, quotes, and replays from the ring and from
// the tape.
func TestFramesOfAnEdgeAreThoseOfItsOrigin(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.Account(t, "1000")
	s.follow(t)
	e := s.edge(t)
	s.buyOne(t, ana, market)
	first, err := s.TapeAfter(t.Context(), market, "", 1)
	must(t, err)
	w := s.dial(t) // until the origin has heard of the trade
	w.subscribe(market, "", "tape")
	if w.next("snapshot").Seq < 2 {
		w.next("event")
	}
	watch := func(after, mode string) (here, there *wire) {
		here, there = e.dial(t), s.dial(t)
		here.subscribe(market, after, mode)
		there.subscribe(market, after, mode)
		return here, there
	}
	pairs := [][2]*wire{}
	for _, asked := range [][2]string{{"", "tape"}, {"", "quote"}, {first[0].Head().String(), "tape"}, {"1.0123456789abcdef", "tape"}} {
		here, there := watch(asked[0], asked[1])
		pairs = append(pairs, [2]*wire{here, there})
	}
	compare := func() {
		t.Helper()
		for i, pair := range pairs {
			if here, there := pair[0].text(t), pair[1].text(t); here != there {
				t.Errorf("%d: the edge says\n%s\nthe origin\n%s", i, here, there)
			}
		}
	}
	compare() // what they begin with
	for range 5 {
		s.buyOne(t, ana, market)
		compare()
	}
	_, err = s.HaltMarket(t.Context(), market, `"so" <it> is`)
	must(t, err)
	compare()

	none := e.dial(t)
	none.subscribe("none", "", "tape")
	if f := none.next("error"); f.Code != "not_found" {
		t.Errorf("a market that is not there: %+v", f)
	}
	if got := e.nobody().get(t, "/api/v1/markets/none/stream"); got.status != http.StatusNotFound {
		t.Errorf("a stream of a market that is not there: %s", got)
	}
	stream := e.stream(t, market, "")
	if stream.next("snapshot").frame.Seq != 8 {
		t.Error("the stream begins elsewhere")
	}
}

// text is the next frame that is no heartbeat, as it came.
func (w *wire) text(t *testing.T) string {
	t.Helper()
	for {
		must(t, w.conn.SetReadDeadline(time.Now().Add(patience)))
		_, message, err := w.conn.ReadMessage()
		must(t, err)
		if !bytes.HasPrefix(message, []byte(`{"op":"heartbeat"`)) {
			return string(message)
		}
	}
}
