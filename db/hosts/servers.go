package hosts

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/keyshare"
)

// How long one server may take to make a connection, unless connect_timeout says so. It grows after
// each time that it was too short, so that a slow network is served in the end.
const (
	firstLimit = 2 * time.Second
	mostLimit  = 8 * time.Second
)

// Servers are those that one URL names. Whoever connects to the same database shares one. Its methods
// may be called by many goroutines.
type Servers struct {
	url    string
	stated bool // the URL says what servers it wants
	once   bool // a standby is taken where there is no other
	shares keyshare.Memory

	synchronous atomic.Bool

	mu       sync.Mutex
	limit    time.Duration
	fixed    bool   // by connect_timeout
	chosen   string // key of the candidate that has answered last; empty: to be found
	finding  *finding
	current  uint32    // newest timeline that was in use; 0: unknown
	seen     time.Time // when it last was
	replaced []func(timeline uint32)
	lost     []func()

	followers []*Servers // see Follow
}

// New is of the servers of a URL.
func New(url string) *Servers {
	s := &Servers{url: url, limit: firstLimit, stated: saysTarget(url)}
	if config, err := pgconn.ParseConfig(url); err == nil && config.ConnectTimeout > 0 {
		s.limit, s.fixed = config.ConnectTimeout, true
	}
	return s
}

// ForOnce is of the servers of a URL for somebody who connects once, and may do with a standby if
// there is no other server: to look, or to be told by it that it takes no writes. A command is in no
// hurry, so the limit is a long one.
func ForOnce(url string) *Servers {
	s := New(url)
	s.once = true
	if !s.fixed {
		s.limit = mostLimit
	}
	return s
}

// saysTarget tells whether a URL, keywords and values, or the environment says what servers are
// wanted. pgconn does not tell "any" from nothing.
func saysTarget(url string) bool {
	if config, err := pgconn.ParseConfig(url); err == nil && config.ValidateConnect != nil {
		return true
	}
	return strings.Contains(url, "target_session_attrs") || os.Getenv("PGTARGETSESSIONATTRS") != ""
}

// Connect makes a connection to a server that takes writes.
func (s *Servers) Connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	config = config.Copy()
	begun, err := s.Prepare(ctx, &config.Config)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	begun(err)
	return conn, err
}

// Prepare makes a configuration ready for one connection: it names one server, with the secrets of
// now. begun is to be told how connecting went.
// Errors: *NoServer.
func (s *Servers) Prepare(ctx context.Context, config *pgconn.Config) (begun func(error), err error) {
	s.refresh(config)
	config.ConnectTimeout = s.limitNow()
	key, err := s.choose(ctx, config)
	if err != nil {
		return nil, err
	}
	socket := s.socket(config)
	if !s.stated && !s.once {
		config.ValidateConnect = refuseStandby
	}
	dropReadOnly(config)
	s.shares.Use(config)
	start := time.Now()
	return func(err error) {
		if err == nil {
			socket.connected()
		}
		s.connected(key, time.Since(start), err)
	}, nil
}

// Patience is how long connecting may take in all: one server is found, then connected to.
func (s *Servers) Patience() time.Duration { return 2*s.limitNow() + time.Second }

// Forget has the server found anew for the next connection.
func (s *Servers) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chosen = ""
}

func (s *Servers) limitNow() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}

// connected notes how connecting to a server went.
func (s *Servers) connected(key string, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.chosen = key
	} else if s.chosen == key {
		s.chosen = ""
	}
	s.learn(took, err)
}

// learn fits the limit to how long connecting takes. Called with s.mu held.
func (s *Servers) learn(took time.Duration, err error) {
	switch {
	case s.fixed:
	case err == nil && !s.once:
		s.limit = min(max(firstLimit, 2*took), mostLimit)
	case timedOut(err):
		s.limit = min(2*s.limit, mostLimit)
	}
}

func timedOut(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || errors.As(err, &network) && network.Timeout()
}

// refresh reads again what the URL refers to: the password of a passfile or a service, certificates.
// A file that is just being replaced may be unreadable: what was read before then has to do.
func (s *Servers) refresh(config *pgconn.Config) {
	now, err := pgconn.ParseConfig(s.url)
	if err != nil {
		return
	}
	config.User, config.Password = now.User, now.Password
	config.Host, config.Port, config.TLSConfig, config.Fallbacks = now.Host, now.Port, now.TLSConfig, now.Fallbacks
}

// candidate is one server, and the ways to connect to it: with TLS and without, say.
type candidate struct {
	key  string // for people as well
	ip   string // of a name that has several; empty: as the name says
	ways []way
}

type way struct {
	host string
	port uint16
	tls  *tls.Config
}

// only makes a configuration one for this server alone.
func (c candidate) only(config *pgconn.Config) {
	config.Host, config.Port, config.TLSConfig = c.ways[0].host, c.ways[0].port, c.ways[0].tls
	config.Fallbacks = nil
	for _, w := range c.ways[1:] {
		config.Fallbacks = append(config.Fallbacks, &pgconn.FallbackConfig{Host: w.host, Port: w.port, TLSConfig: w.tls})
	}
	if c.ip != "" {
		config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{c.ip}, nil }
	}
}

// named are the servers of a configuration, each with all ways to connect to it.
func named(config *pgconn.Config) (all []candidate) {
	ways := []way{{config.Host, config.Port, config.TLSConfig}}
	for _, f := range config.Fallbacks {
		ways = append(ways, way{f.Host, f.Port, f.TLSConfig})
	}
	for _, w := range ways {
		_, key := pgconn.NetworkAddress(w.host, w.port)
		if n := len(all) - 1; n >= 0 && all[n].key == key {
			all[n].ways = append(all[n].ways, w)
			continue
		}
		all = append(all, candidate{key: key, ways: []way{w}})
	}
	return all
}

// spread are the servers by address: a name with several is several. All names are looked up at once, so
// that one that hangs holds up no other.
func spread(ctx context.Context, config *pgconn.Config, all []candidate) []candidate {
	found := make([][]candidate, len(all))
	var tasks sync.WaitGroup
	for i, c := range all {
		tasks.Go(func() { found[i] = c.addresses(ctx, config) })
	}
	tasks.Wait()
	return slices.Concat(found...)
}

// addresses are one candidate for each address of a name.
func (c candidate) addresses(ctx context.Context, config *pgconn.Config) []candidate {
	host := c.ways[0].host
	if network, _ := pgconn.NetworkAddress(host, c.ways[0].port); network == "unix" || net.ParseIP(host) != nil {
		return []candidate{c}
	}
	ctx, cancel := context.WithTimeout(ctx, config.ConnectTimeout)
	defer cancel()
	ips, err := config.LookupFunc(ctx, host)
	if err != nil || len(ips) < 2 {
		return []candidate{c} // connecting tells what is wrong with the name
	}
	var all []candidate
	for _, ip := range ips {
		all = append(all, candidate{key: c.key + " (" + ip + ")", ip: ip, ways: c.ways})
	}
	return all
}
