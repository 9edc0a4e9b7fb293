package e2e_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/edge"
)

// edge starts an edge of a site, and gives the site as seen through it.
func (s *site) edge(t *testing.T) (through *site, origin *edge.Origin) {
	t.Helper()
	origin, err := edge.New(edge.Options{URL: s.url})
	must(t, err)
	e := server.NewEdge(server.EdgeConfig{Origin: origin})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	through = &site{DB: s.DB, url: "http://" + listener.Addr().String(), login: s.login, o: s.o}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var tasks sync.WaitGroup
	for _, run := range []func() error{
		func() error { return e.Run(ctx) },
		func() error { return e.Serve(ctx, listener) },
	} {
		tasks.Go(func() {
			if err := run(); err != nil {
				t.Errorf("running the edge: %v", err)
			}
		})
	}
	through.stop = sync.OnceFunc(func() {
		cancel()
		tasks.Wait()
	})
	t.Cleanup(through.stop)
	through.awaitReady(t)
	return through, origin
}

// TestAPageThroughAnEdgeTradesAndIsLive as one of the origin, also when that starts again meanwhile.
func TestAPageThroughAnEdgeTradesAndIsLive(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	e, _ := s.edge(t)
	ana, bo := e.page(t), s.page(t)
	ana.openMarket(market)
	bo.openMarket(market)
	ana.signIn("ana")
	ana.untilTicket("ready")
	ana.click(hook("ticket-submit"))
	ana.untilTicket("filled")
	ana.showsReceipt(s.lastTrade(t, "ana"))
	ana.showsBalance("ana")
	ana.agreesWith(market)
	bo.agreesWith(market)
	s.buy(t, s.Account(t, "100"), market, "no", "5")
	ana.agreesWith(market)
	ana.untilLive()
}

// TestAnOriginThatStartsAgainIsFollowedOn, and shuts down at once though an edge is connected.
func TestAnOriginThatStartsAgainIsFollowedOn(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, ana := s.Market(t), s.Account(t, "1000")
	e, origin := s.edge(t)
	a := &audience{site: e, market: market}
	a.joinSocket(t, "")
	a.joinStream(t, "")
	for range 3 {
		s.buy(t, ana, market, "yes", "1")
	}
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("shutting the origin down took %v", took)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.url+"/api/v1/session", strings.NewReader("{}"))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || response.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("without an origin: %s %v", response.Status, response.Header)
	}
	for range 3 {
		s.buy(t, ana, market, "yes", "1")
	}
	s.restart(t)
	for range 3 {
		s.buy(t, ana, market, "no", "1")
	}
	a.sawItAll(t, 10)
	e.awaitReady(t)
	if status := origin.Status(); status.State != tape.Live || status.Resets != 0 {
		t.Errorf("status of the link: %+v", status)
	}
}
