// Package server is the way in from outside: HTTP, WebSockets and Server-Sent Events.
//
// A request goes through the route table of routes.go to one handler, which parses, calls db once and
// renders. Handlers hold no rule of the market and write to no socket: what is pushed comes from
// the tape reader, through Sink and the hub, to the two doors that a client can listen at,
// sockets.go and streams.go. errors.go is the one place that turns refusals into answers.
package server

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/password"
	"github.com/pgtape/pgtape/server/cache"
	"github.com/pgtape/pgtape/server/hub"
	"github.com/pgtape/pgtape/server/orders"
	"github.com/pgtape/pgtape/server/state"
	"github.com/pgtape/pgtape/static"
)

// Config of a server. DB and Reader are required.
type Config struct {
	DB     *db.DB
	Reader interface{ Status() tape.Status }
	Hub    hub.Options
	SignUp SignUp // empty: Closed
	OIDC   Provider
	Limits Limits // none is set: nobody is limited
	Log    *slog.Logger

	// CacheBytes bounds what is remembered of queries: 32 MiB if it is 0, nothing if it is negative.
	CacheBytes int64

	// Proxies are believed when they say for whom they ask (X-Forwarded-For).
	Proxies []netip.Prefix

	// Sites are the names of this server, and who else may use it.
	Sites Sites

	// OwnMetrics is set where MetricsHandler is served elsewhere, or nowhere: /metrics is not found then.
	OwnMetrics bool

	// Drain is how long Serve sends sockets and streams away before it stops listening. 0: at once.
	Drain time.Duration

	// LockCheck is the time between two looks at who keeps markets locked: 1 s if it is 0, never if it is
	// negative.
	LockCheck time.Duration

	// ReadWithin is for a client to send its headers, and after them its body: 10 s if it is 0.
	ReadWithin time.Duration
}

// Server answers HTTP and sockets on one database.
type Server struct {
	db       *db.DB // nil at an edge, which has only routes that can do without
	source   source // of what is in memory
	reader   interface{ Status() tape.Status }
	state    *state.Markets
	reads    *cache.Cache
	hub      *hub.Hub
	orders   *orders.Queue
	passes   *passes
	signUp   SignUp
	hasher   *password.Hasher
	devices  devices
	oidc     *identities
	board    kept[[]db.Standing]
	hot      kept[[]db.HotMarket]
	losses   kept[[]db.ValueTransfer] // of accounts to others
	patience time.Duration            // of who waits for a version that this node has not seen
	comments time.Duration            // between comment lines of a stream
	reading  time.Duration            // what a client may take to send headers, or a body
	writing  time.Duration            // and to take an answer
	draining time.Duration
	limits   *limits
	sites    Sites
	own      bool // metrics are not for everybody
	locks    lockWatch
	log      *slog.Logger
	cards    *cards
	sockets  *sockets
	streams  atomic.Int64 // open ones
	gate     gate
	outages  outages
	texts    *texts
	origins  rate.Sometimes // how often a refused origin is logged
	proxies  []netip.Prefix
	metrics  *metrics
	echo     *echo.Echo
}

// New makes a server. Until its Sink is told otherwise the tape counts as catching up.
func New(c Config) *Server {
	s := newServer(c, database{c.DB})
	s.route(s.routes(), s.checks)
	return s
}

// newServer makes one without routes, whose memory is read from a source.
func newServer(c Config, from source) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Hub.Log == nil {
		c.Hub.Log = c.Log
	}
	markets, texts := state.New(from.MarketState, from.TapeAfter), newTexts(c.Log)
	s := &Server{
		db:       c.DB,
		reader:   c.Reader,
		state:    markets,
		source:   from,
		reads:    cache.New(c.DB, c.CacheBytes),
		hub:      hub.New(history{from, markets, texts}, c.Hub),
		orders:   orders.New(c.DB),
		passes:   newPasses(),
		signUp:   cmp.Or(c.SignUp, Closed),
		hasher:   password.NewHasher(2),
		devices:  devices{key: c.DB.DeviceKey},
		oidc:     newIdentities(c.OIDC),
		board:    kept[[]db.Standing]{life: boardLife},
		hot:      kept[[]db.HotMarket]{life: hotLife},
		losses:   kept[[]db.ValueTransfer]{life: lossesLife},
		patience: 5 * time.Second,
		comments: 15 * time.Second,
		reading:  cmp.Or(c.ReadWithin, 10*time.Second),
		writing:  writeWithin,
		draining: c.Drain,
		sites:    c.Sites,
		own:      c.OwnMetrics,
		log:      c.Log,
		texts:    texts,
		cards:    newCards(),
		locks:    lockWatch{db: c.DB, every: cmp.Or(c.LockCheck, lockLook), log: c.Log},
		echo:     echo.New(),
	}
	s.hub.SetState(hub.CatchingUp)
	s.metrics = newMetrics(s)
	s.limits = newLimits(c.Limits, s.metrics.turnedAway)
	s.sockets = newSockets(s.hub, &s.gate, s.limits, s.log)
	s.echo.HTTPErrorHandler = s.answerError
	trustOnly(s.echo, c.Proxies)
	s.proxies = c.Proxies
	s.origins.Interval = 10 * time.Second
	static.Assets() // compressed before anybody asks
	return s
}

// Handler answers everything. An http.Server around it needs a limit on reading headers, and no
// limit on writing, which would cut the streams; Serve is such a one.
func (s *Server) Handler() http.Handler { return s.echo }

// route lets requests in, each by its line of the table.
func (s *Server) route(table []route, checks func(route) []echo.MiddlewareFunc) {
	s.echo.Use(s.forwardedHost, s.begin, s.leaving, s.observe, recoverPanic, secure, s.knownHost, s.crossOrigin, s.sameSite, s.limit, plainParams, s.knownPolicy)
	for _, r := range table {
		s.echo.Add(r.method, r.path, r.handler, checks(r)...)
	}
}
