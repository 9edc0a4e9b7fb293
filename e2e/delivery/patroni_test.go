package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
)

// patroni is a cluster of two Postgres that Patroni keeps, with an etcd of its own.
type patroni struct {
	t       *testing.T
	dir     string
	etcd    int // port
	binDir  string
	members []*member
}

type member struct {
	name          string
	rest, port    int
	data          string
	configuration string
	process       *os.Process
}

// TestPatroni has Patroni change the primary, once because it is told to and once because the machine
// of the primary is gone. As in TestFailover, commits wait for the standby.
func TestPatroni(t *testing.T) {
	if !*underPatroni {
		t.Skip("with -delivery.patroni only")
	}
	p := newPatroni(t)
	f := &failover{world: &world{t: t, dir: p.dir}}
	f.database = p.url(db.OwnServer, db.OwnDatabase)
	f.superuser = p.url("postgres", "postgres") + "&target_session_attrs=read-write"
	f.exec(fmt.Sprintf("create role %s login createrole password '%s'", db.OwnOwner, password))
	f.exec(fmt.Sprintf("create database %s owner %s", db.OwnDatabase, db.OwnOwner))
	if _, err := db.MigrateUp(t.Context(), p.url(db.OwnOwner, db.OwnDatabase)); err != nil {
		t.Fatal(err)
	}
	f.exec(fmt.Sprintf("create role %s login replication password '%s' in role pgtape_server", db.OwnServer, password))
	f.superuser = p.url("postgres", db.OwnDatabase) + "&target_session_attrs=read-write"
	for _, market := range markets {
		f.exec("select pgtape.create_market($1, 'Will it?', liquidity => 1000)", market)
	}
	f.trial(func() {
		began := time.Now()
		p.switchOver(p.members[0], p.members[1])
		f.awaitTradesAfterPromotion()
		t.Logf("switchover: somebody trades again %v after it was ordered", time.Since(began).Round(10*time.Millisecond))
		p.awaitStandby(p.members[0])
		f.awaitTrades(40)

		began = time.Now()
		p.kill(p.members[1])
		p.awaitPrimary(p.members[0])
		t.Logf("killed: promoted after %v", time.Since(began).Round(10*time.Millisecond))
		f.awaitTradesAfterPromotion()
	})
}

func newPatroni(t *testing.T) *patroni {
	t.Helper()
	for _, program := range []string{"patroni", "etcd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: apt-get install patroni etcd-server", program)
		}
	}
	programs, err := embedded.FindBinaries(dbtest.BinDir(t))
	must(t, err)
	dir, err := os.MkdirTemp("", "pgtape-patroni-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &patroni{t: t, dir: dir, binDir: programs.Dir, etcd: freePort(t)}
	p.own(dir)
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", p.etcd), fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	p.run("etcd", "--data-dir", filepath.Join(dir, "etcd"), "--log-level", "error",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
	for _, name := range []string{"one", "two"} {
		m := &member{name: name, rest: freePort(t), port: freePort(t), data: filepath.Join(dir, name)}
		m.configuration = filepath.Join(dir, name+".yml")
		p.members = append(p.members, m)
		p.configure(m)
		m.process = p.run("patroni", m.configuration)
		if name == "one" {
			p.awaitPrimary(m)
		}
	}
	p.awaitStandby(p.members[1])
	return p
}

// configure writes what docs/failover.md recommends. The times are the shortest that Patroni takes.
func (p *patroni) configure(m *member) {
	p.t.Helper()
	text := fmt.Sprintf(`
scope: pgtape
name: %[1]s
restapi: {listen: "127.0.0.1:%[2]d", connect_address: "127.0.0.1:%[2]d"}
etcd3: {host: "127.0.0.1:%[3]d"}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters: {wal_level: logical, max_connections: 60, shared_buffers: 32MB}
  initdb: [{encoding: UTF8}, data-checksums]
postgresql:
  listen: "127.0.0.1:%[4]d"
  connect_address: "127.0.0.1:%[4]d"
  data_dir: "%[5]s"
  bin_dir: %[6]q
  pgpass: "%[5]s.pgpass"
  authentication:
    superuser: {username: postgres, password: %[7]s}
    replication: {username: replicator, password: %[7]s}
  parameters: {unix_socket_directories: %[8]q}
  pg_hba:
    - local all all trust
    - host all all 127.0.0.1/32 md5
    - host replication replicator 127.0.0.1/32 md5
`, m.name, m.rest, p.etcd, m.port, m.data, p.binDir, password, p.dir)
	must(p.t, os.WriteFile(m.configuration, []byte(text), 0o600))
	p.own(m.configuration)
}

// run starts a program as a user who may run Postgres.
func (p *patroni) run(program string, args ...string) *os.Process {
	p.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = p.dir
	log, err := os.OpenFile(filepath.Join(p.logs(), "patroni.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(p.t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if uid, gid, other := p.account(); other {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	must(p.t, cmd.Start())
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // Patroni stops its Postgres
		_ = cmd.Wait()
	})
	return cmd.Process
}

func (p *patroni) logs() string {
	if *keep != "" {
		return *keep
	}
	return p.dir
}

// account is another than ours if we are root, as whom Postgres does not run.
func (p *patroni) account() (uid, gid int, other bool) {
	p.t.Helper()
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	account, err := user.Lookup("postgres")
	must(p.t, err)
	uid, _ = strconv.Atoi(account.Uid)
	gid, _ = strconv.Atoi(account.Gid)
	return uid, gid, true
}

func (p *patroni) own(path string) {
	p.t.Helper()
	if uid, gid, other := p.account(); other {
		must(p.t, os.Chown(path, uid, gid))
	}
}

// url names both servers, as docs/failover.md recommends.
func (p *patroni) url(role, database string) string {
	var hosts []string
	for _, m := range p.members {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", m.port))
	}
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", role, password, strings.Join(hosts, ","), database)
}

// get asks a member's REST API, as a load balancer does.
func (p *patroni) get(m *member, path string) int {
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", m.rest, path))
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func (p *patroni) await(m *member, path string) {
	p.t.Helper()
	for deadline := time.Now().Add(recoverWithin); p.get(m, path) != http.StatusOK; pause(context.Background(), 10*time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s never said that it is %s", m.name, path)
		}
	}
}

func (p *patroni) awaitPrimary(m *member) { p.t.Helper(); p.await(m, "/primary") }

// awaitStandby waits until commits wait for a member.
func (p *patroni) awaitStandby(m *member) { p.t.Helper(); p.await(m, "/synchronous") }

// switchOver orders a change of the primary, and waits for it.
func (p *patroni) switchOver(from, to *member) {
	p.t.Helper()
	order, _ := json.Marshal(map[string]string{"leader": from.name, "candidate": to.name}) // cannot fail
	answer, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/switchover", from.rest), "application/json", strings.NewReader(string(order)))
	must(p.t, err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		p.t.Fatalf("switchover: %s", answer.Status)
	}
	p.awaitPrimary(to)
}

// kill is a machine that loses its power: Patroni and Postgres end at once.
func (p *patroni) kill(m *member) {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.data, "postmaster.pid"))
	must(p.t, err)
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	must(p.t, err)
	_ = m.process.Kill()
	dbtest.SignalPostgres(pid, syscall.SIGKILL)
}
