package db

import (
	"crypto/tls"
	"net"
	"syscall"
)

// quiet tells whether a connection stands and the other end has said nothing that was not read: no
// word, no end. It takes no time and reads nothing. It waits for nobody either: pgx may have left a
// reader behind on a connection that rests, which holds what Read needs until the server speaks.
func quiet(conn net.Conn) bool {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	nothing := false
	err = raw.Control(func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK) // which never blocks: Go's sockets do not
		nothing = err == syscall.EAGAIN
	})
	return err == nil && nothing
}
