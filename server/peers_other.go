//go:build !linux

package server

import (
	"net"
	"time"
)

// limitUnacknowledged is left to the system's own limits, which are minutes.
func limitUnacknowledged(*net.TCPConn, time.Duration) error { return nil }
