package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/hub"
)

// streamMarket handles GET /api/v1/markets/{slug}/stream?after=&mode=: the same frames as on a
// socket, as Server-Sent Events. Heartbeats have that name, so that onmessage sees the others only.
// The id is the cursor: a browser sends it again as Last-Event-ID when it reconnects. A comment now
// and then is for what lies between, and knows nothing of heartbeats.
func (s *Server) streamMarket(c echo.Context) error {
	slug := c.Param("slug")
	after := cmp.Or(c.Request().Header.Get("Last-Event-ID"), c.QueryParam("after"))
	mode, known := modes[c.QueryParam("mode")]
	if !known {
		return db.Errorf(db.InvalidRequest, "mode must be tape or quote")
	}
	if after != "" {
		if _, err := tape.ParseCursor(after); err != nil {
			return db.Errorf(db.InvalidRequest, "%w", err)
		}
	}
	if err := s.mustExist(c.Request().Context(), slug); err != nil {
		return err
	}
	leave, err := s.seat(c)
	if err != nil {
		return err
	}
	defer leave()
	if !s.gate.enter() {
		return restarting()
	}
	defer s.gate.leave()
	s.streams.Add(1)
	defer s.streams.Add(-1)

	conn := &stream{comments: s.comments, frames: make(chan hub.Messages, 1), over: make(chan struct{})}
	client := s.gate.connect(s.hub, s.watcherOf(c), func(*hub.Client) hub.Conn { return conn })
	defer client.Close()
	client.Subscribe(slug, after, mode)
	return conn.run(c, client)
}

// mustExist asks only of markets that the tape has not brought.
func (s *Server) mustExist(ctx context.Context, slug string) error {
	if _, _, known := s.hub.Head(slug); known {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := s.source.Market(ctx, slug)
	return err
}

// stream is one connection, a hub.Conn. Its request's goroutine writes.
type stream struct {
	comments time.Duration     // between them
	frames   chan hub.Messages // those in flight
	over     chan struct{}
	once     sync.Once
}

var errInFlight = errors.New("frames are in flight already")

// Write hands frames to the request's goroutine.
func (s *stream) Write(frames hub.Messages) error {
	select {
	case s.frames <- frames:
		return nil
	default:
		return errInFlight
	}
}

// Close ends the stream. There are no close codes here: a browser comes back with its cursor.
func (s *stream) Close(int, string) { s.once.Do(func() { close(s.over) }) }

// run writes what the hub hands over until the client leaves, or the hub or an error ends it.
func (s *stream) run(c echo.Context, client *hub.Client) error {
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no")
	response := http.NewResponseController(c.Response())
	write := func(text []byte) error {
		if err := response.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
			return err
		}
		if _, err := c.Response().Write(text); err != nil {
			return err
		}
		if err := response.Flush(); err != nil {
			return err
		}
		return response.SetWriteDeadline(time.Time{}) // which HTTP/2 would end a silent stream by
	}

	if err := write([]byte("retry: 1000\n\n")); err != nil {
		return err
	}
	comment := time.NewTicker(s.comments)
	defer comment.Stop()
	for {
		select {
		case <-comment.C:
			if err := write([]byte(":\n\n")); err != nil {
				return err
			}
		case frames := <-s.frames:
			text, last := serverSent(frames)
			if err := write(text); err != nil || last {
				return err
			}
			client.Sent()
		case <-s.over:
			return nil
		case <-c.Request().Context().Done():
			return nil
		}
	}
}

// serverSent writes frames as Server-Sent Events. An error is the last thing
// that there is to say on a stream.
func serverSent(frames hub.Messages) (text []byte, last bool) {
	var out bytes.Buffer
	out.Grow(len(frames) + 256)
	for frame := range frames.Texts() {
		var head struct{ Op, Cursor string }
		if err := json.Unmarshal(frame, &head); err != nil {
			continue // the hub writes JSON only
		}
		switch {
		case head.Op == "heartbeat":
			out.WriteString("event: heartbeat\n")
		case head.Op == "error":
			last = true
		case head.Cursor != "":
			out.WriteString("id: " + head.Cursor + "\n")
		}
		out.WriteString("data: ")
		out.Write(frame)
		out.WriteString("\n\n")
	}
	return out.Bytes(), last
}
