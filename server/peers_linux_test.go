package server_test

import (
	"net"
	"strings"
	"syscall"
	"testing"
)

// vanish makes a connection deaf and dumb: a filter drops every packet that comes for it, so that
// nothing is acknowledged, as when a machine loses its power.
func vanish(t *testing.T, conn net.Conn) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	must(t, err)
	var failed error
	must(t, raw.Control(func(fd uintptr) {
		drop := syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: 0}
		//lint:ignore SA1019 what is to be used instead is a dependency
		failed = syscall.AttachLsf(int(fd), []syscall.SockFilter{drop})
	}))
	if failed != nil {
		t.Skipf("no socket filters here: %v", failed)
	}
}

// vanishing are peers that acknowledge nothing any more. That of a stream never says anything
// either, so nothing else tells of its end.
var vanishing = []peer{
	{"a socket that vanishes", func(t *testing.T, s *site, market string) func() {
		conn := s.follower(t, strings.TrimPrefix(s.url, "http://"), market)
		go discard(conn)
		return func() { vanish(t, conn.NetConn()) }
	}},
	{"a stream that vanishes", func(t *testing.T, s *site, market string) func() {
		conn := s.rawStream(t, market)
		return func() { vanish(t, conn) }
	}},
}
