package hosts

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A peer that is gone without a word is noticed within about gone: also while nothing is sent.
const (
	gone      = 20 * time.Second
	keepIdle  = 8 * time.Second
	keepEvery = 4 * time.Second
	keepTries = 3
)

// socket is the network connection of one connection to a server.
type socket struct {
	of   *Servers
	dial pgconn.DialFunc

	mu   sync.Mutex
	conn net.Conn
	made bool // the server has let us in: who dials from now on wants to cancel a statement
}

// socket has a configuration make its network connection through one.
func (s *Servers) socket(config *pgconn.Config) *socket {
	k := &socket{of: s, dial: config.DialFunc}
	config.DialFunc = k.connect
	return k
}

// connect makes the connection, and has the operating system look after it.
func (k *socket) connect(ctx context.Context, network, address string) (net.Conn, error) {
	k.mu.Lock()
	made := k.made
	k.mu.Unlock()
	if made {
		return k.cancel(ctx, network, address)
	}
	conn, err := k.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// Errors: of a system that has no such thing, where the usual has to do.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepEvery, Count: keepTries})
		setUserTimeout(tcp, gone)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conn = conn
	return conn, nil
}

func (k *socket) connected() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made = true
}

// cancelWithin is for a server to hear that a statement is to be cancelled, and for the connection
// to end then. pgx itself would wait much longer, with a connection of the pool.
const cancelWithin = 2 * time.Second

var errNotCancelled = errors.New("a statement that may wait for a standby is not cancelled")

// cancel makes the connection by which a statement is cancelled that nobody waits for any more. Where
// commits wait for standbys none is: a commit that is cancelled stays, and is seen by all, without
// being on a standby. There the connection is just closed, as the server notices.
func (k *socket) cancel(ctx context.Context, network, address string) (net.Conn, error) {
	k.mu.Lock()
	first := k.conn
	k.mu.Unlock()
	if k.of.Synchronous() {
		first.Close() // an error: it has ended already
		return nil, errNotCancelled
	}
	time.AfterFunc(cancelWithin, func() { first.Close() })
	ctx, done := context.WithTimeout(ctx, cancelWithin)
	defer done()
	conn, err := k.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(cancelWithin))
}
