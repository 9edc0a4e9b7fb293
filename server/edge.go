package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/edge"
	"github.com/pgtape/pgtape/server/hub"
	"github.com/pgtape/pgtape/static"
)

// forwardWithin leaves the origin the time to say itself that it takes too long.
const forwardWithin = answerWithin + 5*time.Second

// EdgeConfig of an edge. Origin is required.
type EdgeConfig struct {
	Origin     *edge.Origin
	Hub        hub.Options
	Limits     Limits
	Log        *slog.Logger
	Proxies    []netip.Prefix
	ReadWithin time.Duration
	Drain      time.Duration // as of a Server
	Sites      Sites
	OwnMetrics bool
}

// edgeHeader says of an answer of the API where it comes from: "memory" or "forwarded".
const edgeHeader = "X-Pgtape-Edge"

// Edge is a server near its users without a database. What it has in memory it answers itself, as
// the origin would: markets that are followed, sockets, streams, files. Everything else is
// forwarded. Doors, hub, memory and limits are a Server's.
type Edge struct {
	*Server
	origin *edge.Origin
	pasts  chan struct{} // holds one for each past that is being read
	tasks  sync.WaitGroup
}

// pastsAtOnce bounds the pasts that are read from the origin at a time, thousands of events each.
const pastsAtOnce = 2

// readsAtOnce is how much a hub asks an origin at a time, which is far, but answers many at once.
const readsAtOnce = 64

// NewEdge makes an edge; Run opens its link.
func NewEdge(c EdgeConfig) *Edge {
	c.Hub.Reads = cmp.Or(c.Hub.Reads, readsAtOnce)
	e := &Edge{
		Server: newServer(Config{Hub: c.Hub, Limits: c.Limits, Log: c.Log, Proxies: c.Proxies, ReadWithin: c.ReadWithin, Drain: c.Drain, Sites: c.Sites, OwnMetrics: c.OwnMetrics}, c.Origin),
		origin: c.Origin,
		pasts:  make(chan struct{}, pastsAtOnce),
	}
	e.metrics.registry.MustRegister(edgeGauges{e.origin})
	own := e.handlers()
	table := e.Server.routes()
	for i, r := range table {
		handler, answers := own[r.path]
		if !answers || r.method != get && r.method != http.MethodHead {
			handler = e.forward
		}
		table[i].who, table[i].handler = anybody, handler
	}
	e.route(table, func(r route) []echo.MiddlewareFunc {
		if _, answers := own[r.path]; answers && !lasting(r.path) {
			return []echo.MiddlewareFunc{timeout}
		}
		return nil // the origin's to make
	})
	e.echo.RouteNotFound("/*", e.forward) // what a newer origin may know
	return e
}

// handlers are those of the routes that an edge answers itself.
func (e *Edge) handlers() map[string]echo.HandlerFunc {
	return map[string]echo.HandlerFunc{
		"/api/v1/markets/:slug":         e.getMarket,
		"/api/v1/markets/:slug/history": e.getHistory,
		"/api/v1/markets/:slug/stream":  e.streamMarket,
		"/ws":                           e.openSocket,
		"/static/*":                     e.getAsset,
		"/healthz":                      e.getHealth,
		"/readyz":                       e.getReadiness,
		"/metrics":                      e.metrics.get,
	}
}

// Run keeps the link to the origin and sends the heartbeats until ctx ends, which should be after
// Serve, as for a Server.
func (e *Edge) Run(ctx context.Context) error {
	var link sync.WaitGroup
	var err error
	link.Go(func() { err = e.origin.Run(ctx, e.Sink(), e.hub.Watched) })
	watching := e.Server.Run(ctx)
	link.Wait()
	e.tasks.Wait()
	return errors.Join(err, watching)
}

// getMarket handles GET /api/v1/markets/{slug}?min_version= as the origin does, from memory, if the
// market is followed. One that somebody has asked for is, for a while.
func (e *Edge) getMarket(c echo.Context) error {
	slug := c.Param("slug")
	if e.origin.Follows(slug) {
		c.Response().Header().Set(edgeHeader, "memory")
		return e.Server.getMarket(c)
	}
	if err := e.forward(c); err != nil {
		return err
	}
	if status := c.Response().Status; status == http.StatusOK || status == http.StatusNotModified {
		e.origin.Want(fairqueue.WithClient(c.Request().Context(), networkOf(c)), slug)
	}
	return nil
}

// getHistory handles GET /api/v1/markets/{slug}/history as the origin does, from memory, if the past
// is there. Otherwise the origin answers, and it is read meanwhile.
func (e *Edge) getHistory(c echo.Context) error {
	slug := c.Param("slug")
	if !e.origin.Follows(slug) {
		return e.forward(c)
	}
	if e.state.Remembers(slug) {
		c.Response().Header().Set(edgeHeader, "memory")
		return e.Server.getHistory(c)
	}
	e.readPast(c.Request().Context(), slug)
	return e.forward(c)
}

// readPast has a market's past read, unless others are being read already.
func (e *Edge) readPast(ctx context.Context, slug string) {
	if e.origin.Status().State != tape.Live {
		return
	}
	select {
	case e.pasts <- struct{}{}:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	e.tasks.Go(func() {
		defer func() { <-e.pasts }()
		defer cancel()
		if view, current, err := e.state.Look(ctx, slug); err == nil && current {
			e.state.History(ctx, &view.Market, nil, nil, 2)
		}
	})
}

// getAsset handles GET /static/*. Pages are the origin's: if it is of another build, so are its files.
func (e *Edge) getAsset(c echo.Context) error {
	build, _ := assetOf(c)
	if cmp.Or(build, e.origin.Assets(), static.Build()) != static.Build() {
		return e.forward(c)
	}
	return e.Server.getAsset(c)
}

// getReadiness handles GET /readyz: the tape arrives from the origin, and no restart is under way.
func (e *Edge) getReadiness(c echo.Context) error {
	if e.gate.isShut() {
		return restarting()
	}
	state := string(e.origin.Status().State)
	if state == string(tape.Live) {
		return c.JSON(http.StatusOK, map[string]string{"status": "ready", "origin": state})
	}
	refusal := db.Errorf(db.Unavailable, "not ready: the tape of the origin is %s", state)
	refusal.Detail = encode(map[string]string{"origin": state})
	return refusal
}

// forward has the origin answer. What the answer tells browsers is the origin's too.
func (e *Edge) forward(c echo.Context) error {
	if err := readWhole(c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), forwardWithin)
	defer cancel()
	header := c.Response().Header()
	ours := header.Clone()
	clear(header)
	header.Set(edgeHeader, "forwarded")
	err := e.origin.Forward(c.Response(), c.Request().WithContext(ctx), c.RealIP(), c.Scheme())
	if err != nil && !c.Response().Committed {
		maps.Copy(header, ours)
	}
	return err
}

// readWhole reads the body before it is forwarded, so that whoever is slow is so here. Nothing that
// makes more of a connection than a request is forwarded.
// Errors: 413 when it is too long, 408 when it comes too slowly.
func readWhole(c echo.Context) error {
	r := c.Request()
	r.Header.Del("Upgrade")
	r.Header.Del("Expect")
	if r.ContentLength == 0 {
		return nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return echo.NewHTTPError(http.StatusRequestEntityTooLarge, "the body is longer than 64 KiB")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return echo.NewHTTPError(http.StatusRequestTimeout, "the body came too slowly")
	case err != nil:
		return db.Errorf(db.InvalidRequest, "malformed body: %w", err)
	}
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Time{})
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	r.GetBody, r.ContentLength, r.TransferEncoding = body, int64(len(text)), nil
	r.Body, err = body()
	return err
}
