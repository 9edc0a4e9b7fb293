package main

import (
	"fmt"
	"log/slog"
	"syscall"

	"github.com/pgtape/pgtape/server"
)

const (
	// leastFiles are needed beside those of connections: of the database, the tape, a Postgres' start.
	leastFiles = 256
	// spareFiles stay free of sockets, so that requests are still answered when no more are let in.
	spareFiles = 200
)

// checkFiles sees to it that a server with few file descriptors says so, instead of waiting for one. Go
// has raised the limit to what it may be; sockets above it are refused as those above --max-sockets.
func checkFiles(limits *server.Limits, log *slog.Logger) error {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return nil // nobody knows
	}
	return boundSockets(limits, files.Cur, log)
}

func boundSockets(limits *server.Limits, files uint64, log *slog.Logger) error {
	if files < leastFiles {
		return fmt.Errorf("this process may open %d files at once, and a server needs %d or more: raise the limit (ulimit -n 4096, LimitNOFILE= of a systemd service)", files, leastFiles)
	}
	room := int(min(files-spareFiles, 1<<30))
	if limits.AllSockets > 0 && limits.AllSockets <= room {
		return nil
	}
	if limits.AllSockets > 0 {
		log.Warn("fewer sockets than --max-sockets: that is all that this process may open (ulimit -n)", "sockets", room, "files", files)
	}
	limits.AllSockets = room
	return nil
}
