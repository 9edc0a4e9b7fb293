package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// told is what a Sink is told, in words.
type told chan string

func (s told) Publish(e tape.Event) { s <- fmt.Sprintf("event %s %s", e.Market, e.Head()) }

func (s told) Reset(market string, head tape.Head) {
	if head.Seq == 0 {
		s <- "reset " + market
		return
	}
	s <- fmt.Sprintf("reset %s %s", market, head)
}

func (s told) SetState(state tape.State) { s <- string(state) }

func (s told) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-s:
			if got != w {
				t.Fatalf("the Sink is told %q, want %q", got, w)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("waited in vain for %q", w)
		}
	}
}

// scripted is an origin that says what a test makes it say.
type scripted struct {
	origin *Origin
	sink   told
	asked  chan map[string]string // what the socket was sent
	say    chan string            // empty: end the connection
	gone   atomic.Bool            // the market is not there
}

const hash = ".0123456789abcdef"

func script(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{sink: make(told, 100), asked: make(chan map[string]string, 100), say: make(chan string, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", s.socket)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	mux.HandleFunc("/api/v1/markets/rain/state", func(w http.ResponseWriter, _ *http.Request) {
		if s.gone.Load() {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"code":"not_found","detail":"no such market"}`))
			return
		}
		_, _ = w.Write([]byte(`{"market":{"slug":"rain","version":3,"cursor":"3` + hash + `"},"holders":["ana"]}`))
	})
	web := httptest.NewUnstartedServer(mux)
	web.Config.Protocols = new(http.Protocols)
	web.Config.Protocols.SetHTTP1(true)
	web.Config.Protocols.SetUnencryptedHTTP2(true)
	web.Start()
	var err error
	if s.origin, err = New(Options{URL: web.URL}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.origin.Run(ctx, s.sink, func(string) bool { return true }) }()
	t.Cleanup(func() {
		stop()
		<-ended
		web.CloseClientConnections()
		web.Close()
	})
	return s
}

func (s *scripted) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			var request map[string]string
			if conn.ReadJSON(&request) != nil {
				return
			}
			s.asked <- request
		}
	}()
	for {
		select {
		case text := <-s.say:
			if text == "" || conn.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				return
			}
		case <-time.After(500 * time.Millisecond):
			if conn.WriteMessage(websocket.TextMessage, []byte(`{"op":"heartbeat","heads":{},"source":"catching_up"}`)) != nil {
				return
			}
		case <-over:
			return
		}
	}
}

// wasAsked waits for what the socket is sent.
func (s *scripted) wasAsked(t *testing.T, op, after string) {
	t.Helper()
	select {
	case got := <-s.asked:
		if got["op"] != op || got["market"] != "rain" || got["after"] != after {
			t.Fatalf("the origin is sent %v, want %s after %q", got, op, after)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("waited in vain for %s", op)
	}
}

func (s *scripted) event(seq int) {
	s.say <- fmt.Sprintf(`{"op":"event","market":"rain","seq":%d,"prev":%d,"cursor":"%d%s","at":"2026-01-02T03:04:05Z","kind":"trade"}`, seq, seq-1, seq, hash)
}

func (s *scripted) beat(source, heads string) {
	s.say <- `{"op":"heartbeat","heads":` + heads + `,"source":"` + source + `"}`
}

func (s *scripted) follow(t *testing.T) <-chan error {
	followed := make(chan error, 1)
	go func() { followed <- s.origin.Follow(t.Context(), "rain") }()
	return followed
}

func ok(t *testing.T, followed <-chan error) {
	t.Helper()
	select {
	case err := <-followed:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("waited in vain for a market to be followed")
	}
}

func TestAStreamGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	s := script(t)
	s.beat("live", "{}")
	s.sink.expect(t, "live")
	followed := s.follow(t)
	s.wasAsked(t, "subscribe", "3"+hash)
	if s.origin.Follows("rain") {
		t.Error("followed before the origin has said so")
	}
	s.event(4) // an answer too
	s.sink.expect(t, "reset rain 3"+hash, "event rain 4"+hash)
	ok(t, followed)
	s.event(4) // known
	s.event(5)
	s.sink.expect(t, "event rain 5"+hash)

	// The connection ends; it is not live again before the market is current.
	s.say <- ""
	s.sink.expect(t, "catching_up")
	s.wasAsked(t, "subscribe", "5"+hash)
	s.beat("live", "{}")
	s.event(6)
	s.beat("live", `{"rain":6}`)
	s.sink.expect(t, "event rain 6"+hash, "live")

	// A hole is no news, but a reason to ask again.
	s.event(8)
	s.sink.expect(t, "catching_up")
	s.wasAsked(t, "subscribe", "6"+hash)
	s.say <- `{"op":"subscribed","market":"rain","seq":6,"cursor":"6` + hash + `"}`
	s.beat("lost", `{"rain":6}`)
	s.sink.expect(t, "lost")
	s.beat("live", `{"rain":6}`)
	s.sink.expect(t, "live")

	// So is what is no frame.
	s.say <- `{"op":`
	s.sink.expect(t, "catching_up")
	s.wasAsked(t, "subscribe", "6"+hash)

	// Another history.
	s.say <- `{"op":"snapshot","market":"rain","seq":5,"cursor":"5.fedcba9876543210","state":{}}`
	s.sink.expect(t, "reset rain 5.fedcba9876543210")
	if status := s.origin.Status(); status.Resets != 1 || status.Events != 3 || status.Markets != 1 {
		t.Errorf("status %+v", status)
	}
}

func TestAMarketThatIsNoMore(t *testing.T) {
	t.Parallel()
	s := script(t)
	followed := s.follow(t)
	s.wasAsked(t, "subscribe", "3"+hash)
	s.say <- `{"op":"subscribed","market":"rain","seq":3,"cursor":"3` + hash + `"}`
	s.sink.expect(t, "reset rain 3"+hash)
	ok(t, followed)
	s.gone.Store(true)
	s.say <- `{"op":"error","code":"not_found","message":"no such market","market":"rain"}`
	s.sink.expect(t, "reset rain")
	if err := s.origin.Follow(t.Context(), "rain"); db.CodeOf(err) != db.NotFound {
		t.Errorf("err = %v, want not_found", err)
	}
	s.event(4) // of nobody
	s.beat("lost", "{}")
	s.sink.expect(t, "lost")
	s.gone.Store(false)
	followed = s.follow(t)
	s.wasAsked(t, "subscribe", "3"+hash)
	s.say <- `{"op":"error","code":"invalid_request","message":"too many subscriptions: at most 1","market":"rain"}`
	select {
	case err := <-followed:
		if db.CodeOf(err) != db.Unavailable {
			t.Errorf("err = %v, want unavailable", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody is told that the market is not followed")
	}
	for len(s.sink) > 0 {
		if news := <-s.sink; news != "catching_up" { // what the script says by itself
			t.Errorf("the Sink is told %q", news)
		}
	}
}

// TestWhatAMarketBeganWithIsUsedOnce, and not when it is of yesterday.
func TestWhatAMarketBeganWithIsUsedOnce(t *testing.T) {
	t.Parallel()
	s := script(t)
	s.beat("live", "{}")
	s.sink.expect(t, "live")
	followed := s.follow(t)
	s.wasAsked(t, "subscribe", "3"+hash)
	s.say <- `{"op":"subscribed","market":"rain","seq":3,"cursor":"3` + hash + `"}`
	ok(t, followed)
	s.gone.Store(true)
	state, err := s.origin.MarketState(t.Context(), "rain")
	if err != nil || state.Cursor != "3"+hash || len(state.Holders) != 1 {
		text, _ := json.Marshal(state)
		t.Errorf("%s (%v)", text, err)
	}
	if _, err := s.origin.MarketState(t.Context(), "rain"); db.CodeOf(err) != db.NotFound {
		t.Errorf("used twice: %v", err)
	}
}
