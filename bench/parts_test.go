package bench

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
)

// TestFramesAreReadAsJSONWouldBe holds the quick reading against the slow one.
func TestFramesAreReadAsJSONWouldBe(t *testing.T) {
	t.Parallel()
	const event = `{"op":"event","market":"rain","seq":813,"prev":812,"cursor":"813.9f3a2c1b04d7e6aa","at":"2026-03-01T09:30:05.123456Z","kind":"trade","prices":{"yes":"0.5"}}`
	tests := []struct {
		name, line string
		quick      bool
	}{
		{"event", event, true},
		{"quote", `{"op":"quote","market":"rain","seq":813,"prices":{"yes":"0.5"}}`, true},
		{"event in another order", `{"op":"event","seq":813,"market":"rain","prev":812,"cursor":"813.9f3a2c1b04d7e6aa","at":"2026-03-01T09:30:05.123456Z","kind":"x"}`, false},
		{"event with spaces", strings.ReplaceAll(event, `":`, `": `), false},
		{"event with an escape", strings.Replace(event, `"rain"`, `"r\u0061in"`, 1), false},
		{"event at another place", strings.Replace(event, `.123456Z`, `.123456+02:00`, 1), false},
		{"event without fraction", strings.Replace(event, `.123456Z`, `Z`, 1), false},
		{"snapshot", `{"op":"snapshot","market":"rain","seq":812,"cursor":"812.9f3a2c1b04d7e6aa","state":{"slug":"rain"}}`, false},
		{"error", `{"op":"error","code":"not_found","message":"no such market","market":"rain"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseFrame([]byte(tt.line))
			want, errSlow := decodeFrame([]byte(tt.line))
			want.cursor, got.cursor = append([]byte{}, want.cursor...), append([]byte{}, got.cursor...)
			if err != nil || errSlow != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("frame = %+v (%v), want %+v (%v)", got, err, want, errSlow)
			}
			_, quickEvent := cutEvent([]byte(tt.line))
			_, quickQuote := cutQuote([]byte(tt.line))
			if quick := quickEvent || quickQuote; quick != tt.quick {
				t.Errorf("read quickly: %v, want %v", quick, tt.quick)
			}
		})
	}
	for _, cut := range []int{1, 20, 40, 60, 90, len(event) - 2} {
		if _, err := parseFrame([]byte(event[:cut])); err == nil {
			t.Errorf("%q was read", event[:cut])
		}
	}
}

func TestMembersOfAReceipt(t *testing.T) {
	t.Parallel()
	const receipt = `{"market":"rain","version":12,"price_after":"0.502500","trade_id":77,"replayed":false}`
	for name, want := range map[string]string{"version": "12", "price_after": "0.502500", "trade_id": "77", "replayed": "false", "none": ""} {
		if got := member([]byte(receipt), name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	spaced := []byte(`{ "version" : 12, "trade_id" : 77, "price_after" : "0.5" }`)
	if got, err := readReceipt(spaced); err != nil || got.Version != 12 || got.TradeID != 77 || got.PriceAfter != "0.5" {
		t.Errorf("receipt = %+v (%v)", got, err)
	}
	if _, err := readReceipt([]byte("no")); err == nil {
		t.Error("what is no receipt was read as one")
	}
}

// TestTheScheduleDoesNotWaitForAnswers: what is due is due, however late it is asked for.
func TestTheScheduleDoesNotWaitForAnswers(t *testing.T) {
	t.Parallel()
	start := time.Now().Add(-time.Second)
	s := &Schedule{start: start, rate: 100}
	for i := range 100 {
		due, ok := s.Next(t.Context())
		if want := start.Add(time.Duration(i) * 10 * time.Millisecond); !ok || due.Sub(want).Abs() > time.Microsecond {
			t.Fatalf("request %d is due at %v (%v), want %v", i, due.Sub(start), ok, want.Sub(start))
		}
	}
	due, _ := s.Next(t.Context())
	if time.Now().Before(due) {
		t.Error("a request was handed out before it was due")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []*Schedule{s, {}} {
		if _, ok := s.Next(over); ok {
			t.Error("a request was due after the end")
		}
	}
}

func TestTheCallerSpeaksHTTP(t *testing.T) {
	t.Parallel()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/api/v1/session":
			http.SetCookie(w, &http.Cookie{Name: "pgtape_session", Value: "token", Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: "another", Value: "of no account", Path: "/"})
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte("{}"))
		case "/long":
			for range 100 {
				w.Write(bytes.Repeat([]byte("x"), 1000))
				w.(http.Flusher).Flush()
			}
		case "/echo":
			w.Write([]byte(r.Method + " " + r.Header.Get("Cookie") + " " + r.Header.Get("Idempotency-Key") + " " + string(body)))
		case "/last":
			w.Header().Set("Connection", "close")
			w.Write([]byte("bye"))
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/refuse":
			w.WriteHeader(http.StatusConflict)
			w.Write([]byte(`{"code":"stale_quote","detail":"no","quote":{"avg_price":"0.5"}}`))
		default:
			http.Error(w, "what?", http.StatusBadGateway)
		}
	}))
	t.Cleanup(server.Close)
	c, err := newCaller(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.signIn(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"/echo", "POST pgtape_session=token key {}"},
		{"/long", strings.Repeat("x", 100_000)},
		{"/nothing", ""},
		{"/last", "bye"},
		{"/echo", "POST pgtape_session=token key {}"},
	} {
		got, err := c.call(t.Context(), http.MethodPost, tt.path, "key", []byte("{}"))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s = %.50q (%v), want %.50q", tt.path, got, err, tt.want)
		}
	}
	var refused *client.Error
	if _, err := c.call(t.Context(), http.MethodGet, "/refuse", "", nil); !errors.As(err, &refused) || refused.Code != client.CodeStaleQuote || refused.Quote.AvgPrice != "0.5" {
		t.Errorf("refused: %+v", err)
	}
	if _, err := c.call(t.Context(), http.MethodGet, "/other", "", nil); !errors.As(err, &refused) || refused.Code != "" || refused.Status != http.StatusBadGateway {
		t.Errorf("answered by something else: %+v", err)
	}
	server.CloseClientConnections()
	if _, err := c.call(t.Context(), http.MethodGet, "/echo", "", nil); err == nil {
		t.Error("a lost connection was no error")
	}
	if got, err := c.call(t.Context(), http.MethodGet, "/echo", "", nil); err != nil || string(got) != "GET pgtape_session=token  " {
		t.Errorf("on a new connection: %q (%v)", got, err)
	}
}

func TestProcessesAreWeighed(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc here")
	}
	m := Processes{Server: os.Getpid(), Postgres: os.Getpid()}.Meter()
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
		_ = strings.Repeat("x", 1000)
	}
	var c Cost
	m.Read(&c, 10, 0)
	if c.ServerSeconds == nil || *c.ServerSeconds < 0.01 || math.Abs(*c.ServerPerTrade-*c.ServerSeconds*1e5) > 1 || c.ServerPerDelivered != nil {
		t.Errorf("cost = %+v", c)
	}
	if resident, ok := residentOf(os.Getpid()); !ok || resident < 1<<20 {
		t.Errorf("resident %d (%v)", resident, ok)
	}
	var unknown Cost
	(Processes{}).Meter().Read(&unknown, 10, 10)
	if unknown.ServerSeconds != nil || unknown.ServerPerTrade != nil || unknown.BenchSeconds == nil {
		t.Errorf("cost of what is not known = %+v", unknown)
	}
}

func TestTheChartIsWellFormed(t *testing.T) {
	t.Parallel()
	for _, series := range [][]Point{nil, {{Seconds: 0.1}}, {{0.5, 100, 1000, 1, 20, 0.8, 12}, {1, 120, 1200, 1, 2000, 0, 0}}} {
		var b bytes.Buffer
		if err := (Report{Scenario: `<&">`, Series: series}).Chart(&b); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || !strings.Contains(text, "prefers-color-scheme: dark") {
			t.Errorf("chart of %d points:\n%s", len(series), text)
		}
		decoder := xml.NewDecoder(&b)
		lines := 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("chart of %d points: %v", len(series), err)
			}
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "polyline" {
				lines++
			}
		}
		if lines != 4 {
			t.Errorf("%d lines, want 4", lines)
		}
	}
}
