package embedded

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestKeepsDataAndPortAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	first := start(t, Options{DataDir: dir, Settings: map[string]string{}})
	if first.Version() == "" || first.DataDir() != dir || first.Superuser() != "postgres" {
		t.Fatalf("the server tells version %q, data %q, superuser %q", first.Version(), first.DataDir(), first.Superuser())
	}
	if got := ask(t, first.URL("postgres", "postgres"), "show fsync"); got != "on" {
		t.Fatalf("fsync = %q unasked", got)
	}
	do(t, first.URL("postgres", "postgres"), "create table kept as select 'here' as word")
	stop(t, first)
	stop(t, first) // does nothing
	if err := first.Err(); err != nil {
		t.Fatalf("after Stop: %v", err)
	}
	if _, err := tryAsk(t, first.URL("postgres", "postgres"), "select 1"); err == nil {
		t.Fatal("the server answers after Stop")
	}

	second := start(t, Options{DataDir: dir})
	if got := ask(t, second.URL("postgres", "postgres"), "select word from kept"); got != "here" {
		t.Fatalf("kept = %q", got)
	}
	if first.Port() != second.Port() {
		t.Fatalf("the port was %d and is %d", first.Port(), second.Port())
	}
}

func TestListensPrivately(t *testing.T) {
	t.Parallel()
	c := start(t, Options{DataDir: newDataDir(t)})
	admin := c.URL("postgres", "postgres")

	if got := ask(t, admin, "show listen_addresses"); got != "127.0.0.1" {
		t.Errorf("listen_addresses = %q", got)
	}
	info, err := os.Stat(c.SocketDir())
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder has mode %v", info.Mode())
	}
	password, err := c.SuperuserPassword()
	must(t, err)
	for _, wrong := range []string{"", "postgres", password + "x"} {
		_, err := tryAsk(t, c.TCPURL("postgres", wrong, "postgres"), "select 'in'")
		var pgErr *pgconn.PgError
		if wrong != "" && (!errors.As(err, &pgErr) || pgErr.Code != "28P01") {
			t.Errorf("a wrong password over TCP gives %v", err)
		}
		if err == nil {
			t.Errorf("password %q is let in over TCP", wrong)
		}
	}
	if got := ask(t, c.TCPURL("postgres", password, "postgres"), "select 'in'"); got != "in" {
		t.Errorf("over TCP: %q", got)
	}
	for _, file := range []string{passwordFileName, logFileName, lockFileName} {
		info, err := os.Stat(filepath.Join(c.DataDir(), file))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c := start(t, Options{DataDir: newDataDir(t), Settings: map[string]string{
		"fsync": "off", "max_connections": "30", "log_line_prefix": "a 'b' \"c\" ",
	}})
	for setting, want := range map[string]string{
		"wal_level":             "logical",
		"max_replication_slots": "20",
		"max_wal_senders":       "20",
		"max_connections":       "30",
		"fsync":                 "off",
		"synchronous_commit":    "on",
		"log_line_prefix":       "a 'b' \"c\" ",
		"server_encoding":       "UTF8",
	} {
		if got := ask(t, c.URL("postgres", "postgres"), "show "+setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	if got := ask(t, c.URL("postgres", "postgres"), "select string_agg(w, ' ' order by w) from unnest('{b,a,Z}'::text[]) w"); got != "Z a b" {
		t.Errorf("text is sorted %q, not by bytes", got)
	}
}

func TestRefusesSettingsThatWouldOpenTheServer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"listen_addresses", "Listen-Addresses", "hba_file", "port", "x y", "", "fsync=off"} {
		dir := newDataDir(t)
		if _, err := tryStart(t, Options{DataDir: dir, Settings: map[string]string{name: "*"}}); err == nil {
			t.Errorf("%q is accepted", name)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: the data directory is made all the same", name)
		}
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	h := startHelper(t, dir)
	_, err := tryStart(t, Options{DataDir: dir})
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("err = %v, want ErrInUse", err)
	}
	mustContain(t, err, strconv.Itoa(h.cmd.Process.Pid))
	mustContain(t, err, dir)

	e, err := Attach(dir)
	must(t, err)
	if got := ask(t, e.URL("postgres", "postgres"), "select 'still up'"); got != "still up" {
		t.Fatal(got)
	}
}

func TestSecondStartInTheSameProcessIsRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Options{DataDir: usedDataDir(t)})
	if _, err := tryStart(t, Options{DataDir: c.DataDir()}); !errors.Is(err, ErrInUse) {
		t.Fatalf("err = %v, want ErrInUse", err)
	}
	if got := ask(t, c.URL("postgres", "postgres"), "select 'still up'"); got != "still up" {
		t.Fatal(got)
	}
}

func TestTerminalSignalsReachOnlyUs(t *testing.T) {
	t.Parallel()
	c := start(t, Options{DataDir: usedDataDir(t)})
	group, err := syscall.Getpgid(c.Pid())
	must(t, err)
	if group != c.Pid() {
		t.Fatalf("the server %d is in the process group %d", c.Pid(), group)
	}
}

func TestReportsAnUnexpectedEnd(t *testing.T) {
	t.Parallel()
	c := start(t, Options{DataDir: usedDataDir(t)})
	if err := c.Err(); err != nil {
		t.Fatalf("while it runs: %v", err)
	}
	must(t, syscall.Kill(c.Pid(), syscall.SIGKILL))
	select {
	case <-c.Done():
	case <-time.After(10 * time.Minute):
		t.Fatal("the end is not noticed")
	}
	mustContain(t, c.Err(), "killed")
}

func TestStopEndsAtOnceWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	c := start(t, Options{DataDir: dir})
	do(t, c.URL("postgres", "postgres"), "create table kept as select 'here' as word")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, c.Stop(over))

	again := start(t, Options{DataDir: dir})
	if got := ask(t, again.URL("postgres", "postgres"), "select word from kept"); got != "here" {
		t.Fatalf("kept = %q", got)
	}
}

func TestGivesUpWhenToldTo(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(over, Options{DataDir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v, want context.Canceled", err)
	}
	// Nothing half-made is in the way of the next.
	start(t, Options{DataDir: dir})
}

func TestServerThatIsNotWaitedForIsEnded(t *testing.T) {
	t.Parallel()
	path := usedDataDir(t)
	dir, err := openDataDir(path)
	must(t, err)
	bin, err := binariesFor(t.Context(), dir, "", slog.New(slog.DiscardHandler), nil)
	must(t, err)
	sockets, err := prepareSocketDir(dir)
	must(t, err)
	c := &Cluster{dir: dir, Endpoint: Endpoint{dataDir: dir.path, record: record{BinDir: bin.Dir, SocketDir: sockets}}}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.launch(over, 0, hasty); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v, want context.Canceled", err)
	}
	select {
	case <-c.server.done:
	default:
		t.Fatal("the server was left running")
	}
	dir.close()
	start(t, Options{DataDir: path})
}

func TestPorts(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	_, err = tryStart(t, Options{DataDir: usedDataDir(t), Port: port})
	mustContain(t, err, strconv.Itoa(port))

	dir := usedDataDir(t)
	c := start(t, Options{DataDir: dir})
	was := c.Port()
	stop(t, c)
	squatter, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(was)))
	must(t, err)
	defer squatter.Close()
	if c := start(t, Options{DataDir: dir}); c.Port() == was {
		t.Fatal("the port is somebody else's")
	}
}

func TestAwkwardPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		`with space & "quotes" + 100%[x]`,
		"with,comma",
		strings.Repeat("long", 30),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(emptyDir(t), name)
			c := start(t, Options{DataDir: dir})
			if got := ask(t, c.URL("postgres", "postgres"), "show data_directory"); got != filepath.Join(dir, "pgdata") {
				t.Fatalf("data_directory = %q", got)
			}
			if psql := FindPsql(c.BinDir()); psql != "" {
				out, err := exec.Command(psql, "-XAtc", "select 'in'", c.URL("postgres", "postgres")).CombinedOutput()
				if err != nil || strings.TrimSpace(string(out)) != "in" {
					t.Fatalf("psql: %v: %s", err, out)
				}
			}
			outside := !strings.HasPrefix(c.SocketDir(), dir)
			stop(t, c)
			if _, err := os.Stat(c.SocketDir()); outside && err == nil {
				t.Fatalf("%s is left behind", c.SocketDir())
			}
		})
	}
}

func TestRefusesADirectoryOfOthers(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	must(t, os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o600))
	_, err := tryStart(t, Options{DataDir: dir})
	mustContain(t, err, "thesis.tex")
	_, err = tryStart(t, Options{})
	mustContain(t, err, "no data directory")
}

func TestAttach(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	if _, err := Attach(dir); !errors.Is(err, ErrNotRunning) {
		t.Fatalf("before the first start: %v", err)
	}
	c := start(t, Options{DataDir: dir})
	e, err := Attach(dir)
	must(t, err)
	if e != c.Endpoint {
		t.Fatalf("Attach gives %+v, the server is %+v", e, c.Endpoint)
	}
	stop(t, c)
	if _, err := Attach(dir); !errors.Is(err, ErrNotRunning) {
		t.Fatalf("after Stop: %v", err)
	}
}
