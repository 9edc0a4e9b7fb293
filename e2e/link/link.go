// Package link is a TCP connection between two programs under test, and what can go wrong with it:
// cut, frozen, slow, narrow.
//
//	l, err := link.New("127.0.0.1:5432")
//	// … the program under test connects to l.Address()
//	l.Freeze() // as when the network goes away without a word
//	l.Mend()
package link

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

// Link listens on a port of 127.0.0.1 and carries each connection to the target, both ways, as its
// fault allows. Its methods may be called by many goroutines.
type Link struct {
	target   string
	listener net.Listener
	wait     sync.WaitGroup

	mu      sync.Mutex
	fault   fault
	changed chan struct{} // closed when fault changes
	conns   map[net.Conn]struct{}
	closed  bool
}

// fault is how a link misbehaves. The zero fault is none.
type fault struct {
	cut, frozen     bool
	latency, jitter time.Duration
	bytesPerSecond  int
}

// New makes a link to a TCP address, or to a unix socket if the target is a path. Close it when done.
func New(target string) (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{target: target, listener: listener, changed: make(chan struct{}), conns: make(map[net.Conn]struct{})}
	l.wait.Go(l.accept)
	return l, nil
}

// Address is where to connect to.
func (l *Link) Address() string { return l.listener.Addr().String() }

// Close ends the link and every connection.
func (l *Link) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.listener.Close()
	l.Reset()
	l.wait.Wait()
}

// Reset ends every connection there is, by RST: both ends hear of it at once. New ones are let through.
func (l *Link) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		delete(l.conns, conn) // for thaw
		abort(conn)
	}
}

// Cut resets every connection there is, and every new one, until Mend.
func (l *Link) Cut() {
	l.set(func(f *fault) { f.cut = true })
	l.Reset()
}

// Freeze lets nothing through any more, without a word to either end: what is sent is lost in the
// buffers between, and new connections are made and never answered. Mend lets all of it go on.
func (l *Link) Freeze() { l.set(func(f *fault) { f.frozen = true }) }

// Delay holds back what is sent, each way, for latency and up to jitter more. Order is kept.
func (l *Link) Delay(latency, jitter time.Duration) {
	l.set(func(f *fault) { f.latency, f.jitter = latency, jitter })
}

// Limit carries at most so many bytes a second, each way and connection.
func (l *Link) Limit(bytesPerSecond int) {
	l.set(func(f *fault) { f.bytesPerSecond = bytesPerSecond })
}

// Mend makes the link a good one again.
func (l *Link) Mend() { l.set(func(f *fault) { *f = fault{} }) }

func (l *Link) set(change func(*fault)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.fault)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Link) now() (f fault, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault, l.changed
}

func (l *Link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		if f, _ := l.now(); f.cut {
			abort(conn)
			continue
		}
		l.wait.Go(func() { l.carry(conn) })
	}
}

// carry serves one connection until either end, or the link, ends it.
func (l *Link) carry(near net.Conn) {
	defer l.forget(near)
	if !l.remember(near) {
		return
	}
	network := "tcp"
	if strings.HasPrefix(l.target, "/") {
		network = "unix"
	}
	far, err := net.Dial(network, l.target)
	if err != nil {
		abort(near)
		return
	}
	defer l.forget(far)
	if !l.remember(far) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.pump(far, near) })
	both.Go(func() { l.pump(near, far) })
	both.Wait()
}

// remember lists a connection for Reset; false if the link is closed.
func (l *Link) remember(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.conns[conn] = struct{}{}
	if tcp, ok := conn.(*net.TCPConn); ok { // an error: it has ended already
		_ = tcp.SetReadBuffer(kernelBuffer)
		_ = tcp.SetWriteBuffer(kernelBuffer)
	}
	return true
}

func (l *Link) forget(conn net.Conn) {
	conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// chunk is a piece on its way. queue is how many are at most: what does not fit waits with who
// sends, as in the buffers of a network.
type chunk struct {
	bytes []byte
	due   time.Time
}

const (
	chunkSize = 16 << 10
	queue     = 4

	// kernelBuffer is small, so that whoever sends soon feels what does not get through.
	kernelBuffer = 32 << 10
)

// pump carries one way of a connection. An end is carried as one (FIN), an error as one (RST).
func (l *Link) pump(to, from net.Conn) {
	chunks := make(chan chunk, queue)
	gone := make(chan struct{}) // nobody takes chunks any more
	var read sync.WaitGroup
	var readErr error
	read.Go(func() {
		defer close(chunks)
		readErr = l.read(from, chunks, gone)
	})
	writeErr := l.write(to, chunks)
	close(gone)
	if writeErr != nil {
		abort(from)
	}
	read.Wait()
	if writeErr != nil || readErr != nil {
		abort(to)
		abort(from)
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // an error: closed already
	}
}

func (l *Link) read(from net.Conn, chunks chan<- chunk, gone <-chan struct{}) error {
	for {
		buffer := make([]byte, chunkSize)
		n, err := from.Read(buffer)
		if n > 0 {
			f, _ := l.now()
			wait := f.latency
			if f.jitter > 0 {
				wait += rand.N(f.jitter)
			}
			select {
			case chunks <- chunk{buffer[:n], time.Now().Add(wait)}:
			case <-gone:
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (l *Link) write(to net.Conn, chunks <-chan chunk) error {
	for c := range chunks {
		time.Sleep(time.Until(c.due))
		for len(c.bytes) > 0 {
			f, changed := l.now()
			if f.frozen {
				if err := l.thaw(to, changed); err != nil {
					return err
				}
				continue
			}
			piece := c.bytes
			if f.bytesPerSecond > 0 {
				piece = piece[:min(len(piece), max(1, f.bytesPerSecond/20))]
			}
			if _, err := to.Write(piece); err != nil {
				return err
			}
			c.bytes = c.bytes[len(piece):]
			if f.bytesPerSecond > 0 {
				time.Sleep(time.Duration(len(piece)) * time.Second / time.Duration(f.bytesPerSecond))
			}
		}
	}
	return nil
}

// thaw waits until the fault changes, or the connection is reset.
func (l *Link) thaw(to net.Conn, changed <-chan struct{}) error {
	for {
		select {
		case <-changed:
			return nil
		case <-time.After(100 * time.Millisecond):
			l.mu.Lock()
			_, open := l.conns[to]
			closed := l.closed
			l.mu.Unlock()
			if closed || !open {
				return net.ErrClosed
			}
		}
	}
}

// abort ends a connection by RST.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // an error: closed already
	}
	conn.Close()
}
