package server_test

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	users "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server"
)

// behindBouncer runs a PgBouncer in front of a test's database, in transaction mode with two
// connections, and returns a URL through it of a login that may act as the server, and its name.
func behindBouncer(t *testing.T, d *dbtest.DB) (through, login string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			t.Skip("there is no PgBouncer here: scripts/setup test installs it")
		}
	}
	login = "pooled_" + strings.ToLower(rand.Text()[:8])
	d.Exec(t, "create role "+login+" login")
	d.Exec(t, "grant pgtape_server to "+login)

	target, err := url.Parse(d.URL())
	must(t, err)
	host, port := target.Hostname(), target.Port()
	if query := target.Query(); query.Get("host") != "" {
		host, port = query.Get("host"), query.Get("port")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	_, listens, err := net.SplitHostPort(address)
	must(t, err)
	must(t, listener.Close())

	dir, err := os.MkdirTemp("", "pgtape-bouncer-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	list, config := filepath.Join(dir, "users"), filepath.Join(dir, "ini")
	must(t, os.WriteFile(list, fmt.Appendf(nil, "\"%s\" \"\"\n", login), 0o644))
	must(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 2
`, host, port, listens, list), 0o644))
	command := exec.Command(program, config)
	command.Stderr = t.Output()
	if os.Getuid() == 0 { // which it refuses
		command.SysProcAttr = &syscall.SysProcAttr{Credential: notRoot(t)}
	}
	must(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("PgBouncer does not listen")
		}
	}
	return fmt.Sprintf("postgres://%s@%s%s?sslmode=disable", login, address, target.Path), login
}

// notRoot is a user who is not root: the one that Postgres runs as there, if there is one.
func notRoot(t *testing.T) *syscall.Credential {
	t.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := users.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Skip("there is nobody to run PgBouncer as")
	return nil
}

// Behind a pooler that gives a connection for a transaction each, with the reader past it, everything
// works as without, and the cache is as exact.
func TestAServerWorksBehindAPooler(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	through, login := behindBouncer(t, d)
	_, err := db.Open(t.Context(), through, db.Options{AsServer: true, Pooled: true})
	if db.CodeOf(err) != db.NotPermitted || !strings.Contains(err.(*db.Error).Hint, "alter role") {
		t.Fatalf("the server has given up no right, and says %v", err)
	}
	d.Exec(t, "alter role "+login+" set role = pgtape_server")
	d.Exec(t, "alter role "+login+" set jit = off")
	d.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where usename = '"+login+"'")

	var pool *db.DB
	for deadline := time.Now().Add(patience); ; { // until it knows that its connections are gone
		if pool, err = db.Open(t.Context(), through, db.Options{AsServer: true, Pooled: true}); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	t.Cleanup(pool.Close)
	s := openOn(t, d, func(c *server.Config) { c.DB = pool })
	slug := d.Market(t)
	s.follow(t)

	var trading sync.WaitGroup
	for i := range 10 {
		trading.Go(func() {
			u := s.signIn(t, fmt.Sprint("trader", i))
			for range 10 {
				receipt := u.trade(t, slug, buyTen)
				var portfolio struct{ Positions []db.Position }
				u.get(t, "/api/v1/portfolio").read(t, &portfolio)
				if len(portfolio.Positions) != 1 || portfolio.Positions[0].Shares != receipt.Position {
					t.Errorf("has %v, and his receipt says %s", portfolio.Positions, receipt.Position)
				}
			}
		})
	}
	trading.Wait()
	for _, path := range []string{"/api/v1/markets", "/api/v1/markets/" + slug + "/holders", "/api/v1/leaderboard", "/calibration", "/m/" + slug, "/u/trader1"} {
		if got := s.nobody().get(t, path); got.status != http.StatusOK {
			t.Errorf("%s: %s", path, got)
		}
	}
	if how := s.nobody().get(t, "/api/v1/markets").header.Get("X-Cache"); how != "hit" {
		t.Errorf("a %s", how)
	}
	var connections int
	must(t, d.Pool().QueryRow(t.Context(), "select count(*) from pg_stat_activity where usename = $1", login).Scan(&connections))
	if connections < 1 || connections > 2 {
		t.Errorf("%d connections, want those of the pooler", connections)
	}
	d.Verify(t)
}
