package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/pgtape/pgtape/e2e/link"
)

// breaker breaks things in one lane, one after the other.
type breaker struct {
	w        *world
	audience *audience
	burster  *sqlTrader
	random   *rand.Rand
	longest  time.Duration // that a fault is held
	deck     []fault
	made     map[string]int
	filled   int // sockets, until they were closed
}

type fault struct {
	name string
	make func(b *breaker)
}

// Faults of the database and of the server.
var serverFaults = []fault{
	{"kill -9 pgtape", func(b *breaker) { b.w.node.signal(syscall.SIGKILL) }},
	{"restart pgtape", func(b *breaker) { b.w.node.signal(syscall.SIGTERM) }},
	{"switch the reader's mode", func(b *breaker) { b.w.node.switchSource(b.pick("auto", "wal", "notify")) }},
	{"restart Postgres, fast", func(b *breaker) { b.w.restart(syscall.SIGINT) }},
	{"restart Postgres, immediate", func(b *breaker) { b.w.restart(syscall.SIGQUIT) }},
	{"kill -9 the postmaster", func(b *breaker) { b.w.restart(syscall.SIGKILL) }},
	{"kill -9 a backend", func(b *breaker) { b.killBackend() }},
	{"terminate the walsender, its slot goes with it", func(b *breaker) { b.terminate("backend_type = 'walsender'") }},
	{"terminate every backend", func(b *breaker) { b.terminate("usename = 'pgtape_web'") }},
	{"cut the database link", func(b *breaker) { b.hold(b.w.dbLink, (*link.Link).Cut) }},
	{"freeze the database link", func(b *breaker) { b.hold(b.w.dbLink, (*link.Link).Freeze) }},
	{"delay the database link", func(b *breaker) { b.hold(b.w.dbLink, b.delay) }},
	{"limit the database link", func(b *breaker) { b.hold(b.w.dbLink, b.limit) }},
	{"take all slots", func(b *breaker) { b.takeSlots() }},
	{"revoke replication", func(b *breaker) { b.revoke() }},
	{"hold a writing transaction open", func(b *breaker) { b.holdTransaction() }},
	{"back up", func(b *breaker) { b.w.backup() }},
	{"restore a backup", func(b *breaker) { b.w.restore(b.random) }},
}

// Faults of the clients and of their network.
var clientFaults = []fault{
	{"cut the clients' link", func(b *breaker) { b.hold(b.w.webLink, (*link.Link).Cut) }},
	{"reset the clients' connections", func(b *breaker) { b.w.webLink.Reset() }},
	{"freeze the clients' link", func(b *breaker) { b.hold(b.w.webLink, (*link.Link).Freeze) }},
	{"delay the clients' link", func(b *breaker) { b.hold(b.w.webLink, b.delay) }},
	{"limit the clients' link", func(b *breaker) { b.hold(b.w.webLink, b.limit) }},
	{"stop a client (SIGSTOP)", func(b *breaker) { b.stopClient() }},
	{"fill a client's socket", func(b *breaker) { b.fill() }},
}

// next makes the next fault. Each kind has its turn in every round of the deck.
func (b *breaker) next(all []fault) {
	if len(b.deck) == 0 {
		b.deck = append(b.deck, all...)
		b.random.Shuffle(len(b.deck), func(i, j int) { b.deck[i], b.deck[j] = b.deck[j], b.deck[i] })
	}
	f := b.deck[0]
	b.deck = b.deck[1:]
	b.w.t.Logf("%s %s", time.Now().Format("15:04:05.000"), f.name)
	f.make(b)
	b.made[f.name]++
}

func (b *breaker) pick(from ...string) string { return from[b.random.IntN(len(from))] }

// keep waits as long as a fault is held.
func (b *breaker) keep() { time.Sleep(b.longest/20 + time.Duration(b.random.Int64N(int64(b.longest)))) }

func (b *breaker) hold(l *link.Link, breaks func(*link.Link)) {
	breaks(l)
	b.keep()
	l.Mend()
}

func (b *breaker) delay(l *link.Link) {
	l.Delay(time.Duration(b.random.IntN(300))*time.Millisecond, 50*time.Millisecond)
}

func (b *breaker) limit(l *link.Link) { l.Limit(4<<10 + b.random.IntN(60<<10)) }

// sql insists: Postgres may be recovering from the fault before.
func (b *breaker) sql(text string) {
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := b.w.tryExec(context.Background(), text)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.w.t.Errorf("%s: %v", text, err)
			return
		}
	}
}

func (b *breaker) terminate(which string) {
	b.sql("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and " + which)
}

// killBackend kills one of the server's backends, after which Postgres restarts all.
func (b *breaker) killBackend() {
	ctx := context.Background()
	conn, err := b.w.admin(ctx)
	if err != nil {
		return // it is recovering: nobody to kill
	}
	defer conn.Close(ctx)
	var pid int
	err = conn.QueryRow(ctx, "select pid from pg_stat_activity where usename = 'pgtape_web' order by random() limit 1").Scan(&pid)
	if err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (b *breaker) takeSlots() {
	b.sql(`do $$
		begin
			perform pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'walsender';
			for i in 1..100 loop
				perform pg_create_physical_replication_slot('taken' || i);
			end loop;
		exception when configuration_limit_exceeded then
		end $$`)
	// The exception has rolled back what the loop made: now one by one.
	ctx := context.Background()
	for i := range 4 {
		_ = b.w.tryExec(ctx, fmt.Sprintf("select pg_create_physical_replication_slot('taken%d')", i))
	}
	b.keep()
	b.sql("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like 'taken%'")
}

func (b *breaker) revoke() {
	b.sql("alter role pgtape_web noreplication")
	b.terminate("backend_type = 'walsender'")
	b.keep()
	b.sql("alter role pgtape_web replication")
}

// holdTransaction makes whoever wants a new slot wait.
func (b *breaker) holdTransaction() {
	ctx := context.Background()
	conn, err := b.w.admin(ctx)
	if err != nil {
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "begin; select txid_current()"); err != nil {
		return
	}
	b.terminate("backend_type = 'walsender'")
	b.keep()
	_, _ = conn.Exec(ctx, "commit") // or the connection is gone, and with it the transaction
}

func (b *breaker) stopClient() {
	list := b.audience.processes()
	x := list[b.random.IntN(len(list))]
	_ = x.process.Signal(syscall.SIGSTOP)
	b.keep()
	_ = x.process.Signal(syscall.SIGCONT)
}

// fill keeps a watcher from reading while more happens than its socket has room for: until the node
// has closed the connection, or other faults have made that of no use.
func (b *breaker) fill() {
	list := b.audience.sockets()
	x := list[b.random.IntN(len(list))]
	market := b.pick(markets...)
	x.reading.Lock()
	defer x.reading.Unlock()
	const closes = "pgtape_slow_closes_total"
	before, err := b.w.node.metric(closes)
	for burst := 0; burst < 4 && err == nil; burst++ {
		name := fmt.Sprintf("burst%d", b.random.Uint64())
		if err := b.burster.burst(context.Background(), market, name, 2000); err != nil {
			b.w.t.Errorf("burst: %v", err)
			return
		}
		for deadline := time.Now().Add(2 * time.Second); err == nil && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			var now float64
			if now, err = b.w.node.metric(closes); err == nil && now > before {
				b.filled++
				return
			}
		}
	}
}
