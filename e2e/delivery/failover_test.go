package delivery

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// tradesWithin is how soon after a promotion somebody must have traded again.
const tradesWithin = 5 * time.Second

// readyWithin is how soon readiness is told whatever the database does.
const readyWithin = 2 * time.Second

// failover is a world with two Postgres, and what is done to it.
type failover struct {
	*world
	pair *dbtest.Pair // nil: they are in the hands of a cluster manager
}

// TestFailover has a standby take over in the ways that happen. The commits of the first server wait
// for the second, so everything that was acknowledged is safe: nothing of it may be lost, nothing
// that anybody was told may be taken back or told twice, and no answer may be a 500.
func TestFailover(t *testing.T) {
	for _, s := range []struct {
		name string
		long bool // only with -delivery.failovers
		act  func(*failover)
	}{
		{"the first server hangs", false, func(f *failover) { f.trial(f.hang) }},
		{"the second server stalls, and takes over without what has waited", false, func(f *failover) { f.trial(f.stallAndLose) }},
		{"the second server stalls, and takes over", true, func(f *failover) { f.trial(f.stallAndTakeOver) }},
		{"the second server stalls, and goes on", true, func(f *failover) { f.trial(f.stallAndGoOn) }},
		{"the first server is killed", true, func(f *failover) { f.trial(f.kill) }},
		{"behind HAProxy the servers change places", true, func(f *failover) {
			f.behindHAProxy(func() { f.trial(f.switchOver) })
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			if s.long && !*failovers {
				t.Skip("with -delivery.failovers only")
			}
			t.Parallel()
			s.act(newFailover(t))
		})
	}
}

func newFailover(t *testing.T) *failover {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-failover-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f := &failover{pair: dbtest.NewPair(t, "wal_sender_timeout", "10s")}
	f.world = &world{t: t, dir: dir, cluster: f.pair.First.Cluster}
	f.exec(fmt.Sprintf("alter role %s password '%s'", db.OwnServer, password))
	for _, market := range markets {
		f.exec("select pgtape.create_market($1, 'Will it?', liquidity => 1000)", market)
	}
	return f
}

// trial runs a server and everybody who trades and watches, has the standby take over, and judges.
func (f *failover) trial(takeOver func()) {
	t := f.t
	url := f.database
	if url == "" {
		url = dbtest.URLs(db.OwnServer, password, db.OwnDatabase, f.pair.First, f.pair.Second)
	}
	f.database = url
	f.node = newNode(t, url)
	t.Cleanup(f.node.stop)
	f.webLink = f.newLink(f.node.listen)
	f.dbLink = f.webLink // nothing is done to it
	f.node.awaitReady(t)
	f.floor = newFloor(f.world)
	audience := newAudience(f.world)
	if f.pair != nil {
		f.exec("alter system set synchronous_standby_names = 'standby'")
		f.exec("select pg_reload_conf()")
		f.exec("checkpoint")  // the process that makes it is the one that has commits wait from now on
		f.awaitSignsOfLife(3) // by which the reader hears of it
	}
	f.floor.begin()
	f.awaitTrades(20)
	takeOver()
	f.settle(audience)
	f.floor.end()
	audience.end()
	f.histories = append(f.histories, f.readHistory())
	for _, x := range audience.watchers {
		for _, market := range markets {
			for _, wrong := range judge(f.histories, market, x.told[market]) {
				t.Errorf("%s, %s: %s", x.name, market, wrong)
			}
		}
	}
	if err := f.floor.audit(); err != nil {
		t.Error(err)
	}
	t.Logf("%d trades acknowledged, %d of them sent again; nothing lost, nothing twice", len(f.floor.acks), f.floor.repeated)
}

// awaitTrades waits until so many more trades have been acknowledged.
func (f *failover) awaitTrades(n int) {
	f.t.Helper()
	for want, deadline := f.floor.acknowledged()+n, time.Now().Add(recoverWithin); f.floor.acknowledged() < want; pause(context.Background(), 5*time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("%d trades were waited for in vain", n)
		}
	}
}

// promote has the second server take over, and waits until somebody has traded there.
func (f *failover) promote() {
	f.t.Helper()
	f.pair.Second.Promote()
	f.mu.Lock()
	f.cluster = f.pair.Second.Cluster
	f.mu.Unlock()
	f.awaitTradesAfterPromotion()
}

func (f *failover) awaitTradesAfterPromotion() {
	f.t.Helper()
	began := time.Now()
	f.awaitTrades(1)
	after := time.Since(began)
	f.t.Logf("somebody trades %v after the promotion", after.Round(time.Millisecond))
	if after > tradesWithin {
		f.t.Errorf("somebody trades only %v after the promotion", after)
	}
	f.awaitTrades(20)
}

func (f *failover) hang() {
	f.pair.First.Signal(syscall.SIGSTOP)
	f.readyAnswers()
	f.promote()
	f.pair.First.Signal(syscall.SIGKILL) // what is left of it is fenced, as a cluster manager does
}

// readyAnswers makes sure that readiness is told at once while the database hangs.
func (f *failover) readyAnswers() {
	f.t.Helper()
	began := time.Now()
	answer, err := http.Get("http://" + f.node.listen + "/readyz")
	if err != nil {
		f.t.Errorf("/readyz: %v", err)
		return
	}
	answer.Body.Close()
	if took := time.Since(began); answer.StatusCode != http.StatusServiceUnavailable || took > readyWithin {
		f.t.Errorf("/readyz took %v to say %s", took, answer.Status)
	}
}

// stall has the second server take nothing more, until commits wait for it and the reader has had the
// time to show what it must not.
func (f *failover) stall(signsOfLife int) {
	f.t.Helper()
	f.pair.Second.Signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(recoverWithin); ; pause(context.Background(), 20*time.Millisecond) {
		var waiting bool // one may be all: the others then wait for its market
		must(f.t, f.pair.First.Row(&waiting, "select exists (select from pg_stat_activity where wait_event = 'SyncRep')"))
		if waiting {
			break
		}
		if time.Now().After(deadline) {
			f.t.Fatal("no commit waits")
		}
	}
	f.awaitSignsOfLife(signsOfLife)
}

// awaitSignsOfLife waits until the reader has given so many: while nothing is committed, only they
// move the WAL on.
func (f *failover) awaitSignsOfLife(n int) {
	f.t.Helper()
	places := make(map[string]bool)
	for deadline := time.Now().Add(recoverWithin); len(places) <= n; pause(context.Background(), 20*time.Millisecond) {
		var place string
		must(f.t, f.pair.First.Row(&place, "select pg_current_wal_lsn()::text"))
		places[place] = true
		if time.Now().After(deadline) {
			f.t.Fatalf("the WAL was at %d places", len(places))
		}
	}
}

const (
	shortStall = 8
	longStall  = 60 // longer than any limit of an answer
)

// stallAndLose has the second server lose what was sent to it while it stalled.
func (f *failover) stallAndLose() {
	f.stall(shortStall)
	f.pair.First.Signal(syscall.SIGKILL)
	f.pair.Second.Signal(syscall.SIGKILL)
	f.pair.Second.Stop() // what is left to do for one that has ended
	f.pair.Second.Start()
	f.promote()
}

func (f *failover) stallAndTakeOver() {
	f.stall(longStall)
	f.pair.First.Signal(syscall.SIGKILL)
	f.pair.Second.Signal(syscall.SIGCONT)
	f.promote()
}

func (f *failover) stallAndGoOn() {
	f.stall(longStall)
	f.pair.Second.Signal(syscall.SIGCONT)
	f.awaitTrades(40)
}

func (f *failover) kill() {
	f.pair.First.Signal(syscall.SIGKILL)
	f.promote()
}

// switchOver is a planned change: the first server is stopped, and comes back as a standby.
func (f *failover) switchOver() {
	f.pair.First.Stop()
	f.promote()
	f.pair.First.Follow(f.pair.Second)
	f.awaitTrades(40)
}

// behindHAProxy puts a proxy before the servers that goes by what an agent of each says, as Patroni's does.
func (f *failover) behindHAProxy(do func()) {
	program, err := exec.LookPath("haproxy")
	if err != nil {
		if _, err := os.Stat("/usr/sbin/haproxy"); err != nil {
			f.t.Skip("haproxy is not installed: scripts/setup test")
		}
		program = "/usr/sbin/haproxy"
	}
	agent := func(n *dbtest.Node) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !n.Primary(r.Context()) {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		f.t.Cleanup(s.Close)
		_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
		return port
	}
	port := freePort(f.t)
	config := fmt.Sprintf(`
defaults
	mode tcp
	timeout connect 2s
	timeout client 1h
	timeout server 1h
listen postgres
	bind 127.0.0.1:%d
	option httpchk GET /
	default-server inter 300ms fall 2 rise 1 on-marked-down shutdown-sessions
	server first 127.0.0.1:%d check port %s
	server second 127.0.0.1:%d check port %s
`, port, f.pair.First.Port(), agent(f.pair.First), f.pair.Second.Port(), agent(f.pair.Second))
	path := filepath.Join(f.dir, "haproxy.cfg")
	must(f.t, os.WriteFile(path, []byte(config), 0o600))
	cmd := exec.Command(program, "-q", "-db", "-f", path)
	must(f.t, cmd.Start())
	f.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	f.database = fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", db.OwnServer, password, port, db.OwnDatabase)
	do()
}
