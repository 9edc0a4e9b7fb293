package doctor

import (
	"context"
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"time"
)

// Names of the phases of a connection's set-up, in their order.
const (
	phaseName   = "name"           // of the host, looked up
	phaseTCP    = "tcp"            // SYN and its answer
	phaseSocket = "socket"         // the same of a unix socket: no round trip
	phaseAsk    = "ssl request"    // may I speak TLS?
	phaseTLS    = "tls"            // its handshake
	phaseStart  = "start-up"       // who I am
	phaseAuth   = "authentication" // and the proof
	phaseReady  = "ready"          // the server's own preparations
)

// Phase is a part of a connection's set-up.
type Phase struct {
	Name  string  `json:"name"`
	Trips int     `json:"trips"`
	MS    float64 `json:"ms"`
}

// meter watches the connections of one attempt to connect, and says which phase a round trip and
// the time belong to. A round trip is something read after something was written.
type meter struct {
	mu     sync.Mutex
	phases []Phase
	at     string    // the phase
	since  time.Time // when it began
	wrote  bool
	trips  int
	auth   string
}

// enter ends the phase before.
func (m *meter) enter(phase string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change(phase)
}

func (m *meter) change(phase string) {
	now := time.Now()
	if m.at != "" {
		m.phase(m.at).MS += milliseconds(now.Sub(m.since))
	}
	if phase != "" {
		m.phase(phase)
	}
	m.at, m.since = phase, now
}

func (m *meter) phase(name string) *Phase {
	for i := range m.phases {
		if m.phases[i].Name == name {
			return &m.phases[i]
		}
	}
	m.phases = append(m.phases, Phase{Name: name})
	return &m.phases[len(m.phases)-1]
}

func (m *meter) trip() {
	m.trips++
	if m.at != "" {
		m.phase(m.at).Trips++
	}
}

// count is how many round trips there were so far.
func (m *meter) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trips
}

// dial connects, which over TCP is a round trip that only the kernel sees.
func (m *meter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	tcp := !strings.HasPrefix(network, "unix")
	if tcp {
		m.enter(phaseTCP)
	} else {
		m.enter(phaseSocket)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrote = false
	if tcp {
		m.trip()
	}
	m.change("") // what comes next, the first words show
	return &watched{Conn: conn, meter: m}, nil
}

// watched is the connection itself, under TLS if there is any.
type watched struct {
	net.Conn
	meter *meter
	spoke bool
}

// sslRequest is the code of the question whether the server speaks TLS.
const sslRequest = 80877103

func (w *watched) Write(p []byte) (int, error) {
	w.meter.mu.Lock()
	if !w.spoke {
		w.spoke = true
		switch {
		case len(p) >= 8 && binary.BigEndian.Uint32(p[4:]) == sslRequest:
			w.meter.change(phaseAsk)
		case len(p) > 0 && p[0] == 0x16: // a record of the handshake
			w.meter.change(phaseTLS)
		}
	}
	w.meter.wrote = true
	w.meter.mu.Unlock()
	return w.Conn.Write(p)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.meter.mu.Lock()
		defer w.meter.mu.Unlock()
		if w.meter.wrote {
			w.meter.wrote = false
			w.meter.trip()
		}
		if w.meter.at == phaseAsk {
			w.meter.change(phaseTLS)
		}
	}
	return n, err
}

// spoken is what is said in a connection, inside TLS if there is any: it tells the start-up's phases
// apart by the messages.
type spoken struct {
	net.Conn
	meter  *meter
	writes int
	head   []byte // of a message that has not come whole
	skip   int    // bytes of a message's body that are still to come
	ready  bool
}

func (s *spoken) Write(p []byte) (int, error) {
	if !s.ready {
		s.writes++
		if s.writes == 2 {
			s.meter.enter(phaseAuth)
		}
	}
	return s.Conn.Write(p)
}

func (s *spoken) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if !s.ready {
		s.hear(p[:n])
	}
	return n, err
}

// authentications are the requests of the protocol, by number.
var authentications = map[uint32]string{3: "password in clear", 5: "md5", 7: "gss", 10: "scram"}

// hear follows the messages: a letter, the length of the rest, the rest.
func (s *spoken) hear(p []byte) {
	const kind, length, code = 1, 4, 4
	for len(p) > 0 {
		n := min(s.skip, len(p))
		s.skip -= n
		p = p[n:]
		for len(p) > 0 && s.skip == 0 {
			s.head, p = append(s.head, p[0]), p[1:]
			if len(s.head) < kind+length || s.head[0] == 'R' && len(s.head) < kind+length+code {
				continue
			}
			s.skip = int(binary.BigEndian.Uint32(s.head[kind:])) + kind - len(s.head)
			switch s.head[0] {
			case 'R':
				s.asked(binary.BigEndian.Uint32(s.head[kind+length:]))
			case 'Z':
				s.ready = true
				s.meter.enter("")
				return
			}
			s.head = s.head[:0]
		}
	}
}

func (s *spoken) asked(code uint32) {
	if code == 0 {
		s.meter.enter(phaseReady)
		return
	}
	if name, ok := authentications[code]; ok {
		s.meter.mu.Lock()
		defer s.meter.mu.Unlock()
		s.meter.auth = name
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
