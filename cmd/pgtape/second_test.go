package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
	"github.com/pgtape/pgtape/server"
)

// Of the second instance, the other shell, the machine with less.

func TestOfTwoThatRunNeitherIsTakenSilently(t *testing.T) {
	t.Parallel()
	if _, err := onlyOne(make([]embedded.Endpoint, 2), nil); db.CodeOf(err) != db.InvalidRequest {
		t.Errorf("of two: %v", err)
	}
	if d, err := onlyOne(make([]embedded.Endpoint, 1), embedded.ErrNotRunning); err != nil || d.at == nil {
		t.Errorf("of one: %v", err)
	}
	if _, err := onlyOne(nil, embedded.ErrNotRunning); db.CodeOf(err) != db.Unavailable {
		t.Errorf("of none: %v", err)
	}
}

func TestAnEnvironmentThatNoFileNamesIsNoParent(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--from", "nonsense"}, {"--from", "production", "--env", "production"}} {
		code, _, stderr := pgtape(t, append([]string{"branch", "create", "fix", "--database-url", "postgres://127.0.0.1:1/none"}, args...)...)
		if code != 2 || !strings.Contains(stderr, "no such file") {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
}

func TestFewFilesAreToldAndBoundSockets(t *testing.T) {
	t.Parallel()
	quiet := slog.New(slog.DiscardHandler)
	for _, tt := range []struct {
		files      uint64
		asked, got int // got -1: refused
	}{
		{64, 10_000, -1}, {255, 10, -1}, {256, 10_000, 56}, {1024, 10_000, 824}, {1024, 500, 500}, {1 << 20, 10_000, 10_000}, {1024, 0, 824},
	} {
		limits := server.Limits{AllSockets: tt.asked}
		err := boundSockets(&limits, tt.files, quiet)
		if (err != nil) != (tt.got < 0) || err == nil && limits.AllSockets != tt.got {
			t.Errorf("%d files, %d sockets: %d (%v), want %d", tt.files, tt.asked, limits.AllSockets, err, tt.got)
		}
	}
}

func TestAClosedTerminalEndsACommandInOrder(t *testing.T) {
	t.Parallel()
	if !slices.Contains(endings(), os.Signal(syscall.SIGTERM)) || slices.Contains(endings(), os.Signal(syscall.SIGHUP)) == signal.Ignored(syscall.SIGHUP) {
		t.Errorf("ended by %v", endings())
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	line := &progressLine{out: write}
	line.show(false, "half")
	line.show(true, "all")
	line.end()
	write.Close()
	if text, err := io.ReadAll(read); len(text) > 0 || err != nil {
		t.Errorf("a pipe was told %q (%v)", text, err)
	}
}

// Markets and accounts can be taken out of no ledger: a load leaves the database that it is given alone.
func TestALoadLeavesNothingInTheDatabaseThatItIsGiven(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	start(t, "serve", "--data-dir", dir)
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	url := endpoint.URL(endpoint.Superuser(), db.OwnDatabase)
	const state = "select (select count(*) from pgtape.markets), (select count(*) from pgtape.accounts), string_agg(datname, ' ' order by datname) from pg_database"
	before, err := db.Query(t.Context(), url, state)
	if err != nil {
		t.Fatal(err)
	}
	wantTold(t, 0, `"accepted":`, "bench", "--database-url", url, "--scenario", "lone", "--duration", "300ms", "--json")
	wantTold(t, 0, `"accepted":`, "bench", "--database-url", url, "--rival", "direct", "--clients", "2", "--markets", "2", "--duration", "300ms", "--json")
	after, err := db.Query(t.Context(), url, state)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before.Rows, after.Rows) {
		t.Errorf("before %v, afterwards %v", before.Rows, after.Rows)
	}
	poor := endpoint.URL(db.OwnServer, db.OwnDatabase)
	wantTold(t, 2, "may not make databases", "bench", "--database-url", poor, "--duration", "300ms")
}

// What takes long is said while it takes: a registry that does not answer, for a data directory of a
// version that is not installed.
func TestADemoThatWaitsForTheNetworkSaysSo(t *testing.T) {
	t.Parallel()
	if found, err := embedded.FindBinaries(""); err == nil && strings.HasPrefix(found.Version, "18") {
		t.Skip("nothing is fetched: PostgreSQL 18 is installed")
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	dir, cache := dataDir(t), dataDir(t)
	for _, made := range []string{dir, cache} {
		if err := os.Chmod(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "pgtape.lock"), nil)
	if err := os.Mkdir(filepath.Join(dir, "pgdata"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "pgdata", "PG_VERSION"), []byte("18\n"))
	demo := command(context.WithoutCancel(t.Context()), "demo", "--data-dir", dir, "--listen", "127.0.0.1:0")
	demo.Env = append(demo.Env, "XDG_CACHE_HOME="+cache, "npm_config_registry=http://"+silent.Addr().String())
	r := &running{t: t}
	r.begin(demo)
	defer func() {
		if t.Failed() {
			t.Logf("the demo says:\n%s", r.output())
		}
	}()
	conn, err := silent.Accept() // it asks, and waits
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, want := range []string{"Starting PostgreSQL", "fetching one, once, from " + silent.Addr().String()} {
		dbtest.WaitUntil(t, fmt.Sprintf("the demo to say %q while it waits", want), func() bool { return strings.Contains(r.output(), want) })
	}
	if code := r.stop(syscall.SIGTERM); code == -1 {
		t.Errorf("it had to be killed:\n%s", r.output())
	}
}
