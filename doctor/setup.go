package doctor

import (
	"context"
	"crypto/tls"
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
}

// connect makes a connection whose round trips the meter counts.
func connect(ctx context.Context, config *pgconn.Config, m *meter) (*pgconn.PgConn, *tls.ConnectionState, error) {
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

// measureSetup makes connections one after the other.
func measureSetup(ctx context.Context, how string, config *pgconn.Config) (*Setup, error) {
	const times, enough = 7, 5 * time.Second
	var runs []*Setup
	for began := time.Now(); len(runs) < times && (len(runs) < 3 || time.Since(began) < enough); {
		s, err := setUp(ctx, how, config)
		if err != nil {
			return nil, err
		}
		runs = append(runs, s)
	}
	result := *runs[len(runs)-1]
	result.MS = medianOf(runs, func(s *Setup) float64 { return s.MS })
	for i, p := range result.Phases {
		result.Phases[i].MS = medianOf(runs, func(s *Setup) float64 { return s.msOf(p.Name) })
	}
	return &result, nil
}

func setUp(ctx context.Context, how string, config *pgconn.Config) (*Setup, error) {
	var m meter
	began := time.Now()
	conn, state, err := connect(ctx, config, &m)
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
	first, err := measureSetup(ctx, asIs, config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	setups := []*Setup{first}
	try := func(how string, config *pgconn.Config) error {
		s, err := measureSetup(ctx, how, config)
		if err != nil {
			return fmt.Errorf("connecting %s: %w", how, err)
		}
		setups = append(setups, s)
		return nil
	}
	if first.TLS == "" {
		if config.TLSConfig == nil || first.msOf(phaseAsk) == 0 {
			return setups, nil
		}
		config = config.Copy() // it asked for TLS, and there is none
		config.TLSConfig, config.Fallbacks = nil, nil
		return setups, try(plain, config)
	}
	config = config.Copy()
	config.Fallbacks = nil
	if first.Restarted {
		config.TLSConfig = config.TLSConfig.Clone()
		config.TLSConfig.CurvePreferences = []tls.CurveID{first.curve}
		if err := try(asKept, config); err != nil {
			return nil, err
		}
	}
	if version >= 17_00_00 && config.SSLNegotiation != "direct" {
		config = config.Copy()
		config.SSLNegotiation = "direct"
		config.TLSConfig = config.TLSConfig.Clone()
		config.TLSConfig.NextProtos = []string{"postgresql"}
		if err := try(direct, config); err != nil {
			return nil, err
		}
	}
	return setups, nil
}
