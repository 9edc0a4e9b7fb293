package server_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/edge"
)

var (
	edgeWatchers = flag.Int("edge.watchers", 300, "sockets on one edge")
	edgeCut      = flag.Duration("edge.cut", 3*time.Second, "how long an edge's link is cut")
	edgeFaults   = flag.Int("edge.faults", 12, "faults of an edge's link")
)

// TestWatchersOfAnEdgeShareOneStream: however many they are, the origin has one socket, and everybody
// gets every event.
func TestWatchersOfAnEdgeShareOneStream(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, markets := s.Account(t, "1000"), []string{s.Market(t), s.Market(t)}
	s.follow(t)
	e := s.edge(t)
	const events = 20
	var joined, done sync.WaitGroup
	for i := range *edgeWatchers {
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(e.url, "http")+"/ws", nil)
		must(t, err)
		defer conn.Close()
		market := markets[i%2]
		must(t, conn.WriteJSON(map[string]string{"op": "subscribe", "market": market}))
		joined.Add(1)
		done.Go(func() {
			if err := sees(conn, market, joined.Done, 1, 1+events/2); err != nil {
				t.Error(err)
			}
		})
	}
	joined.Wait()
	for i := range events {
		s.buyOne(t, ana, markets[i%2])
	}
	done.Wait()
	metrics := string(s.nobody().get(t, "/metrics").body)
	for _, line := range []string{`pgtape_connections{door="socket"} 1`, `pgtape_connections{door="stream"} 0`, `pgtape_subscriptions 2`} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the origin does not say %s", line)
		}
	}
	if status := e.origin.Status(); status.Events != events || status.Connects != 1 || status.Markets != 2 {
		t.Errorf("status of the link: %+v", status)
	}
	metrics = string(e.nobody().get(t, "/metrics").body)
	for _, line := range []string{
		fmt.Sprintf(`pgtape_connections{door="socket"} %d`, *edgeWatchers), `pgtape_edge_markets_followed 2`,
		`pgtape_edge_origin_state{state="live"} 1`, fmt.Sprintf(`pgtape_edge_origin_events_total %d`, events), `pgtape_slow_closes_total 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the edge does not say %s", line)
		}
	}
}

// sees reads a snapshot at a seq and each event up to another; from 0, at any, and so many behind it.
func sees(conn *websocket.Conn, market string, joined func(), from, to int64) error {
	at := int64(0)
	defer func() {
		if at == 0 {
			joined()
		}
	}()
	for at == 0 || at < to {
		if err := conn.SetReadDeadline(time.Now().Add(4 * patience)); err != nil {
			return err
		}
		_, message, err := conn.ReadMessage()
		if err != nil {
			return fmt.Errorf("at %d: %w", at, err)
		}
		var f frame
		if err := json.Unmarshal(message, &f); err != nil {
			return err
		}
		switch {
		case f.Op == "heartbeat":
		case f.Op == "snapshot" && at == 0 && (f.Seq == from || from == 0) && f.Market == market:
			joined()
			if at = f.Seq; from == 0 {
				to += at
			}
		case f.Op == "event" && at > 0 && f.Prev == at && f.Market == market:
			at = f.Seq
		default:
			return fmt.Errorf("at %d: %s", at, message)
		}
	}
	return nil
}

// TestALinkThatIsCutEndsNoSocket: who watches hears that the tape is late, and then all that he has
// missed, once each. Meanwhile nobody is told what may be out of date.
func TestALinkThatIsCutEndsNoSocket(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, market := s.Account(t, "1000"), s.Market(t)
	s.follow(t)
	e := s.edge(t)
	sockets := []*wire{e.dial(t), e.dial(t)}
	for _, w := range sockets {
		w.subscribe(market, "", "tape")
		w.next("snapshot")
	}
	quotes := e.dial(t)
	quotes.subscribe(market, "", "quote")
	quotes.next("snapshot")
	stream := e.stream(t, market, "")
	stream.next("snapshot")
	s.buyOne(t, ana, market)
	for _, w := range sockets {
		w.next("event")
	}
	quotes.next("quote")
	stream.next("event")

	e.link.Cut()
	e.until(t, tape.CatchingUp)
	mend := time.Now().Add(*edgeCut)
	late := e.dial(t) // comes while there is no link
	late.subscribe(market, "", "tape")
	sockets[0].heartbeat("catching_up")
	if got := e.nobody().get(t, "/api/v1/markets/"+market); got.code() != "unavailable" || got.header.Get("Retry-After") == "" {
		t.Errorf("the state without a link: %s", got)
	}
	if got := e.nobody().get(t, "/readyz"); got.status != http.StatusServiceUnavailable {
		t.Errorf("ready without a link: %s", got)
	}
	if got := e.nobody().get(t, "/m/"+market, "Accept", "text/html"); got.status != http.StatusServiceUnavailable ||
		!strings.Contains(string(got.body), "<html") || got.header.Get("Retry-After") == "" || got.header.Get("Content-Security-Policy") == "" {
		t.Errorf("a page without a link: %s", got)
	}
	const missed = 30
	for range missed {
		s.buyOne(t, ana, market)
	}
	var waiting sync.WaitGroup
	for _, w := range append(sockets, quotes, late) {
		waiting.Go(func() { w.hearsNothing(mend) })
	}
	waiting.Wait()
	e.link.Mend()
	for _, w := range sockets {
		for seq := int64(3); seq <= 2+missed; seq++ {
			if f := w.next("event"); f.Seq != seq || f.Prev != seq-1 {
				t.Fatalf("want event %d, got %+v", seq, f)
			}
		}
		w.heartbeat("live")
	}
	for seq := int64(3); seq <= 2+missed; seq++ {
		if f := stream.next("event").frame; f.Seq != seq {
			t.Fatalf("want event %d on the stream, got %+v", seq, f)
		}
	}
	late.onwards(s, market, 2+missed)
	for at := int64(2); at < 2+missed; {
		q := quotes.next("quote")
		if q.Seq <= at {
			t.Fatalf("quote %d after %d", q.Seq, at)
		}
		at = q.Seq
	}
	e.until(t, tape.Live)
	e.watch(t, market)
	if status := e.origin.Status(); status.Resets != 0 || status.Connects < 2 {
		t.Errorf("status of the link: %+v", status)
	}
}

// hearsNothing reads heartbeats, and answers pings, until a time; those of before the cut say live.
func (w *wire) hearsNothing(until time.Time) {
	for late := false; time.Now().Before(until); {
		f, err := w.any()
		if err != nil || f.Op != "heartbeat" || late && f.Source == "live" {
			w.t.Errorf("while the link is cut: %+v (%v)", f, err)
			return
		}
		late = f.Source != "live"
	}
}

// TestAnEdgeThroughFaults of its link, at random, while there is trading and while people come and go.
func TestAnEdgeThroughFaults(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, markets := s.Account(t, "100000"), []string{s.Market(t), s.Market(t), s.Market(t)}
	s.follow(t)
	e := s.edge(t, func(o *edge.Options, _ *server.EdgeConfig) { o.Linger = 200 * time.Millisecond })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var trading sync.WaitGroup
	for _, market := range markets {
		trading.Go(func() {
			for ctx.Err() == nil {
				s.buyOne(t, ana, market)
				time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
			}
		})
	}
	const to = 40 // events that each wants to see
	var watching sync.WaitGroup
	for i := range 24 {
		watching.Go(func() {
			for visit := range 3 {
				time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
				if visit < 2 && i%3 > 0 {
					continue // some come late, and some often
				}
				conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(e.url, "http")+"/ws", nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				market := markets[rand.IntN(len(markets))]
				if err := conn.WriteJSON(map[string]string{"op": "subscribe", "market": market}); err != nil {
					t.Error(err)
					return
				}
				if err := sees(conn, market, func() {}, 0, to); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range *edgeFaults {
		switch rand.IntN(4) {
		case 0:
			e.link.Cut()
		case 1:
			e.link.Reset()
		case 2:
			e.link.Freeze()
		case 3:
			e.link.Delay(30*time.Millisecond, 60*time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
		e.link.Mend()
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
	}
	watching.Wait()
	stop()
	trading.Wait()
	e.until(t, tape.Live)
	for _, market := range markets {
		e.watch(t, market)
		want := s.nobody().get(t, "/api/v1/markets/"+market)
		m, err := s.DB.DB.Market(t.Context(), market)
		must(t, err)
		got := e.nobody().get(t, fmt.Sprintf("/api/v1/markets/%s?min_version=%d", market, m.Version))
		if string(got.body) != string(want.body) {
			t.Errorf("the edge says\n%s\nthe origin\n%s", got, want)
		}
	}
	if got := s.nobody().get(t, "/metrics"); !strings.Contains(string(got.body), "pgtape_tape_gaps_total 0\n") {
		t.Error("the origin has holes")
	}
	if got := e.nobody().get(t, "/metrics"); !strings.Contains(string(got.body), "pgtape_tape_gaps_total 0\n") {
		t.Error("the edge has holes")
	}
	t.Logf("status of the link: %+v", e.origin.Status())
}

// TestAnEdgeOfAnEdge is one of its origin.
func TestAnEdgeOfAnEdge(t *testing.T) {
	t.Parallel()
	s := open(t, trusting)
	market := s.Market(t)
	s.follow(t)
	near := s.edge(t, believing)
	far := near.site.edge(t)
	w := far.dial(t)
	w.subscribe(market, "", "tape")
	w.next("snapshot")
	ana := far.signIn(t, "ana")
	for seq := int64(2); seq <= 4; seq++ {
		ana.trade(t, market, buyTen)
		if f := w.next("event"); f.Seq != seq {
			t.Fatalf("want event %d, got %+v", seq, f)
		}
	}
	got, want := far.nobody().get(t, "/api/v1/markets/"+market+"?min_version=4"), s.nobody().get(t, "/api/v1/markets/"+market)
	if string(got.body) != string(want.body) || got.header.Get("X-Pgtape-Edge") != "memory" {
		t.Errorf("the edge says\n%s\nthe origin\n%s", got, want)
	}
	near.link.Cut()
	w.heartbeat("catching_up")
	s.buyOne(t, "ana", market)
	near.link.Mend()
	if f := w.next("event"); f.Seq != 5 {
		t.Errorf("after a cut: %+v", f)
	}
	w.heartbeat("live")
}

// TestAnEdgeThatStartsAgainAsksOnce for what all who come back have missed.
func TestAnEdgeThatStartsAgainAsksOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, market := s.Account(t, "1000"), s.Market(t)
	first, err := s.TapeAfter(t.Context(), market, "", 1)
	must(t, err)
	for range 20 {
		s.buyOne(t, ana, market)
	}
	s.follow(t)
	e := s.edge(t)
	e.link.Delay(50*time.Millisecond, 0)
	const back = 200
	sockets := make([]*wire, back)
	for i := range sockets {
		sockets[i] = e.dial(t)
		sockets[i].subscribe(market, first[0].Head().String(), "tape")
	}
	for _, w := range sockets {
		for seq := int64(2); seq <= 21; seq++ {
			if f := w.next("event"); f.Seq != seq {
				t.Fatalf("want event %d, got %+v", seq, f)
			}
		}
	}
	var asked float64
	for line := range strings.SplitSeq(string(s.nobody().get(t, "/metrics").body), "\n") {
		if strings.HasPrefix(line, "pgtape_http_requests_total{") && strings.Contains(line, "/:slug/tape\"") {
			_, err := fmt.Sscan(line[strings.LastIndex(line, " ")+1:], &asked)
			must(t, err)
		}
	}
	if asked == 0 || asked > back/4 {
		t.Errorf("the origin was asked for the tape %v times by %d who came back", asked, back)
	}
	t.Logf("asked %v times", asked)
}

// TestAFrozenLinkIsNoticed: nothing says that it is gone but that nothing is heard.
func TestAFrozenLinkIsNoticed(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, market := s.Account(t, "1000"), s.Market(t)
	s.follow(t)
	e := s.edge(t)
	w := e.dial(t)
	w.subscribe(market, "", "tape")
	w.next("snapshot")
	e.link.Freeze()
	s.buyOne(t, ana, market)
	w.heartbeat("catching_up")
	e.link.Mend()
	if f := w.next("event"); f.Seq != 2 {
		t.Errorf("got %+v", f)
	}
	w.heartbeat("live")
}

// TestAnotherHistoryReachesTheEdge: what a database that was put back has lost is not shown as its
// past, neither over a link that holds nor over one that comes back later.
func TestAnotherHistoryReachesTheEdge(t *testing.T) {
	t.Parallel()
	for _, cut := range []bool{false, true} {
		t.Run(fmt.Sprintf("cut %v", cut), func(t *testing.T) {
			t.Parallel()
			s, _ := linkedSite(t, tape.WAL)
			ana, market, quiet := s.Account(t, "1000"), s.Market(t), s.Market(t)
			s.follow(t)
			e := s.edge(t)
			w, other := e.dial(t), e.dial(t)
			w.subscribe(market, "", "tape")
			w.next("snapshot")
			other.subscribe(quiet, "", "tape")
			other.next("snapshot")
			for seq := int64(2); seq <= 5; seq++ {
				s.buyOne(t, ana, market)
				w.next("event")
			}
			if cut {
				e.link.Cut()
				e.until(t, tape.CatchingUp)
			}
			s.backTo(t, market, 3)
			waitUntil(t, "the origin to notice", func() bool { return s.reader.Status().Resets > 0 })
			s.buyOne(t, ana, market)
			s.buyOne(t, ana, market)
			s.buyOne(t, ana, market)
			if cut {
				e.link.Mend()
			}
			w.onwards(s, market, 6)
			e.until(t, tape.Live)
			got, want := e.nobody().get(t, "/api/v1/markets/"+market+"?min_version=6"), s.nobody().get(t, "/api/v1/markets/"+market)
			if string(got.body) != string(want.body) {
				t.Errorf("the edge says\n%s\nthe origin\n%s", got, want)
			}
			s.buyOne(t, ana, quiet)
			if f := other.next("event"); f.Seq != 2 {
				t.Errorf("another market: %+v", f)
			}
		})
	}
}

// TestMarketsThatNobodyWantsAreGivenUp: and taken up again, without a hole.
func TestMarketsThatNobodyWantsAreGivenUp(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, market, kept := s.Account(t, "1000"), s.Market(t), s.Market(t)
	s.follow(t)
	e := s.edge(t, func(o *edge.Options, _ *server.EdgeConfig) { o.Linger, o.MaxMarkets = 100*time.Millisecond, 2 })
	keeper := e.dial(t)
	keeper.subscribe(kept, "", "quote")
	keeper.next("snapshot")
	for round := range int64(2) {
		w := e.dial(t)
		w.subscribe(market, "", "tape")
		if f := w.next("snapshot"); f.Seq != 1+2*round {
			t.Fatalf("round %d: %+v", round, f)
		}
		s.buyOne(t, ana, market)
		cursor := w.next("event").Cursor
		w.conn.Close()
		waitUntil(t, "a market that is given up", func() bool { return e.origin.Status().Markets == 1 })
		s.buyOne(t, ana, market)
		w = e.dial(t)
		w.subscribe(market, cursor, "tape")
		if f := w.next("event"); f.Seq != 3+2*round {
			t.Fatalf("round %d: %+v", round, f)
		}
		if round == 0 {
			third := e.dial(t)
			third.subscribe(s.Market(t), "", "tape")
			if f := third.next("error"); f.Code != "too_many_requests" {
				t.Errorf("one market too many: %+v", f)
			}
			third.conn.Close()
		}
		w.conn.Close()
		waitUntil(t, "a market that is given up", func() bool { return e.origin.Status().Markets == 1 })
	}
	s.buyOne(t, ana, kept)
	if f := keeper.next("quote"); f.Seq != 2 {
		t.Errorf("the market that is watched: %+v", f)
	}
}
