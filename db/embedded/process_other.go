//go:build !linux

package embedded

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dieWithParent does nothing here: a server that outlives us is stopped at the next start.
func dieWithParent(*syscall.SysProcAttr) {}

// isPostmasterOf tells whether a process is the postmaster of a data directory, by its command
// line, which names the directory.
func isPostmasterOf(pid int, pgdata string) bool {
	if pid == os.Getpid() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false
	}
	line := strings.TrimSpace(string(out)) + " "
	return strings.Contains(line, "postgres") && strings.Contains(line, " -D "+pgdata+" ")
}
