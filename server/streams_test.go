package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

// stream is a test's end of a stream of Server-Sent Events.
type stream struct {
	t      *testing.T
	header http.Header
	events chan sent // closed at the end

	comments atomic.Int64
}

// sent is one Server-Sent Event.
type sent struct {
	id, event string
	frame     frame
	comment   bool
}

// stream follows a market; lastID resumes, as a browser does.
func (s *site) stream(t *testing.T, path, lastID string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/markets/"+strings.Replace(path, "?", "/stream?", 1), nil)
	must(t, err)
	if !strings.Contains(path, "?") {
		request.URL.Path += "/stream"
	}
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	must(t, err)
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	st := &stream{t: t, header: response.Header, events: make(chan sent, 1000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(st.events)
		st.read(response.Body)
	}()
	t.Cleanup(func() {
		cancel()
		response.Body.Close()
		<-read
	})
	return st
}

func (st *stream) read(body io.Reader) {
	err := readEvents(body, func(e sent) bool {
		if e.comment {
			st.comments.Add(1)
		} else {
			st.events <- e
		}
		return true
	})
	var malformed *json.SyntaxError
	if errors.As(err, &malformed) {
		st.t.Error(err)
	}
}

// readEvents parses a stream until it ends or take is false.
func readEvents(body io.Reader, take func(sent) bool) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	var e sent
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if e.frame.Op != "" && !take(e) {
				return nil
			}
			e = sent{}
		case name == "" && !take(sent{comment: true}):
			return nil
		case name == "id":
			e.id = value
		case name == "event":
			e.event = value
		case name == "data":
			if err := json.Unmarshal([]byte(value), &e.frame); err != nil {
				return fmt.Errorf("%s: %w", value, err)
			}
		}
	}
	return lines.Err()
}

// next is the next event that a page's onmessage sees.
func (st *stream) next(op string) sent {
	st.t.Helper()
	for {
		select {
		case e, ok := <-st.events:
			switch {
			case !ok:
				st.t.Fatalf("the stream ended before a %s", op)
			case e.event == "heartbeat" && op != "heartbeat":
				continue
			case e.frame.Op != op:
				st.t.Fatalf("want %s, got %+v", op, e)
			}
			return e
		case <-time.After(patience):
			st.t.Fatalf("waited in vain for a %s", op)
		}
	}
}

// ended waits for the end of the stream.
func (st *stream) ended() {
	st.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, ok := <-st.events:
			if !ok {
				return
			}
		case <-deadline:
			st.t.Fatal("the stream does not end")
		}
	}
}

func TestAStreamResumesWithLastEventID(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	s.follow(t)
	first := s.stream(t, market, "")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no",
	} {
		if got := first.header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	snapshot := first.next("snapshot")
	if snapshot.id != snapshot.frame.Cursor || snapshot.event != "" || snapshot.frame.State == nil {
		t.Errorf("snapshot = %+v", snapshot)
	}
	ana.trade(t, market, buyTen)
	second := first.next("event")
	if second.id != second.frame.Cursor || second.frame.Seq != 2 || second.event != "" {
		t.Errorf("event = %+v", second)
	}
	ana.trade(t, market, buyTen)
	third := first.next("event")

	for _, resumed := range []*stream{s.stream(t, market, second.id), s.stream(t, market+"?after="+second.id, "")} {
		if e := resumed.next("event"); e.id != third.id || e.frame.Prev != 2 {
			t.Errorf("resumed with %+v", e)
		}
	}
	if e := s.stream(t, market, third.id).next("subscribed"); e.id != third.id {
		t.Errorf("at the end: %+v", e)
	}
}

func TestAStreamOfQuotesHasHeartbeats(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	s.follow(t)
	st := s.stream(t, market+"?mode=quote", "")
	st.next("snapshot")
	if beat := st.next("heartbeat"); beat.event != "heartbeat" || beat.id != "" || beat.frame.Heads[market] != 1 {
		t.Errorf("heartbeat = %+v", beat)
	}
	ana.trade(t, market, buyTen)
	if q := st.next("quote"); q.frame.Seq != 2 || q.id != "" {
		t.Errorf("quote = %+v", q)
	}
}

func TestAStreamHasComments(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.server.SetComments(10 * time.Millisecond)
	st := s.stream(t, s.Market(t), "")
	st.next("snapshot")
	for deadline := time.Now().Add(patience); st.comments.Load() < 3; {
		if time.Now().After(deadline) {
			t.Fatalf("%d comments", st.comments.Load())
		}
		st.next("heartbeat")
	}
}

func TestASlowStreamEndsWithoutAHole(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.Hub.RingSize = 8 })
	market := s.Market(t)
	s.server.Sink().Reset(market, tape.Head{})
	st := s.stream(t, market, "")
	st.next("snapshot")
	published := int64(1)
	for s.slowCloses(t) == "0" { // faster than anybody reads
		for range 100 {
			published++
			s.server.Sink().Publish(fat(market, published))
		}
	}
	last := int64(1)
	for e := range st.events {
		if e.frame.Op == "event" {
			if e.frame.Prev != last {
				t.Fatalf("seq %d follows %d", e.frame.Seq, last)
			}
			last = e.frame.Seq
		}
	}
	if last == published {
		t.Errorf("it has all %d events", last)
	}
}
