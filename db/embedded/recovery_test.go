package embedded

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRecoversAfterKill9(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	h := startHelper(t, dir)
	e, err := Attach(dir)
	must(t, err)
	do(t, e.URL("postgres", "postgres"), "create table kept as select 'committed' as word")
	h.kill(t)

	c := start(t, Options{DataDir: dir})
	if got := ask(t, c.URL("postgres", "postgres"), "select word from kept"); got != "committed" {
		t.Fatalf("kept = %q", got)
	}
	if c.Pid() == h.postmaster || isPostmasterOf(h.postmaster, c.dir.pgdata()) {
		t.Fatalf("the postmaster %d of the killed process still runs", h.postmaster)
	}
}

func TestServerEndsWithItsProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child of its parent's death; elsewhere the next start stops it")
	}
	t.Parallel()
	dir := usedDataDir(t)
	h := startHelper(t, dir)
	h.kill(t)
	waitFor(t, "the server to end", func() bool {
		return !isPostmasterOf(h.postmaster, filepath.Join(dir, pgdataName))
	})
}

func TestKillOfServerAndProcessTogether(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	h := startHelper(t, dir)
	e, err := Attach(dir)
	must(t, err)
	do(t, e.URL("postgres", "postgres"), "create table kept as select 'committed' as word")
	must(t, syscall.Kill(h.postmaster, syscall.SIGKILL))
	h.kill(t)

	c := start(t, Options{DataDir: dir})
	if got := ask(t, c.URL("postgres", "postgres"), "select word from kept"); got != "committed" {
		t.Fatalf("kept = %q", got)
	}
}

// An orphan is made by starting the server without pgtape: nothing tells it to end.
func TestStopsAnOrphan(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	c := start(t, Options{DataDir: dir})
	s, err := newSettings(nil)
	must(t, err)
	args := append([]string{"-D", c.dir.pgdata()}, s.args(c.record)...)
	orphan := c.dir.account.command(filepath.Join(c.BinDir(), "postgres"), args...)
	stop(t, c)
	orphan.Dir = filepath.Join(dir, pgdataName)
	must(t, orphan.Start())
	ended := make(chan struct{})
	go func() { _ = orphan.Wait(); close(ended) }()
	t.Cleanup(func() { _ = orphan.Process.Kill(); <-ended })
	waitFor(t, "the orphan to answer", func() bool {
		_, err := tryAsk(t, c.URL("postgres", "postgres"), "select ''")
		return err == nil
	})
	do(t, c.URL("postgres", "postgres"), "create table kept as select 'by the orphan' as word")

	again := start(t, Options{DataDir: dir})
	select {
	case <-ended:
	default:
		t.Fatal("the orphan still runs")
	}
	if got := ask(t, again.URL("postgres", "postgres"), "select word from kept"); got != "by the orphan" {
		t.Fatalf("kept = %q", got)
	}
}

func TestStalePidFiles(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	c := start(t, Options{DataDir: dir})
	account := c.dir.account
	stop(t, c)

	// A live process of the server's own user, which Postgres would take for a postmaster.
	bystander := account.command("/bin/sleep", "600")
	must(t, bystander.Start())
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	alive := bystander.Process.Pid
	dead := exec.Command("true")
	must(t, dead.Run())

	pidFile := filepath.Join(dir, pgdataName, "postmaster.pid")
	for name, content := range map[string]string{
		"of a live process":  fmt.Sprintf("%d\n%s\n1700000000\n5432\n%s\n127.0.0.1\n  123456 7\nready   \n", alive, filepath.Dir(pidFile), c.SocketDir()),
		"of a dead process":  fmt.Sprintf("%d\n%s\n1700000000\n5432\n%s\n127.0.0.1\n  123456 7\nready   \n", dead.Process.Pid, filepath.Dir(pidFile), c.SocketDir()),
		"of this process":    fmt.Sprintf("%d\n", os.Getpid()),
		"empty":              "",
		"torn":               "\x00\x00\x00",
		"of process group 0": "0\n",
	} {
		must(t, os.WriteFile(pidFile, []byte(content), 0o600))
		if account.switched {
			must(t, os.Chown(pidFile, account.uid, account.gid))
		}
		lock := filepath.Join(dir, "run", fmt.Sprintf(".s.PGSQL.%d.lock", c.Port()))
		must(t, os.WriteFile(lock, fmt.Appendf(nil, "%d\n", alive), 0o600))

		again, err := tryStart(t, Options{DataDir: dir})
		if err != nil {
			t.Fatalf("a pid file %s: %v", name, err)
		}
		stop(t, again)
	}
	if err := bystander.Process.Signal(syscall.Signal(0)); err != nil {
		t.Fatalf("the bystander was harmed: %v", err)
	}
}

func TestHalfMadeDataIsReplaced(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	half := filepath.Join(dir, pgdataName+".new-KILLED")
	must(t, os.MkdirAll(half, 0o700))
	must(t, os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, lockFileName), []byte("1\n"), 0o600))
	start(t, Options{DataDir: dir})
	if _, err := os.Stat(half); err == nil {
		t.Fatal("the half-made data is left")
	}
}

func TestLogStaysBounded(t *testing.T) {
	t.Parallel()
	dir, err := openDataDir(newDataDir(t))
	must(t, err)
	defer dir.close()
	l, err := openLog(dir)
	must(t, err)
	defer l.close()
	_, err = l.file.WriteString(strings.Repeat("0123456789abcde\n", logBound/16+1))
	must(t, err)
	must(t, l.trim())
	_, err = l.file.WriteString("last words\n")
	must(t, err)
	if got := l.tail(); got != "last words" {
		t.Fatalf("tail = %.80q", got)
	}
	old, err := os.Stat(filepath.Join(dir.path, oldLogName))
	must(t, err)
	if old.Size() != logBound {
		t.Fatalf("the old log has %d bytes", old.Size())
	}
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := tryStart(t, Options{DataDir: usedDataDir(t), Settings: map[string]string{"shared_buffers": "plenty"}})
	mustContain(t, err, "shared_buffers")
}

// waitFor polls what no event tells: the state of processes that are not our children.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
