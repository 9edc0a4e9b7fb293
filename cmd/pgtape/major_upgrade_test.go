package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

var (
	upgradeFrom   = flag.String("upgrade.from", "", "the folder of the programs of an older PostgreSQL, for TestUpgradeOfPostgres; empty: it is skipped")
	upgradeTo     = flag.String("upgrade.to", "", "the folder of those of a newer one; empty: those that pgtape finds")
	upgradeEvents = flag.Int("upgrade.events", 20_000, "how many events there are to carry over")
)

// TestUpgradeOfPostgres carries a site to a new major version of Postgres by backup and restore. A
// browser that stays signed in and a watcher that goes on asking notice nothing but the pause.
func TestUpgradeOfPostgres(t *testing.T) {
	if *upgradeFrom == "" {
		t.Skip("with -upgrade.from only")
	}
	old, next := postgresOf(t, *upgradeFrom), postgresOf(t, *upgradeTo)
	owner := old.URL(db.OwnOwner, db.OwnDatabase)
	if err := db.Provision(t.Context(), old.Endpoint); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	server := startAt(t, address, "serve", "--database-url", old.URL(db.OwnServer, db.OwnDatabase), "--no-limits")
	if _, err := db.Query(t.Context(), old.URL(old.Superuser(), db.OwnDatabase), "select pgtape.create_market('rain', 'Will it?', liquidity => 1000)"); err != nil {
		t.Fatal(err)
	}
	ana := client.New(server.url)
	t.Cleanup(ana.Close)
	if _, err := ana.SignIn(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	fillTape(t, old, *upgradeEvents)
	order := client.Order{Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}
	last, err := ana.Trade(t.Context(), "rain", order, "last")
	if err != nil {
		t.Fatal(err)
	}
	frames := watchRain(t, ana)
	if f := <-frames; f.Op != client.OpSnapshot || f.Seq != last.Version {
		t.Fatalf("the first frame is %s", f.Raw)
	}
	server.stop(syscall.SIGTERM)

	carryOver(t, owner, next)
	startAt(t, address, "serve", "--database-url", next.URL(db.OwnServer, db.OwnDatabase), "--no-limits")
	again, err := ana.Trade(t.Context(), "rain", order, "last")
	if err != nil || again.Version != last.Version || again.TradeID != last.TradeID {
		t.Errorf("sent again: %+v, %v; it was %+v", again, err, last)
	}
	more, err := ana.Trade(t.Context(), "rain", order, "more")
	if err != nil || more.Version != last.Version+1 {
		t.Errorf("the next trade: %+v, %v", more, err)
	}
	if f := <-frames; f.Op != client.OpEvent || f.Seq != more.Version {
		t.Errorf("the watcher was sent %s, want the event %d and no snapshot", f.Raw, more.Version)
	}
	if code, stdout, stderr := pgtape(t, "verify", "--replay", "--database-url", next.URL(db.OwnOwner, db.OwnDatabase)); code != 0 {
		t.Errorf("verify: exit code %d\n%s%s", code, stdout, stderr)
	}
}

func postgresOf(t *testing.T, programs string) *embedded.Cluster {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Options{DataDir: dataDir(t), BinDir: programs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Logf("PostgreSQL %s", c.Version())
	return c
}

// fillTape trades until the market has so many events more.
func fillTape(t *testing.T, c *embedded.Cluster, events int) {
	t.Helper()
	if _, err := db.Query(t.Context(), c.URL(c.Superuser(), db.OwnDatabase), "select pgtape.create_account('bot', 100000)"); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), c.URL(db.OwnServer, db.OwnDatabase), db.Options{AsServer: true, MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const batch = 500
	for made := 0; made < events; made += batch {
		orders := make([]db.Order, min(batch, events-made))
		for i := range orders {
			orders[i] = db.Order{
				Market: "rain", Outcome: "yes", Side: "buy", Shares: "0.1", MaxCost: "1",
				Account: "bot", IdempotencyKey: fmt.Sprintf("bot-%d", made+i),
			}
			if i%2 == 1 {
				orders[i].Side, orders[i].MaxCost, orders[i].MinProceeds = "sell", "", "0"
			}
		}
		placed, err := d.TradeBatch(t.Context(), "rain", orders)
		for _, p := range placed {
			err = errors.Join(err, p.Err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// watchRain follows the market through all that happens to the server.
func watchRain(t *testing.T, c *client.Client) <-chan client.Frame {
	t.Helper()
	frames := make(chan client.Frame, 100)
	var over atomic.Bool
	t.Cleanup(func() { over.Store(true) })
	go func() {
		defer close(frames)
		err := c.Watch(t.Context(), []client.Subscription{{Market: "rain"}}, func(f client.Frame) {
			if (f.Op == client.OpSnapshot || f.Op == client.OpEvent) && !over.Load() {
				frames <- f
			}
		})
		if err != nil {
			t.Errorf("the watcher has ended: %v", err)
		}
	}()
	return frames
}

// carryOver does what docs/failover.md says, on a server that knows nothing of pgtape.
func carryOver(t *testing.T, from string, next *embedded.Cluster) {
	t.Helper()
	superuser := next.URL(next.Superuser(), "postgres")
	for _, statement := range []string{
		"create role " + db.OwnOwner + " login createrole",
		"create database " + db.OwnDatabase + " owner " + db.OwnOwner,
	} {
		if _, err := db.Query(t.Context(), superuser, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	file := filepath.Join(t.TempDir(), "before.zip")
	for _, args := range [][]string{
		{"backup", file, "--database-url", from},
		{"restore", file, "--database-url", next.URL(db.OwnOwner, db.OwnDatabase)},
	} {
		began := time.Now()
		code, stdout, stderr := pgtape(t, args...)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s%s", args[0], code, stdout, stderr)
		}
		t.Logf("%s: %v: %s", args[0], time.Since(began).Round(100*time.Millisecond), strings.TrimSpace(stdout))
	}
	if _, err := db.Query(t.Context(), superuser, "create role "+db.OwnServer+" login replication in role pgtape_server"); err != nil {
		t.Fatal(err)
	}
}
