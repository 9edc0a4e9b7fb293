package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

var crashes = flag.Int("crash.rounds", 2, "how often TestEveryAcknowledgedTradeSurvivesAKill kills, pgtape and Postgres in turn")

const crashTraders = 16

// Traders go on trading while pgtape, or its Postgres, is killed without warning, and started
// again. Whoever does not know what became of an order asks again with its key.
func TestEveryAcknowledgedTradeSurvivesAKill(t *testing.T) {
	dir, address := dataDir(t), freeAddress(t)
	server := startAt(t, address, "serve", "--data-dir", dir, "--no-limits", "--log-level", "error")
	mustSQL(t, dir, "select create_market('rain', 'Will it?', account => 'house')")
	mustSQL(t, dir, "select create_market('snow', 'Will it?', account => 'house')")

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wait sync.WaitGroup
	traders := make([]*persistent, crashTraders)
	for i := range traders {
		traders[i] = newPersistent(t, server.url, i)
		wait.Go(func() { traders[i].trade(ctx) })
	}
	for round := range *crashes {
		acknowledged(t, traders, 5) // trading is under way
		victim := server.cmd.Process.Pid
		if round%2 == 1 {
			victim = postmaster(t, dir)
		}
		if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-server.done // killed, or since its Postgres is gone
		server = startAt(t, address, "serve", "--data-dir", dir, "--no-limits", "--log-level", "error")
	}
	acknowledged(t, traders, 5)
	stop()
	wait.Wait()

	compareReceipts(t, dir, traders)
	if code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir); code != 0 {
		t.Errorf("verify: exit code %d\n%s%s", code, stdout, stderr)
	}
}

// postmaster is the pid of the embedded Postgres.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "pgdata", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// persistent is a trader who does not let go of an order before it is answered.
type persistent struct {
	t      *testing.T
	client *client.Client
	number int

	mu       sync.Mutex
	receipts map[string]client.Receipt // by idempotency key
}

func newPersistent(t *testing.T, url string, number int) *persistent {
	t.Helper()
	p := &persistent{t: t, client: client.New(url), number: number, receipts: make(map[string]client.Receipt)}
	t.Cleanup(p.client.Close)
	if _, err := p.client.SignIn(t.Context(), fmt.Sprintf("trader%d", number)); err != nil {
		t.Fatal(err)
	}
	return p
}

// trade sends orders until ctx ends; the last of them is seen through.
func (p *persistent) trade(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		key := fmt.Sprintf("%d-%d", p.number, i)
		order := client.Order{Outcome: "yes", Side: "buy", Shares: "0.1", MaxCost: "0.1"}
		if i%2 == 1 {
			order.Side, order.MaxCost, order.MinProceeds = "sell", "", "0"
		}
		if receipt, ok := p.insist([]string{"rain", "snow"}[i/2%2], order, key); ok {
			p.mu.Lock()
			p.receipts[key] = receipt
			p.mu.Unlock()
		}
	}
}

func (p *persistent) insist(market string, order client.Order, key string) (client.Receipt, bool) {
	for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), 5*time.Second)
		receipt, err := p.client.Trade(ctx, market, order, key)
		cancel()
		code := client.CodeOf(err)
		if err == nil {
			return receipt, true
		}
		if code != "" && code != client.CodeUnavailable && code != client.CodeInternal {
			p.t.Errorf("order %s: %v", key, err)
			return receipt, false
		}
		<-time.After(20 * time.Millisecond) // nobody is there: as a client would, not as fast as it can
	}
	p.t.Errorf("order %s was never answered", key)
	return client.Receipt{}, false
}

// acknowledged waits until each trader has so many receipts more.
func acknowledged(t *testing.T, traders []*persistent, more int) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, p := range traders {
		for start := p.count(); p.count() < start+more; {
			select {
			case <-deadline.C:
				t.Fatalf("trader %d has %d receipts and gets no more", p.number, p.count())
			case <-tick.C:
			}
		}
	}
}

func (p *persistent) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.receipts)
}

// compareReceipts holds every trade of the database against the receipts: each once, none besides.
func compareReceipts(t *testing.T, dir string, traders []*persistent) {
	t.Helper()
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	table, err := db.Query(t.Context(), endpoint.URL(endpoint.Superuser(), db.OwnDatabase),
		"select t.idempotency_key, t.id, t.seq, t.amount, t.balance from pgtape_core.trade t")
	if err != nil {
		t.Fatal(err)
	}
	receipts := make(map[string]client.Receipt)
	for _, p := range traders {
		for key, receipt := range p.receipts {
			receipts[key] = receipt
		}
	}
	for _, row := range table.Rows {
		r, ok := receipts[row[0]]
		if !ok {
			t.Errorf("trade %v was never acknowledged, or is there twice", row)
		} else if want := fmt.Sprint([]string{row[0], fmt.Sprint(r.TradeID), fmt.Sprint(r.Version), r.Amount, r.Balance}); want != fmt.Sprint(row) {
			t.Errorf("trade %v, receipt %s", row, want)
		}
		delete(receipts, row[0])
	}
	for key := range receipts {
		t.Errorf("the acknowledged trade %s is gone", key)
	}
	t.Logf("%d trades, %d kills", len(table.Rows), *crashes)
}
