//go:build unix

package server

import "syscall"

// writeNow writes what a socket, which never blocks, takes of p. Nothing, if that fails.
func writeNow(fd uintptr, p []byte) (n int) {
	for {
		n, err := syscall.Write(int(fd), p)
		if err == syscall.EINTR {
			continue
		}
		return max(n, 0)
	}
}
