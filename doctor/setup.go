package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Setup is what it takes to make one connection: round trips, and the median of the time.
type Setup struct {
	How    string  `json:"how"`
	Trips  int     `json:"trips"`
	MS     float64 `json:"ms"`
	Phases []Phase `json:"phases"`

	TLS           string `json:"tls,omitempty"`            // its version; empty without it
	KeyExchange   string `json:"key_exchange,omitempty"`   // such as CurveP256
	Restarted     bool   `json:"restarted"`                // the server wanted another key exchange than it was offered
	Authorization string `json:"authentication,omitempty"` // empty: the server asks for no proof

	curve tls.CurveID
	saves float64 // milliseconds, compared with the way before
}

// metered makes a connection whose round trips the meter counts.
func metered(ctx context.Context, config *pgconn.Config, m *meter) (*pgconn.PgConn, *tls.ConnectionState, error) {
	config = config.Copy()
	var state *tls.ConnectionState
	lookUp := config.LookupFunc
	config.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		if net.ParseIP(host) == nil {
			m.enter(phaseName)
		}
		return lookUp(ctx, host)
	}
	config.DialFunc = m.dial
	config.AfterConnect = nil // what doctor's own sessions ask for then is not what a server's set-up costs
	config.AfterNetConnect = func(ctx context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
		if secured, ok := conn.(*tls.Conn); ok {
			if err := secured.HandshakeContext(ctx); err != nil {
				return conn, err
			}
			s := secured.ConnectionState()
			state = &s
		}
		m.enter(phaseStart)
		return &spoken{Conn: conn, meter: m}, nil
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	return conn, state, err
}

// way is one way to make a connection.
type way struct {
	how    string
	config *pgconn.Config
}

// measureWays makes connections in rounds, one of each way, so that what disturbs one way disturbs
// them all.
func measureWays(ctx context.Context, ways []way, times int) ([]*Setup, error) {
	const enough = 8 * time.Second
	runs := make([][]*Setup, len(ways))
	for began := time.Now(); len(runs[0]) < times && (len(runs[0]) < 3 || time.Since(began) < enough); {
		for i, w := range ways {
			s, err := setUp(ctx, w.how, w.config)
			for patience := time.Now().Add(3 * time.Second); tooMany(err) && time.Now().Before(patience); {
				time.Sleep(50 * time.Millisecond) // the one before is still leaving
				s, err = setUp(ctx, w.how, w.config)
			}
			if err != nil {
				return nil, fmt.Errorf("connecting %s: %w", w.how, err)
			}
			if i > 0 {
				s.saves = runs[i-1][len(runs[i])].MS - s.MS
			}
			runs[i] = append(runs[i], s)
		}
	}
	setups := make([]*Setup, len(ways))
	for i, list := range runs {
		setups[i] = typical(list)
	}
	return setups, nil
}

// tooMany tells whether the server has no connection to give.
func tooMany(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53300"
}

// typical is the last of several, with the medians of their times.
func typical(runs []*Setup) *Setup {
	s := *runs[len(runs)-1]
	s.MS = medianOf(runs, func(s *Setup) float64 { return s.MS })
	s.saves = medianOf(runs, func(s *Setup) float64 { return s.saves })
	s.Phases = slices.Clone(s.Phases)
	for i, p := range s.Phases {
		s.Phases[i].MS = medianOf(runs, func(s *Setup) float64 { return s.msOf(p.Name) })
	}
	return &s
}

func setUp(ctx context.Context, how string, config *pgconn.Config) (*Setup, error) {
	var m meter
	began := time.Now()
	conn, state, err := metered(ctx, config, &m)
	if err != nil {
		return nil, err
	}
	s := &Setup{How: how, MS: milliseconds(time.Since(began)), Trips: m.trips, Phases: m.phases, Authorization: m.auth}
	if state != nil {
		s.TLS, s.KeyExchange, s.curve = tls.VersionName(state.Version), state.CurveID.String(), state.CurveID
		s.Restarted = state.HelloRetryRequest
	}
	return s, conn.Close(context.WithoutCancel(ctx))
}

func (s *Setup) msOf(phase string) float64 {
	for _, p := range s.Phases {
		if p.Name == phase {
			return p.MS
		}
	}
	return 0
}

func medianOf[T any](list []T, of func(T) float64) float64 {
	values := make([]float64, len(list))
	for i, x := range list {
		values[i] = of(x)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// How connections are made: as the URL says, and how they could be.
const (
	asIs   = "as the URL says"
	asKept = "offering the key exchange that the server takes"
	direct = "the same with sslnegotiation=direct"
	plain  = "without asking for TLS"
)

// measureSetups measures the way of the URL, and those that would be shorter.
func measureSetups(ctx context.Context, config *pgconn.Config, version int) ([]*Setup, error) {
	once, err := measureWays(ctx, []way{{asIs, config}}, 1)
	if err != nil {
		return nil, err
	}
	return measureWays(ctx, append([]way{{asIs, config}}, shorter(once[0], config, version)...), 7)
}

// shorter are the ways that take fewer round trips than the one of the URL, each with all that the
// ones before it spare.
func shorter(first *Setup, config *pgconn.Config, version int) (ways []way) {
	config = config.Copy()
	if first.TLS == "" {
		if first.msOf(phaseAsk) == 0 {
			return nil
		}
		config.TLSConfig, config.Fallbacks = nil, nil // it asked for TLS, and there is none
		return []way{{plain, config}}
	}
	config.Fallbacks = nil
	if first.Restarted {
		config.TLSConfig = config.TLSConfig.Clone()
		config.TLSConfig.CurvePreferences = []tls.CurveID{first.curve}
		ways = append(ways, way{asKept, config})
	}
	if version >= 17_00_00 && config.SSLNegotiation != "direct" {
		config = config.Copy()
		config.SSLNegotiation = "direct"
		config.TLSConfig = config.TLSConfig.Clone()
		config.TLSConfig.NextProtos = []string{"postgresql"}
		ways = append(ways, way{direct, config})
	}
	return ways
}
