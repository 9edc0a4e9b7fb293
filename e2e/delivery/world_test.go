package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
	"github.com/pgtape/pgtape/e2e/link"
)

const (
	password = "delivery" // of the server's login, over TCP

	// replayLimit is small enough that the widest gaps get a snapshot.
	replayLimit = 3000
)

var markets = []string{"rain", "snow", "wind"}

// world is what is under test, and the histories that its database has had: each restore begins
// another.
type world struct {
	t         *testing.T
	dir       string
	binDir    string // of Postgres' programs
	settings  map[string]string
	port      int // of Postgres: the same after each start
	dbLink    *link.Link
	webLink   *link.Link
	node      *node
	floor     *floor
	database  string // URL for traders by SQL; empty: the socket, past the links
	superuser string // URL of the superuser's; empty: the socket

	mu       sync.Mutex // held while Postgres is stopped and started
	cluster  *embedded.Cluster
	backups  []string
	restores atomic.Int32

	histories []history // before each restore; the last one is added when all is over
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-delivery-") // one that the user of Postgres can reach
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{t: t, dir: dir, binDir: dbtest.BinDir(t), settings: map[string]string{
		"max_wal_size": "96MB", "min_wal_size": "32MB", // a backup is a copy
		"max_replication_slots": "4",
	}}
	dbtest.ProvisionedData(t, dir)
	w.start(0)
	w.port = w.cluster.Port()
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stop(syscall.SIGINT)
	})
	w.exec(fmt.Sprintf("alter role %s password '%s'", db.OwnServer, password))
	for _, market := range markets {
		w.exec("select pgtape.create_market($1, 'Will it?', liquidity => 1000)", market)
	}

	w.dbLink = w.newLink(net.JoinHostPort("127.0.0.1", fmt.Sprint(w.port)))
	w.node = newNode(t, w.databaseURL())
	w.webLink = w.newLink(w.node.listen)
	t.Cleanup(w.node.stop)
	return w
}

func (w *world) newLink(target string) *link.Link {
	w.t.Helper()
	l, err := link.New(target)
	must(w.t, err)
	w.t.Cleanup(l.Close)
	return l
}

// databaseURL is the node's way to Postgres, through the link.
func (w *world) databaseURL() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(db.OwnServer, password), Host: w.dbLink.Address(),
		Path: "/" + db.OwnDatabase, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// webURL is the clients' way to the node, through the link.
func (w *world) webURL() string { return "http://" + w.webLink.Address() }

// socketURL goes to Postgres by its socket, as one of its own roles: past the links.
func (w *world) socketURL(role string) string {
	return w.cluster.URL(role, db.OwnDatabase)
}

// admin connects as the superuser.
func (w *world) admin(ctx context.Context) (*pgx.Conn, error) {
	if w.superuser != "" {
		return pgx.Connect(ctx, w.superuser)
	}
	return pgx.Connect(ctx, w.socketURL(w.cluster.Superuser()))
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	must(w.t, w.tryExec(w.t.Context(), sql, args...))
}

func (w *world) tryExec(ctx context.Context, sql string, args ...any) error {
	conn, err := w.admin(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql, args...)
	return err
}

// start and stop are called with w.mu held, once others know the world.
func (w *world) start(port int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	for {
		c, err := embedded.Start(ctx, embedded.Options{DataDir: w.dir, BinDir: w.binDir, Port: port, Settings: w.settings})
		if err == nil {
			w.cluster = c
			return
		}
		if ctx.Err() != nil {
			must(w.t, err)
		}
		time.Sleep(100 * time.Millisecond) // the children of a killed postmaster take their time to end
	}
}

// stop ends Postgres by a signal: SIGINT fast, SIGQUIT immediately, SIGKILL without a chance.
func (w *world) stop(signal syscall.Signal) {
	w.t.Helper()
	if signal != syscall.SIGINT {
		_ = syscall.Kill(w.cluster.Pid(), signal)
		<-w.cluster.Done()
	}
	// A fast shutdown in the middle of a crash recovery may never end: then at once.
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	must(w.t, w.cluster.Stop(ctx))
}

func (w *world) restart(signal syscall.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop(signal)
	w.start(w.port)
}

// backup copies the data of a stopped Postgres. The two newest are kept.
func (w *world) backup() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop(syscall.SIGINT)
	to := filepath.Join(w.dir, fmt.Sprintf("backup%d", time.Now().UnixNano()))
	w.copy(w.data(), to)
	w.backups = append(w.backups, to)
	if len(w.backups) > 2 {
		must(w.t, os.RemoveAll(w.backups[0]))
		w.backups = w.backups[1:]
	}
	w.start(w.port)
}

// restore puts an older state of the database in the place of the present one, whose history is
// read first, where nobody else can reach it.
func (w *world) restore(random *rand.Rand) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop([]syscall.Signal{syscall.SIGINT, syscall.SIGQUIT}[random.IntN(2)])
	w.start(freePort(w.t))
	w.histories = append(w.histories, w.readHistory())
	w.stop(syscall.SIGINT)

	must(w.t, os.RemoveAll(w.data()))
	w.copy(w.backups[random.IntN(len(w.backups))], w.data())
	w.restores.Add(1) // before anybody can see what it brings
	w.start(w.port)
}

func (w *world) data() string { return filepath.Join(w.dir, "pgdata") }

// copy keeps owners and modes, which Postgres is particular about.
func (w *world) copy(from, to string) {
	w.t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		w.t.Fatalf("copying the database: %v\n%s", err, out)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
