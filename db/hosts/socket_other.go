//go:build !linux

package hosts

import (
	"net"
	"time"
)

// setUserTimeout is Linux' only; elsewhere keepalives have to do.
func setUserTimeout(*net.TCPConn, time.Duration) {}
