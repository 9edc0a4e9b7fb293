package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanGrace is how long an orphan may take for a fast shutdown before it is ended at once.
const orphanGrace = 20 * time.Second

// pidFile is what a postmaster tells in its postmaster.pid.
type pidFile struct {
	pid   int
	ready bool
}

func readPidFile(dir *dataDir) (pidFile, error) {
	text, err := dir.root.ReadFile(pidFilePath)
	if err != nil {
		return pidFile{}, err
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 0 {
		return pidFile{}, fmt.Errorf("postmaster.pid names no process: %q", lines[0])
	}
	return pidFile{pid: pid, ready: len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"}, nil
}

// stopOrphan ends a server that still runs on the data although the lock, which we hold, says
// that its owner is dead, and sees to it that a stale postmaster.pid does not block the next.
func stopOrphan(ctx context.Context, dir *dataDir, log *slog.Logger) error {
	text, err := readPidFile(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		// Empty or torn, as a crash of the machine leaves it: it never served anybody.
		log.Warn("removing an unreadable postmaster.pid", "data_dir", dir.path, "err", err)
		return dir.root.Remove(pidFilePath)
	}
	if isPostmasterOf(text.pid, dir.pgdata()) {
		log.Warn("stopping the postgres that an earlier process left behind", "pid", text.pid, "data_dir", dir.path)
		if err := endOrphan(ctx, text.pid, dir.pgdata()); err != nil {
			return err
		}
	}
	return disown(dir)
}

func endOrphan(ctx context.Context, pid int, pgdata string) error {
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stopping the orphaned Postgres process %d: %w", pid, err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	immediate := time.After(orphanGrace)
	for isPostmasterOf(pid, pgdata) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the orphaned Postgres process %d to stop: %w", pid, ctx.Err())
		case <-immediate:
			_ = syscall.Kill(pid, syscall.SIGQUIT) // fails only if it has ended
		case <-tick.C:
		}
	}
	return nil
}

// disown puts our own process id into a stale postmaster.pid. Postgres takes a live process of
// that id for a rival, which after a restart of the machine or container may be anything, but
// ignores its own parent. The file's other lines must stay: by the shared memory they name,
// Postgres notices backends that have outlived their postmaster.
func disown(dir *dataDir) error {
	text, err := dir.root.ReadFile(pidFilePath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the stale postmaster.pid: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	f, err := dir.root.OpenFile(pidFilePath, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("rewriting the stale postmaster.pid: %w", err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%d\n%s", os.Getpid(), rest); err != nil {
		return fmt.Errorf("rewriting the stale postmaster.pid: %w", err)
	}
	return f.Close()
}
