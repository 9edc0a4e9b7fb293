package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/hub"
)

// grace is for what is under way when Serve ends.
const grace = 10 * time.Second

// Run sends the heartbeats and reads what subscribers have missed, until ctx ends.
func (s *Server) Run(ctx context.Context) error { return s.hub.Run(ctx) }

// Serve answers on the listener until ctx ends, then shuts down gracefully. Run is a task of its
// own, beside it.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // of edges
	server := &http.Server{
		Handler:           s.echo,
		Protocols:         &protocols,
		ReadHeaderTimeout: s.reading, // and a TLS handshake
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       minded,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // peers that break off
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100, SendPingTimeout: pingEvery, PingTimeout: pongWithin, WriteByteTimeout: writeWithin},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- server.Shutdown(ctx) }()
	if err := errors.Join(s.Shutdown(ctx), <-drained); err != nil {
		s.log.Warn("connections cut that did not end in time", "err", err)
		server.Close()
	}
	<-ended
	return nil
}

// Shutdown lets no socket or stream in any more, ends those there are (1012), and waits until
// they are gone; when ctx ends, it cuts the rest. Requests under way are the http.Server's to wait for.
func (s *Server) Shutdown(ctx context.Context) error {
	gone := s.gate.shut()
	s.hub.CloseAll(hub.CloseRestarting, "restarting")
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		s.sockets.cut()
		return ctx.Err()
	}
}

// connect takes a connection up in the hub. One that slipped in while the gate was being shut, too
// late to be closed with all the others, is closed here.
func (g *gate) connect(h *hub.Hub, attach func(*hub.Client) hub.Conn) *hub.Client {
	var conn hub.Conn
	client := h.Connect(func(c *hub.Client) hub.Conn {
		conn = attach(c)
		return conn
	})
	if g.isShut() {
		conn.Close(hub.CloseRestarting, "restarting")
	}
	return client
}

func restarting() error { return db.Errorf(db.Unavailable, "the server is restarting") }

// gate counts those who stay: sockets and streams.
type gate struct {
	mu     sync.Mutex
	inside int
	gone   chan struct{} // set when shut; closed when nobody is inside
}

// enter is false when the gate is shut. Whoever enters leaves.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone != nil {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.gone != nil && g.inside == 0 {
		close(g.gone)
	}
}

func (g *gate) shut() (gone <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone == nil {
		g.gone = make(chan struct{})
		if g.inside == 0 {
			close(g.gone)
		}
	}
	return g.gone
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gone != nil
}
