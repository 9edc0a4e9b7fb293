package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// SetPatience shortens the wait for a version that this node has not seen.
func (s *Server) SetPatience(d time.Duration) { s.patience = d }

// SetComments shortens the pauses between the comment lines of streams.
func (s *Server) SetComments(d time.Duration) { s.comments = d }

// SetWriting shortens the time to take an answer.
func (s *Server) SetWriting(d time.Duration) { s.writing = d }

// Routes are the rows of the route table.
func (s *Server) Routes() []*echo.Route { return s.echo.Routes() }

// Line is a line of the route table.
type Line struct {
	Method, Path string
	Role         db.Role
	Scope        string
}

// Lines are the route table, as the server enforces it.
func (s *Server) Lines() []Line {
	var lines []Line
	for _, r := range s.routes() {
		lines = append(lines, Line{r.method, r.path, r.who.role, string(r.who.scope)})
	}
	return lines
}

// NewReading is New with a call before each read of a market's state for the hub.
func NewReading(c Config, before func(market string)) *Server {
	s := newServer(c, observed{database{c.DB}, before})
	s.route(s.routes(), s.checks)
	return s
}

type observed struct {
	source
	before func(market string)
}

func (o observed) MarketState(ctx context.Context, slug string) (db.MarketState, error) {
	o.before(slug)
	return o.source.MarketState(ctx, slug)
}

// Joins are the subscriptions that read, or whose turn it will be.
func (s *Server) Joins() int64 { return s.hub.Stats().Joins }

// LockLook has the watch of a server of which LockCheck is negative look, as if it were now a second
// after the look before.
func LockLook(d *db.DB, log *slog.Logger) func(ctx context.Context) {
	w := &lockWatch{db: d, every: lockLook, log: log}
	now := time.Now()
	return func(ctx context.Context) {
		w.look(ctx, now)
		now = now.Add(lockLook)
	}
}
