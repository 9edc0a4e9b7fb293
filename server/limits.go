package server

import (
	"crypto/sha256"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/pgtape/pgtape/db"
)

// Limits are what one client may ask for; what is zero has no limit. A client is whoever has a
// token, of a session or a key. Nobody has checked it yet, so that all the clients of one address
// are held together to ten clients' worth: an address may be an office, or somebody who makes up
// tokens. Who has no token is counted by the address alone.
type Limits struct {
	Trades   float64 // a second
	Quotes   float64 // a second
	Requests float64 // a second, of all other kinds
	Opens    float64 // sockets and streams opened, a second
	SignIns  int     // a minute, as one handle of one address; ten times as many of one address

	Sockets    int     // sockets and streams open at once
	AllSockets int     // of all clients together
	Messages   float64 // a second, that one socket may send
}

// DefaultLimits are out of the way of people and of programs that mean well.
func DefaultLimits() Limits {
	return Limits{
		Trades: 50, Quotes: 50, Requests: 100, Opens: 10, SignIns: 10,
		Sockets: 50, AllSockets: 10_000, Messages: 100,
	}
}

const (
	clientsAtAnAddress = 10
	burstSeconds       = 2 // of its rate a client may ask for at once

	// messageBurst lets a client that comes back subscribe to all that it may, at once.
	messageBurst = 1000

	maxBuckets = 50_000 // of a kind, before those that rest are forgotten
)

// kind is what requests are counted as.
type kind string

const (
	uncounted kind = ""
	trades    kind = "trades"
	quotes    kind = "quotes"
	opens     kind = "sockets"
	signIns   kind = "sign_ins"
	others    kind = "requests"
)

// kinds are those of the routes that are not counted with the others. A file is served from memory,
// and whoever asks whether the process lives must not be told to wait.
var kinds = map[string]kind{
	"POST /api/v1/session":              signIns,
	"POST /api/v1/password":             signIns, // whoever has a browser may guess there
	"DELETE /api/v1/account":            signIns, // tapes are written again
	"GET /signin/oidc/callback":         signIns,
	"POST /signin":                      signIns,
	"POST /signup":                      signIns,
	"POST /api/v1/markets/:slug/trades": trades,
	"GET /api/v1/markets/:slug/quote":   quotes,
	"GET /api/v1/markets/:slug/stream":  opens,
	"GET /ws":                           opens,
	"GET /healthz":                      uncounted,
	"GET /static/*":                     uncounted,
}

func kindOf(c echo.Context) kind {
	method := c.Request().Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if k, ok := kinds[method+" "+c.Path()]; ok {
		return k
	}
	return others
}

// limits hold clients to what they may ask for.
type limits struct {
	byClient, byAddress map[kind]*buckets
	byGuess, byDevice   *buckets // sign-ins as one handle from one address, and of one device
	seats               seats
	messages            rate.Limit
	turnedAway          func(kind)
}

func newLimits(l Limits, turnedAway func(kind)) *limits {
	made := &limits{
		byClient: map[kind]*buckets{}, byAddress: map[kind]*buckets{},
		byGuess: newBuckets(float64(l.SignIns)/60, float64(l.SignIns)), byDevice: newBuckets(float64(l.SignIns)/60, float64(l.SignIns)),
		seats:    seats{each: l.Sockets, all: l.AllSockets, taken: map[client]int{}},
		messages: rate.Limit(l.Messages), turnedAway: turnedAway,
	}
	for k, each := range map[kind]float64{trades: l.Trades, quotes: l.Quotes, opens: l.Opens, others: l.Requests} {
		made.byClient[k] = newBuckets(each, burstSeconds*each)
		made.byAddress[k] = newBuckets(clientsAtAnAddress*each, clientsAtAnAddress*burstSeconds*each)
	}
	// A class that begins comes from one address, all at once.
	made.byAddress[signIns] = newBuckets(clientsAtAnAddress*float64(l.SignIns)/60, clientsAtAnAddress*float64(l.SignIns))
	return made
}

// limit refuses who asks too often. A request is counted where it is let through only, so that one
// client of an address, however wild, takes no more from its neighbours than its share.
func (s *Server) limit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		k, now := kindOf(c), time.Now()
		if !s.limits.byAddress[k].limited() {
			return next(c)
		}
		address, token := clientOf(c)
		if k == signIns {
			if device := s.deviceOf(c); device != "" { // whatever its address does; limitGuesses looks whose it is
				address, token = sha256.Sum256([]byte(device)), client{}
			}
		}
		ofAddress, wait := s.limits.byAddress[k].take(address, now)
		if wait == 0 && token != (client{}) {
			if _, wait = s.limits.byClient[k].take(token, now); wait > 0 {
				ofAddress.CancelAt(now)
			}
		}
		if wait > 0 {
			return s.limits.tooMany(c, k, wait)
		}
		return next(c)
	}
}

// limitGuesses refuses an address that signs in as one handle too often. Who else tries counts for
// nothing: a handle cannot be locked by others. A device on which the handle has signed in before is
// counted by itself, so that its owner gets in though the address is used up.
func (s *Server) limitGuesses(c echo.Context, handle string) error {
	now, device := time.Now(), s.deviceOf(c)
	if s.isDeviceOf(c, handle) {
		if _, wait := s.limits.byDevice.take(sha256.Sum256([]byte(device)), now); wait > 0 {
			return s.limits.tooMany(c, signIns, wait)
		}
		return nil
	}
	address := addressOf(c.RealIP())
	if device != "" && kindOf(c) == signIns { // of somebody else: it is its address that counts
		if _, wait := s.limits.byAddress[signIns].take(address, now); wait > 0 {
			return s.limits.tooMany(c, signIns, wait)
		}
	}
	guess := sha256.Sum256(append(address[:], lettersOf(handle)...))
	if _, wait := s.limits.byGuess.take(guess, now); wait > 0 {
		return s.limits.tooMany(c, signIns, wait)
	}
	return nil
}

// lettersOf is what a handle is limited by: the letters and digits in it that a handle may have, so that
// no way to type it, with spaces or in capitals, is another one.
func lettersOf(handle string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '.', r == '-':
			return r
		}
		return -1
	}, handle)
}

func (l *limits) tooMany(c echo.Context, k kind, wait time.Duration) error {
	l.turnedAway(k)
	seconds := strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
	c.Response().Header().Set(echo.HeaderRetryAfter, seconds)
	hint := "ask again in " + seconds + " s"
	if k == signIns {
		hint += "; a browser that has signed in to the account before is counted by itself"
	}
	return &db.Error{
		Code: db.TooManyRequests, Message: "too many " + strings.ReplaceAll(string(k), "_", "-") + " from here", Hint: hint,
	}
}

// client is the hash of what one is known by; zero is nobody.
type client [sha256.Size]byte

// clientOf tells where a request comes from, and with which token, if with any.
func clientOf(c echo.Context) (address, token client) {
	if session, _ := sessionOf(c); session != "" {
		token = client(db.TokenHash(session))
	} else if key, _ := bearer(c); key != "" {
		token = client(db.TokenHash(key))
	}
	return addressOf(c.RealIP()), token
}

// addressOf counts IPv6 by /64, which is what one network gets.
func addressOf(ip string) client {
	var known client
	address, err := netip.ParseAddr(ip)
	if err != nil {
		known[0] = 1 // a peer without an address, of a Unix socket, say
		return known
	}
	address = address.Unmap()
	if address.Is4() {
		known[0] = 4
		copy(known[1:], address.AsSlice())
		return known
	}
	known[0] = 6
	copy(known[1:9], address.AsSlice())
	return known
}

// buckets hold a token bucket for each client that has asked lately. They are kept in two
// generations: a new one begins when one is full, or has lasted longer than an empty bucket takes to
// fill, and a bucket that nobody has asked for in a whole generation is forgotten.
type buckets struct {
	limit rate.Limit // 0: none
	burst int

	mu       sync.Mutex
	young    map[client]*rate.Limiter
	old      map[client]*rate.Limiter
	begun    time.Time
	lifespan time.Duration
}

func newBuckets(each, burst float64) *buckets {
	b := &buckets{limit: rate.Limit(each), burst: int(min(max(1, math.Ceil(burst)), math.MaxInt32))}
	if each > 0 {
		seconds := min(float64(b.burst)/each, 24*60*60)
		b.lifespan = time.Minute + time.Duration(seconds*float64(time.Second))
	}
	return b
}

func (b *buckets) limited() bool { return b != nil && b.limit > 0 }

// take takes a token from a client's bucket, or tells how long to wait for one. What was taken can
// be given back.
func (b *buckets) take(of client, now time.Time) (taken *rate.Reservation, wait time.Duration) {
	if !b.limited() {
		return &rate.Reservation{}, 0
	}
	taken = b.bucket(of, now).ReserveN(now, 1)
	if wait = taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
	}
	return taken, wait
}

func (b *buckets) bucket(of client, now time.Time) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.young == nil || len(b.young) >= maxBuckets || now.Sub(b.begun) > b.lifespan {
		b.young, b.old, b.begun = make(map[client]*rate.Limiter), b.young, now
	}
	limiter := b.young[of]
	if limiter == nil {
		if limiter = b.old[of]; limiter == nil {
			limiter = rate.NewLimiter(b.limit, b.burst)
		}
		b.young[of] = limiter
	}
	return limiter
}

// seats count those who stay: sockets and streams.
type seats struct {
	each, all int // 0: no limit

	mu    sync.Mutex
	inUse int
	taken map[client]int
}

// seat lets somebody in to stay. Whoever has one leaves it.
// Errors: Unavailable when all are taken, TooManyRequests when the client, or its address, has its share.
func (s *Server) seat(c echo.Context) (leave func(), err error) {
	address, token := clientOf(c)
	seats := &s.limits.seats
	switch seats.take(address, token) {
	case seatTaken:
		return sync.OnceFunc(func() { seats.leave(address, token) }), nil
	case houseFull:
		s.limits.turnedAway(opens)
		return nil, &db.Error{
			Code: db.Unavailable, Message: "all sockets and streams of this server are in use",
			Hint: "ask again later, or for single answers",
		}
	case shareTaken:
	}
	s.limits.turnedAway(opens)
	c.Response().Header().Set(echo.HeaderRetryAfter, "5")
	return nil, &db.Error{
		Code: db.TooManyRequests, Message: "too many open sockets and streams from here",
		Hint: "one socket can follow many markets: close those that are not needed",
	}
}

type seating int

const (
	seatTaken seating = iota
	houseFull
	shareTaken
)

func (s *seats) take(address, token client) seating {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.all > 0 && s.inUse >= s.all:
		return houseFull
	case s.each > 0 && (s.taken[address] >= clientsAtAnAddress*s.each || token != (client{}) && s.taken[token] >= s.each):
		return shareTaken
	}
	s.inUse++
	s.taken[address]++
	if token != (client{}) {
		s.taken[token]++
	}
	return seatTaken
}

func (s *seats) leave(address, token client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inUse--
	for _, of := range []client{address, token} {
		if s.taken[of]--; s.taken[of] <= 0 {
			delete(s.taken, of)
		}
	}
}

// newMessages counts what one socket sends; nil when there is no limit.
func (l *limits) newMessages() *rate.Limiter {
	if l.messages == 0 {
		return nil
	}
	return rate.NewLimiter(l.messages, messageBurst+int(min(l.messages, math.MaxInt32)))
}

// trustOnly believes what proxies say of their clients: of the address those that are named, of the
// scheme also those that are near, as it decides of nothing but the sender's own cookie.
func trustOnly(e *echo.Echo, proxies []netip.Prefix) {
	var named []echo.TrustOption
	for _, prefix := range proxies {
		named = append(named, echo.TrustIPRange(&net.IPNet{
			IP: prefix.Masked().Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
		}))
	}
	e.SchemeExtractor = echo.ExtractSchemeFromHeaders(named...)
	e.IPExtractor = echo.ExtractIPDirect()
	if len(named) > 0 {
		e.IPExtractor = echo.ExtractIPFromXFFHeader(append(named,
			echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false))...)
	}
}
