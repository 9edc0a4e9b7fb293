package dbtest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

// Pair is two Postgres, of which the second replicates the first until it is promoted. Both begin as
// copies of ProvisionedData.
type Pair struct {
	First, Second *Node
}

// Node is one server of a pair.
type Node struct {
	*embedded.Cluster
	t        testing.TB
	dir      string
	port     int
	settings map[string]string
}

// NewPair starts a pair, the first with settings given as name and value by turns.
func NewPair(t testing.TB, settings ...string) *Pair {
	t.Helper()
	chosen := map[string]string{"fsync": "off", "shared_buffers": "32MB"} // max_connections as in the data, which a standby insists on
	for i := 0; i < len(settings); i += 2 {
		chosen[settings[i]] = settings[i+1]
	}
	p := &Pair{First: newNode(t, chosen), Second: newNode(t, chosen)}
	p.First.Start()
	p.Second.Follow(p.First)
	return p
}

func newNode(t testing.TB, settings map[string]string) *Node {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-test-") // not t.TempDir: the server's user has to get in
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{t: t, dir: dir, settings: maps.Clone(settings)}
	ProvisionedData(t, dir)
	n.allowReplication()
	t.Cleanup(func() {
		if n.Cluster != nil {
			n.Signal(syscall.SIGCONT)
			n.Stop()
		}
		os.RemoveAll(dir)
	})
	return n
}

// Start starts the server: always on the same port.
func (n *Node) Start() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(n.t.Context()), time.Minute)
	defer cancel()
	for {
		cluster, err := embedded.Start(ctx, embedded.Options{DataDir: n.dir, BinDir: BinDir(n.t), Port: n.port, Settings: n.settings})
		if err == nil {
			n.Cluster, n.port = cluster, cluster.Port()
			return
		}
		if ctx.Err() != nil {
			n.t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // the children of a killed postmaster take their time to end
	}
}

// Stop stops it in order, if it runs: what it has written is sent to who follows.
func (n *Node) Stop() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(n.t.Context()), 15*time.Second)
	defer cancel()
	if err := n.Cluster.Stop(ctx); err != nil {
		n.t.Error(err)
	}
}

// Follow starts the server as a standby of another.
func (n *Node) Follow(primary *Node) {
	n.t.Helper()
	n.settings["primary_conninfo"] = fmt.Sprintf("host=%s port=%d user=%s application_name=standby",
		primary.SocketDir(), primary.Port(), primary.Superuser())
	n.settings["recovery_target_timeline"] = "latest"
	n.settings["wal_retrieve_retry_interval"] = "100ms"
	n.keep("standby.signal")
	n.Start()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var streaming bool
		err := primary.Row(&streaming, "select exists (select from pg_stat_replication where state = 'streaming')")
		if err == nil && streaming {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("the standby does not stream: %v", err)
		}
	}
}

// Promote makes a standby a primary.
func (n *Node) Promote() {
	n.t.Helper()
	var done bool
	if err := n.Row(&done, "select pg_promote(wait_seconds => 30)"); err != nil || !done {
		n.t.Fatalf("promoting: %v %v", done, err)
	}
}

// Primary says whether the server takes writes.
func (n *Node) Primary(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, n.URL(n.Superuser(), "postgres"))
	if err != nil {
		return false
	}
	defer conn.Close(ctx)
	var recovery bool
	err = conn.QueryRow(ctx, "select pg_is_in_recovery()").Scan(&recovery)
	return err == nil && !recovery
}

// Exec runs a statement as the superuser on pgtape's database.
func (n *Node) Exec(statement string) {
	n.t.Helper()
	ctx := context.WithoutCancel(n.t.Context())
	conn, err := pgx.Connect(ctx, n.URL(n.Superuser(), db.OwnDatabase))
	if err == nil {
		_, err = conn.Exec(ctx, statement)
		conn.Close(ctx)
	}
	if err != nil {
		n.t.Fatalf("%s: %v", statement, err)
	}
}

// Row reads one value as the superuser.
func (n *Node) Row(into any, query string) error {
	ctx := context.WithoutCancel(n.t.Context())
	conn, err := pgx.Connect(ctx, n.URL(n.Superuser(), "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, query).Scan(into)
}

// Signal is SignalPostgres for this server.
func (n *Node) Signal(signal syscall.Signal) { SignalPostgres(n.Pid(), signal) }

// SignalPostgres sends a signal to a postmaster and to all its children, as when a machine hangs
// (SIGSTOP), goes on (SIGCONT) or loses its power (SIGKILL). For the last, all are stopped before: a
// backend that outlives the postmaster by a moment ends its wait for a standby, and others see its commit.
func SignalPostgres(pid int, signal syscall.Signal) {
	if signal == syscall.SIGKILL {
		SignalPostgres(pid, syscall.SIGSTOP)
	}
	all := children(pid)          // who has lost its parent is nobody's child
	_ = syscall.Kill(pid, signal) // an error: it has ended
	for _, child := range append(all, children(pid)...) {
		_ = syscall.Kill(child, signal)
	}
}

// children are the processes whose parent is pid.
func children(pid int) (list []int) {
	processes, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range processes {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if child, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}

// URLs names the servers in one URL, in this order, for a role with a password.
func URLs(role, password, database string, nodes ...*Node) string {
	var hosts []string
	for _, n := range nodes {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", n.Port()))
	}
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", role, password, strings.Join(hosts, ","), database)
}

func (n *Node) pgdata(name string) string { return filepath.Join(n.dir, "pgdata", name) }

// keep makes an empty file of the server's.
func (n *Node) keep(name string) {
	n.t.Helper()
	if err := os.WriteFile(n.pgdata(name), nil, 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.own(n.pgdata(name))
}

func (n *Node) own(path string) {
	n.t.Helper()
	data, err := os.Stat(n.pgdata(""))
	if err != nil {
		n.t.Fatal(err)
	}
	if owner, ok := data.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Getuid() {
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			n.t.Fatal(err)
		}
	}
}

// allowReplication lets the superuser replicate through the socket.
func (n *Node) allowReplication() {
	n.t.Helper()
	path := n.pgdata("pg_hba.conf")
	rules, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append([]byte("local replication "+embeddedSuperuser+" trust\n"), rules...), 0o600)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

const embeddedSuperuser = "postgres"

// CaughtUp says whether the second has replayed all that the first has written.
func (p *Pair) CaughtUp() (caught bool) {
	err := p.First.Row(&caught, "select coalesce(bool_and(replay_lsn >= pg_current_wal_flush_lsn()), false) from pg_stat_replication")
	return err == nil && caught
}
