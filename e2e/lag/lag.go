// Package lag is a long way between two programs under test: whatever is sent arrives a fixed time
// later, however much it is, and the round trips are counted.
//
//	p, err := lag.New("127.0.0.1:5432", 25*time.Millisecond)
//	// … the program under test connects to p.Address()
//	before := p.Count()
//	// … it does something
//	trips := p.Count().Since(before).Trips
package lag

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Proxy listens on a port of 127.0.0.1 and carries each connection to the target, late.
type Proxy struct {
	target   string
	oneWay   time.Duration
	listener net.Listener
	wait     sync.WaitGroup

	mu     sync.Mutex
	count  Count
	conns  map[net.Conn]struct{}
	closed bool
}

// Count is what a proxy has seen. A trip is something that the client has said, in however many
// pieces, and the server has answered. The handshake of TCP is in Conns, not in Trips.
type Count struct{ Conns, Trips int }

// Since is what has come on top of a count before.
func (c Count) Since(before Count) Count {
	return Count{c.Conns - before.Conns, c.Trips - before.Trips}
}

// All are the round trips with those of the handshakes of TCP.
func (c Count) All() int { return c.Conns + c.Trips }

// New makes a proxy to a TCP address, or to a unix socket if the target is a path, that holds back
// what is sent, each way, for oneWay. Close it when done.
func New(target string, oneWay time.Duration) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, oneWay: oneWay, listener: listener, conns: make(map[net.Conn]struct{})}
	p.wait.Go(p.accept)
	return p, nil
}

// Address is where to connect to.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Count is what has been seen so far, of all connections.
func (p *Proxy) Count() Count {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Close ends the proxy and every connection.
func (p *Proxy) Close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for conn := range p.conns {
		conn.Close()
	}
	p.mu.Unlock()
	p.wait.Wait()
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		// The kernel has answered at once. Over a real way the client could not have spoken before
		// its SYN had been there and back: so its first words take that much longer.
		made := time.Now().Add(2 * p.oneWay)
		p.wait.Go(func() { p.carry(conn, made) })
	}
}

// carry serves one connection until either end, or the proxy, ends it.
func (p *Proxy) carry(client net.Conn, made time.Time) {
	defer p.forget(client)
	network := "tcp"
	if strings.HasPrefix(p.target, "/") {
		network = "unix"
	}
	server, err := net.Dial(network, p.target)
	if err != nil {
		return
	}
	defer p.forget(server)
	if !p.remember(client, server) {
		return
	}
	var turn turn
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client, made, func() { p.heard(&turn, true) }) })
	both.Go(func() { p.pump(client, server, made, func() { p.heard(&turn, false) }) })
	both.Wait()
}

// turn is whose words were heard last on a connection: nobody's are the server's. The proxy's lock guards it.
type turn struct{ clients bool }

func (p *Proxy) heard(t *turn, client bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !client && t.clients {
		p.count.Trips++
	}
	t.clients = client
}

// remember lists a pair of connections for Close; false if the proxy is closed.
func (p *Proxy) remember(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	p.count.Conns++
	return true
}

func (p *Proxy) forget(conn net.Conn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// chunk is a piece on its way; no bytes: the end. underWay is how many may be at once, more than
// anything under test has.
type chunk struct {
	bytes []byte
	due   time.Time
}

const (
	chunkSize = 64 << 10
	underWay  = 4096
)

// pump carries one way of a connection, and tells of each piece when it is sent.
func (p *Proxy) pump(to, from net.Conn, made time.Time, heard func()) {
	chunks := make(chan chunk, underWay)
	gone := make(chan struct{})
	var read sync.WaitGroup
	read.Go(func() {
		defer close(chunks)
		for {
			buffer := make([]byte, chunkSize)
			n, err := from.Read(buffer)
			if n > 0 {
				heard()
			}
			if n == 0 && err == nil {
				continue
			}
			sent := time.Now()
			if sent.Before(made) {
				sent = made
			}
			select {
			case chunks <- chunk{buffer[:n], sent.Add(p.oneWay)}:
			case <-gone:
				return
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					to.Close() // a broken end breaks the other
				}
				return
			}
		}
	})
	defer read.Wait()
	defer close(gone)
	for c := range chunks {
		time.Sleep(time.Until(c.due))
		if len(c.bytes) == 0 {
			break
		}
		if _, err := to.Write(c.bytes); err != nil {
			from.Close()
			return
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // an error: closed already
	}
}
