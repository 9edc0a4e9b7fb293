package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/client"
)

// script is a server that says, on its nth connection, the lines of its nth entry, one message
// each; then it closes with a code, or is silent if there is none.
type script []scene

type scene struct {
	say  []string
	code int
}

// play serves a script and tells what each connection has subscribed to.
func (s script) play(t *testing.T) (url string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var requests []string
	connection := 0
	upgrader := websocket.Upgrader{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_, request, err := conn.ReadMessage()
		if err != nil {
			return
		}
		mu.Lock()
		requests = append(requests, strings.TrimSpace(string(request)))
		now := s[min(connection, len(s)-1)]
		connection++
		mu.Unlock()
		for _, line := range now.say {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(line)) // the client may have left
		}
		if now.code != 0 {
			_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(now.code, "so it goes"))
		}
		_, _, _ = conn.ReadMessage() // until the client has left
	}))
	t.Cleanup(web.Close)
	return web.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(requests)
	}
}

func event(seq int) string {
	return fmt.Sprintf(`{"op":"event","market":"m","seq":%d,"prev":%d,"cursor":"%d.%016x","at":"2026-01-02T03:04:05.000006Z","kind":"halted"}`, seq, seq-1, seq, seq)
}

func snapshot(seq int) string {
	return fmt.Sprintf(`{"op":"snapshot","market":"m","seq":%d,"cursor":"%d.%016x","state":{"slug":"m","version":%d}}`, seq, seq, seq, seq)
}

func quote(seq int) string {
	return fmt.Sprintf(`{"op":"quote","market":"m","seq":%d,"prices":{"yes":"0.500000000000"}}`, seq)
}

const crowded = `{"op":"error","code":"too_many_requests","message":"subscribe again in a while","market":"m"}`

const missing = `{"op":"error","code":"not_found","message":"no such market","market":"m"}`

func TestWatchHoldsTheServerToItsPromises(t *testing.T) {
	t.Parallel()
	ask := func(after, mode string) string {
		if after != "" {
			after = `"after":"` + after + `",`
		}
		return `{` + after + `"market":"m","mode":"` + mode + `","op":"subscribe"}`
	}
	tests := []struct {
		name   string
		mode   string
		after  string
		script script
		until  string // the frame after which the test ends
		want   []string
		asked  []string
	}{
		{
			name:   "frames that come joined are taken apart",
			script: script{{say: []string{snapshot(1) + "\n" + event(2) + "\n" + event(3)}}},
			until:  "event 3", want: []string{"snapshot 1", "event 2", "event 3"}, asked: []string{ask("", "tape")},
		},
		{
			name:   "a hole is not delivered, and read from the last event on",
			script: script{{say: []string{snapshot(1), event(2), event(4)}}, {say: []string{event(3) + "\n" + event(4)}}},
			until:  "event 4", want: []string{"snapshot 1", "event 2", "reconnecting gap", "event 3", "event 4"},
			asked: []string{ask("", "tape"), ask("2.0000000000000002", "tape")},
		},
		{
			name:   "an event that comes twice is delivered once",
			script: script{{say: []string{snapshot(1), event(2), event(2)}}, {say: []string{event(3)}}},
			until:  "event 3", want: []string{"snapshot 1", "event 2", "reconnecting duplicate", "event 3"},
			asked: []string{ask("", "tape"), ask("2.0000000000000002", "tape")},
		},
		{
			name:   "an event before any acknowledgement is a hole",
			script: script{{say: []string{event(2)}}, {say: []string{snapshot(2)}}},
			until:  "snapshot 2", want: []string{"reconnecting gap", "snapshot 2"}, asked: []string{ask("", "tape"), ask("", "tape")},
		},
		{
			name: "what is behind a cursor follows it", after: "7.0000000000000007",
			script: script{{say: []string{event(9)}}, {say: []string{event(8)}}},
			until:  "event 8", want: []string{"reconnecting gap", "event 8"},
			asked: []string{ask("7.0000000000000007", "tape"), ask("7.0000000000000007", "tape")},
		},
		{
			name:   "a snapshot in between is another history",
			script: script{{say: []string{snapshot(9), event(10), snapshot(3), event(4)}}},
			until:  "event 4", want: []string{"snapshot 9", "event 10", "snapshot 3", "event 4"}, asked: []string{ask("", "tape")},
		},
		{
			name:   "a restart is waited for",
			script: script{{say: []string{snapshot(1)}, code: 1012}, {say: []string{`{"op":"subscribed","market":"m","seq":1,"cursor":"1.0000000000000001"}`}}},
			until:  "subscribed 1", want: []string{"snapshot 1", "reconnecting connection", "subscribed 1"},
			asked: []string{ask("", "tape"), ask("1.0000000000000001", "tape")},
		},
		{
			name:   "whoever was too slow goes on where he was",
			script: script{{say: []string{snapshot(1)}, code: 4001}, {say: []string{event(2)}}},
			until:  "event 2", want: []string{"snapshot 1", "reconnecting slow", "event 2"},
			asked: []string{ask("", "tape"), ask("1.0000000000000001", "tape")},
		},
		{
			name:   "silence is a loss",
			script: script{{say: []string{snapshot(1)}}, {say: []string{event(2)}}},
			until:  "event 2", want: []string{"snapshot 1", "reconnecting heartbeat", "event 2"},
			asked: []string{ask("", "tape"), ask("1.0000000000000001", "tape")},
		},
		{
			name: "quotes skip, but do not go back, and need no history", mode: client.Latest,
			script: script{{say: []string{snapshot(1), quote(5), quote(4), quote(6)}, code: 1012}, {say: []string{snapshot(7)}}},
			until:  "snapshot 7", want: []string{"snapshot 1", "quote 5", "quote 6", "reconnecting connection", "snapshot 7"},
			asked: []string{ask("", "quote"), ask("", "quote")},
		},
		{
			name:   "a market that is not read now is asked for again",
			script: script{{say: []string{crowded}}, {say: []string{snapshot(1)}}},
			until:  "snapshot 1", want: []string{"error too_many_requests", "reconnecting connection", "snapshot 1"},
			asked: []string{ask("", "tape"), ask("", "tape")},
		},
		{
			name:   "what is no frame ends the connection",
			script: script{{say: []string{snapshot(1), `{"op":`}}, {say: []string{event(2)}}},
			until:  "event 2", want: []string{"snapshot 1", "reconnecting connection", "event 2"},
			asked: []string{ask("", "tape"), ask("1.0000000000000001", "tape")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, asked := tt.script.play(t)
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
			defer stop()
			var got []string
			err := client.New(url).Watch(ctx, []client.Subscription{{Market: "m", After: tt.after, Mode: tt.mode}}, func(f client.Frame) {
				if f.Op == client.OpState {
					return
				}
				seen := strings.TrimSpace(fmt.Sprintf("%s %s", f.Op, f.Code))
				if f.Seq > 0 && f.Op != client.OpReconnecting {
					seen = fmt.Sprintf("%s %d", f.Op, f.Seq)
				}
				got = append(got, seen)
				if seen == tt.until {
					stop()
				}
			})
			if err != nil {
				t.Error(err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("delivered %q\n     want %q", got, tt.want)
			}
			if requests := asked(); !slices.Equal(requests, tt.asked) {
				t.Errorf("asked %q\n want %q", requests, tt.asked)
			}
		})
	}
}

func TestWatchEndsWhenItIsRefusedForGood(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		script script
		want   string
	}{
		{"not permitted", script{{code: 4003}}, client.CodeNotPermitted},
		{"a protocol error", script{{code: 4002}}, client.CodeInvalidRequest},
		{"no market of all", script{{say: []string{missing}}}, client.CodeNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := tt.script.play(t)
			err := client.New(url).Watch(t.Context(), []client.Subscription{{Market: "m"}}, func(client.Frame) {})
			if client.CodeOf(err) != tt.want {
				t.Errorf("error = %v, want code %s", err, tt.want)
			}
		})
	}
}

func TestWatchIsToldByTheHandshakeThatItMayNot(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"status":403,"code":"not_permitted","detail":"not you"}`)
	}))
	t.Cleanup(web.Close)
	err := client.New(web.URL).Watch(t.Context(), []client.Subscription{{Market: "m"}}, func(client.Frame) {})
	if client.CodeOf(err) != client.CodeNotPermitted || err.Error() != "not you" {
		t.Errorf("error = %v, want not_permitted", err)
	}
}

func TestWatchRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for name, subscriptions := range map[string][]client.Subscription{
		"nothing":         nil,
		"one twice":       {{Market: "m"}, {Market: "m"}},
		"an unknown mode": {{Market: "m", Mode: "all"}},
	} {
		if err := client.New("http://127.0.0.1:1").Watch(t.Context(), subscriptions, func(client.Frame) {}); err == nil {
			t.Errorf("%s was watched", name)
		}
	}
}

func TestAURLThatIsNoneIsToldByEveryCall(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "127.0.0.1:8080", "ftp://127.0.0.1", "http://"} {
		c := client.New(url)
		if _, err := c.Market(t.Context(), "m"); err == nil {
			t.Errorf("%q: called", url)
		}
		if err := c.Watch(t.Context(), []client.Subscription{{Market: "m"}}, func(client.Frame) {}); err == nil {
			t.Errorf("%q: watched", url)
		}
	}
}

func TestAnAnswerThatIsNotOursIsAnErrorWithItsStatus(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway)
	}))
	t.Cleanup(web.Close)
	_, err := client.New(web.URL).Market(t.Context(), "m")
	if err == nil || client.CodeOf(err) != "" || err.Error() != "the server answered 502 Bad Gateway" {
		t.Errorf("error = %v, want that of the status", err)
	}
}
