package dbtest

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// onSmallDisk is set for the process that runs a test of WithSmallDisk.
const onSmallDisk = "PGTAPE_TEST_ON_SMALL_DISK"

// WithSmallDisk runs a test with a folder that is a file system of its own, of so many bytes, in memory.
// The test's binary runs once more for it, this test alone and with mounts of its own: so none stays
// behind, however it ends. Where the kernel allows no such, the test is skipped.
func WithSmallDisk(t *testing.T, bytes int, run func(t *testing.T, dir string)) {
	t.Helper()
	if os.Getenv(onSmallDisk) != "" {
		run(t, smallDisk(t, bytes))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.v", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), onSmallDisk+"=1")
	if err := withOwnMounts(cmd); err != nil {
		t.Skip(err)
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EINVAL):
		t.Skipf("a process may not have mounts of its own here: %v", err)
	case err != nil:
		t.Fatalf("%v:\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("%s", out)
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Fatalf("it was not run:\n%s", out)
	default:
		t.Logf("%s", out)
	}
}

func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-test-") // not t.TempDir: the server's user has to get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	unmount, err := mountSmallDisk(dir, bytes)
	if err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(unmount)
	return dir
}
