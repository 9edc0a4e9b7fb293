package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// helperDir, set in the environment, makes the test binary a process that embeds a Postgres on
// that data directory, says so, and waits to be killed.
const helperDir = "PGTAPE_TEST_HELPER_DIR"

// hasty spares the disk: killed processes lose nothing by it, only a machine does.
var hasty = map[string]string{"fsync": "off"}

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		os.Exit(help(dir))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	parent, err := os.MkdirTemp("", "pgtape-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(parent)
	templateDir = filepath.Join(parent, "data")
	return m.Run()
}

func help(dir string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	c, err := Start(ctx, Options{DataDir: dir, Settings: hasty})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer c.Stop(ctx)
	fmt.Println("ready", c.Pid())
	_, _ = io.Copy(io.Discard, os.Stdin) // until our end or that of the test
	return 0
}

// helper is a process that embeds a Postgres.
type helper struct {
	cmd        *exec.Cmd
	postmaster int
}

func startHelper(t *testing.T, dir string) *helper {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	h := &helper{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, scanErr := fmt.Sscanf(line, "ready %d", &h.postmaster); err != nil || scanErr != nil {
		t.Fatalf("helper said %q: %v", line, err)
	}
	return h
}

func (h *helper) kill(t *testing.T) {
	t.Helper()
	must(t, h.cmd.Process.Kill())
	_ = h.cmd.Wait() // says that it was killed
}

// emptyDir is a new folder that every user can enter, unlike t.TempDir when we are root.
func emptyDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-test-")
	must(t, err)
	dir, err = filepath.EvalSymlinks(dir)
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func newDataDir(t *testing.T) string { return filepath.Join(emptyDir(t), "data") }

var templateDir string

// makeTemplate makes a data directory whose server was stopped in order; copies of it save most
// tests initdb.
var makeTemplate = sync.OnceValue(func() error {
	if err := os.Chmod(filepath.Dir(templateDir), 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	c, err := Start(ctx, Options{DataDir: templateDir, Settings: hasty})
	if err != nil {
		return err
	}
	if err := c.Stop(ctx); err != nil {
		return err
	}
	return os.Remove(filepath.Join(templateDir, recordFileName)) // each copy finds its port
})

func usedDataDir(t *testing.T) string {
	t.Helper()
	must(t, makeTemplate())
	dir := newDataDir(t)
	out, err := exec.Command("cp", "-a", templateDir, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("copying the template: %v: %s", err, out)
	}
	return dir
}

// start runs a server that is stopped at the end of the test; hasty if no settings are given.
func start(t *testing.T, o Options) *Cluster {
	t.Helper()
	c, err := tryStart(t, o)
	must(t, err)
	return c
}

func tryStart(t *testing.T, o Options) (*Cluster, error) {
	t.Helper()
	if o.Settings == nil {
		o.Settings = hasty
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c, err := Start(ctx, o)
	if err == nil {
		t.Cleanup(func() { stop(t, c) })
	}
	return c, err
}

func stop(t *testing.T, c *Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	must(t, c.Stop(ctx))
}

// ask runs one statement and returns its one value as text.
func ask(t *testing.T, url, sql string) string {
	t.Helper()
	answer, err := tryAsk(t, url, sql)
	must(t, err)
	return answer
}

func tryAsk(t *testing.T, url, sql string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var answer string
	err = conn.QueryRow(ctx, sql).Scan(&answer)
	return answer, err
}

func do(t *testing.T, url, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustContain(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Fatalf("error = %v, want one that says %q", err, part)
	}
}
