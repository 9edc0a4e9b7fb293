package embedded

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent has the kernel order a fast shutdown of the server when we die, even by kill -9.
func dieWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGINT
}

// isPostmasterOf tells whether a process is the postmaster of a data directory: that is where a
// postmaster works, and programs of other kinds that got the same process id do not.
func isPostmasterOf(pid int, pgdata string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	exe, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil || pid == os.Getpid() {
		return false
	}
	// Packages wrap the program, and an upgrade under a running server adds to its name.
	if !strings.Contains(filepath.Base(exe), "postgres") {
		return false
	}
	at, err := os.Stat(filepath.Join(proc, "cwd"))
	if err != nil {
		return false
	}
	want, err := os.Stat(pgdata)
	return err == nil && os.SameFile(at, want)
}
