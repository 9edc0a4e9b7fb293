package server

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

const (
	// sendBuffer is what the kernel may hold of what a peer has not taken, in bytes (Linux doubles
	// it). Left alone it grows to megabytes: to a peer that reads slowly those are minutes of old
	// prices, and heartbeats and pings behind them.
	sendBuffer = 128 << 10

	// acknowledgedWithin lets the kernel give up a peer that takes nothing any more. Sockets have
	// pings; for streams this is the only sign, as their peers never send anything.
	acknowledgedWithin = 25 * time.Second
)

// minded is an http.Server's ConnContext: it bounds what a connection may cost when its peer is
// slow or gone. What a system does not offer, or a connection that is no TCP, stays as it is.
func minded(ctx context.Context, conn net.Conn) context.Context {
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer)
		_ = limitUnacknowledged(tcp, acknowledgedWithin)
	}
	return ctx
}
