package edge

import (
	"cmp"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/pgtape/pgtape/db/tape"
)

// Options of an origin. URL is required.
type Options struct {
	URL        string        // of the origin: https://example.org, or http://10.0.0.5:8080 in a network of one's own
	TLS        *tls.Config   // nil: the system's authorities are trusted
	MaxMarkets int           // followed at once; 0: 1000, which is what an origin allows one socket
	Linger     time.Duration // how long a market is followed that nobody wants any more; 0: a minute
	Log        *slog.Logger
}

// Origin is the server that an edge asks. Its methods may be called by many goroutines.
type Origin struct {
	link   *link
	proxy  *httputil.ReverseProxy
	most   int
	linger time.Duration
	log    *slog.Logger

	tails singleflight.Group
	wake  chan struct{}  // there are markets to ask for
	tasks sync.WaitGroup // of Want

	events, resets, connects, forwarded, failed, received, sent atomic.Int64

	mu      sync.Mutex
	markets map[string]*market
	places  int // taken by them, at most most
	wanting int // calls of Want that have not ended
	state   tape.State
	heard   time.Time // when the socket last brought something
}

// New prepares a link; Run opens it.
// Errors: what is wrong with the URL.
func New(o Options) (*Origin, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil ||
		base.RawQuery != "" || base.Fragment != "" || base.Path != "" && base.Path != "/" {
		return nil, errors.New("want https://host or http://host:port, without a login or a path") // it may hold a password: not said
	}
	base.Path = ""
	origin := &Origin{
		link:    newLink(base, o.TLS),
		most:    cmp.Or(o.MaxMarkets, 1000),
		linger:  cmp.Or(o.Linger, time.Minute),
		log:     cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		wake:    make(chan struct{}, 1),
		markets: make(map[string]*market),
		state:   tape.CatchingUp,
	}
	origin.proxy = origin.newProxy()
	return origin, nil
}

// Status is how the link is doing.
type Status struct {
	State     tape.State    // what the Sink was told last
	Silence   time.Duration // since the socket brought something; a heartbeat is due each second
	RoundTrip time.Duration // of the last request that kept the link warm
	Markets   int           // followed

	Events, Resets, Connects int64 // delivered; histories that began anew; sockets opened
	Forwarded, Failed        int64 // requests forwarded; those that the origin did not answer
	Sent, Received           int64 // bytes of their bodies
}

// Status of now.
func (o *Origin) Status() Status {
	s := Status{
		RoundTrip: time.Duration(o.link.roundTrip.Load()),
		Events:    o.events.Load(), Resets: o.resets.Load(), Connects: o.connects.Load(),
		Forwarded: o.forwarded.Load(), Failed: o.failed.Load(), Sent: o.sent.Load(), Received: o.received.Load(),
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s.State, s.Markets = o.state, o.places
	if !o.heard.IsZero() {
		s.Silence = time.Since(o.heard)
	}
	return s
}

// Assets names the static files of the origin; empty when they are not known.
func (o *Origin) Assets() string {
	assets, _ := o.link.assets.Load().(string)
	return assets
}
