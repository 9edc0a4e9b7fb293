package edge

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	dialWithin = 5 * time.Second

	// A connection that has been quiet for so long is asked whether it lives, and given up when it
	// does not answer: the next request would wait for it in vain.
	quietFor   = 3 * time.Second
	aliveAfter = 3 * time.Second

	// warmEvery is how often a request keeps the connection from being closed, on the way or at the
	// other end, and measures it.
	warmEvery  = 15 * time.Second
	warmWithin = 5 * time.Second

	spareConns = 64 // kept by an origin without HTTP/2
)

// link carries requests to the origin over one connection for all of them. An origin without TLS is
// spoken to in HTTP/2 all the same; only one that does not know it, a proxy before it, say, in HTTP/1.1.
type link struct {
	base       *url.URL
	tls        *tls.Config
	transports []*http.Transport // the first is the better one
	current    atomic.Int32
	roundTrip  atomic.Int64
	assets     atomic.Value  // string: the origin's
	rewarm     chan struct{} // the origin is back
	tried      chan struct{} // closed when it is known what the origin speaks, or that it does not answer
}

func newLink(base *url.URL, config *tls.Config) *link {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	l := &link{base: base, tls: config, rewarm: make(chan struct{}, 1), tried: make(chan struct{})}
	if base.Scheme == "https" {
		l.transports = []*http.Transport{l.transport((*http.Protocols).SetHTTP1, (*http.Protocols).SetHTTP2)}
	} else {
		l.transports = []*http.Transport{l.transport((*http.Protocols).SetUnencryptedHTTP2), l.transport((*http.Protocols).SetHTTP1)}
	}
	return l
}

func (l *link) transport(speak ...func(*http.Protocols, bool)) *http.Transport {
	var protocols http.Protocols
	for _, set := range speak {
		set(&protocols, true)
	}
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialWithin, KeepAlive: warmEvery}).DialContext,
		TLSClientConfig:     l.tls.Clone(),
		TLSHandshakeTimeout: dialWithin,
		DisableCompression:  true, // who asked has said what it can read
		MaxIdleConnsPerHost: spareConns,
		IdleConnTimeout:     4 * warmEvery,
		Protocols:           &protocols,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: quietFor, PingTimeout: aliveAfter},
	}
}

// RoundTrip sends one request. The first ones wait until the link has been tried.
func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-l.tried:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return l.transports[l.current.Load()].RoundTrip(r)
}

// keepWarm keeps the connection until ctx ends, in the best way that the origin knows.
func (l *link) keepWarm(ctx context.Context, log *slog.Logger) {
	defer func() {
		for _, t := range l.transports {
			t.CloseIdleConnections()
		}
	}()
	for first := true; ; first = false {
		var err error
		for i, t := range l.transports {
			if err = l.ask(ctx, t); err != nil {
				continue
			}
			if was := l.current.Swap(int32(i)); was != int32(i) {
				log.Info("link to the origin", "http2", i == 0)
			}
			break
		}
		if first {
			close(l.tried)
		}
		if err != nil && ctx.Err() == nil {
			log.Debug("the link to the origin is not warm", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-l.rewarm:
		case <-time.After(warmEvery):
		}
	}
}

func (l *link) ask(ctx context.Context, t *http.Transport) error {
	ctx, cancel := context.WithTimeout(ctx, warmWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base.String()+"/healthz", nil)
	if err != nil {
		return err
	}
	began := time.Now()
	response, err := t.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return err
	}
	var health struct {
		Assets string `json:"assets"`
	}
	if response.StatusCode != http.StatusOK || json.Unmarshal(text, &health) != nil {
		return fmt.Errorf("the origin's /healthz says %s", response.Status)
	}
	l.roundTrip.Store(int64(time.Since(began)))
	l.assets.Store(health.Assets)
	return nil
}

// warm makes the connection at once, not when somebody needs it.
func (l *link) warm() {
	select {
	case l.rewarm <- struct{}{}:
	default:
	}
}
