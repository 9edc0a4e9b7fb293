// Package keyshare spares connections to a Postgres a round trip of their TLS handshake.
//
// A client of TLS 1.3 guesses which key exchange the server takes, and sends its share at once. Go
// guesses X25519, also combined with ML-KEM. Postgres up to 17 takes P-256 alone unless it is told
// otherwise (ssl_ecdh_curve): it asks for another hello (HelloRetryRequest), and the handshake takes
// two round trips. Go takes no order of preferences, and whoever offers only P-256 gives up the
// post-quantum exchanges where the server has them. So nothing is fixed here: what a server has asked
// for is offered to it the next time, and if it does not take it any more, everything is again. A
// server that takes Go's guess sees no difference.
package keyshare

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// Memory is what one server has asked for. The zero value knows nothing yet.
type Memory struct {
	mu    sync.Mutex
	curve tls.CurveID // 0: it has taken what was offered
}

// Use prepares the configuration of one connection, and learns from it.
func (m *Memory) Use(config *pgconn.Config) {
	after := config.AfterNetConnect
	config.AfterNetConnect = func(ctx context.Context, config *pgconn.Config, conn net.Conn) (net.Conn, error) {
		if secured, ok := conn.(*tls.Conn); ok {
			if err := secured.HandshakeContext(ctx); err != nil {
				return conn, fmt.Errorf("handshake: %w", err)
			}
			m.learn(secured.ConnectionState())
		}
		if after != nil {
			return after(ctx, config, conn)
		}
		return conn, nil
	}
	if curve := m.asked(); curve != 0 {
		offer(config, curve)
	}
}

func (m *Memory) asked() tls.CurveID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.curve
}

func (m *Memory) learn(state tls.ConnectionState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case state.Version < tls.VersionTLS13: // which has no guess
		m.curve = 0
	case state.HelloRetryRequest:
		m.curve = state.CurveID
	case state.CurveID != m.curve:
		m.curve = 0
	}
}

// offer puts an attempt with one curve before each that uses TLS.
func offer(config *pgconn.Config, curve tls.CurveID) {
	hosts := []*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}
	var attempts []*pgconn.FallbackConfig
	for _, host := range append(hosts, config.Fallbacks...) {
		if host.TLSConfig != nil && len(host.TLSConfig.CurvePreferences) == 0 {
			first := *host
			first.TLSConfig = host.TLSConfig.Clone()
			first.TLSConfig.CurvePreferences = []tls.CurveID{curve}
			attempts = append(attempts, &first)
		}
		attempts = append(attempts, host)
	}
	config.Host, config.Port, config.TLSConfig = attempts[0].Host, attempts[0].Port, attempts[0].TLSConfig
	config.Fallbacks = slices.Clip(attempts[1:])
}
