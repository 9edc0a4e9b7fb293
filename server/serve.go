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

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

// grace is for what is under way when Serve ends.
const grace = 10 * time.Second

// Run sends the heartbeats, reads what subscribers have missed, and ends sessions that keep markets
// locked, until ctx ends. It, and the tape
// reader, should outlive Serve: sockets that wait to be drained are still served.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.hub.Run(ctx) })
	if s.locks.db != nil && s.locks.every > 0 {
		group.Go(func() error { return s.locks.run(ctx) })
	}
	return group.Wait()
}

// Serve answers on the listener until ctx ends, then drains and shuts down gracefully. Run is a task
// of its own, beside it.
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

	s.drain()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- server.Shutdown(ctx) }()
	if err := errors.Join(s.Shutdown(ctx), <-drained); err != nil {
		s.log.Warn("connections cut that did not end in time", "err", err)
		server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// drain takes a node out of service while it still answers. Readiness says so, each answer is the
// last of its connection, and no socket or stream is let in. For a third of the time those that are
// there stay, since whoever is sent away before a proxy has looked at readiness would be sent back
// here; the rest of the time they are sent away one after another.
func (s *Server) drain() {
	if s.draining <= 0 {
		return
	}
	s.gate.shut()
	s.log.Info("draining", "sockets", s.hub.Stats().Clients, "for", s.draining)
	notice := s.draining / 3
	time.Sleep(notice)
	s.hub.CloseOver(s.draining-notice, hub.CloseRestarting, resume)
}

// resume is what a socket is closed with by a server that goes.
const resume = "restarting: resume from your cursor"

// leaving asks clients for another connection next time, so that none is cut while it is asked on.
func (s *Server) leaving(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.gate.isShut() {
			c.Response().Header().Set("Connection", "close")
		}
		return next(c)
	}
}

// Shutdown lets no socket or stream in any more, ends those there are (1012), and waits until
// they are gone; when ctx ends, it cuts the rest. Requests under way are the http.Server's to wait for.
func (s *Server) Shutdown(ctx context.Context) error {
	gone := s.gate.shut()
	s.hub.CloseAll(hub.CloseRestarting, resume)
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
func (g *gate) connect(h *hub.Hub, from fairqueue.Client, attach func(*hub.Client) hub.Conn) *hub.Client {
	var conn hub.Conn
	client := h.Connect(from, func(c *hub.Client) hub.Conn {
		conn = attach(c)
		return conn
	})
	if g.isShut() {
		conn.Close(hub.CloseRestarting, resume)
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
