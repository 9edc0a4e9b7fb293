package db_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
	"github.com/pgtape/pgtape/db/hosts"
	"github.com/pgtape/pgtape/db/tape"
)

// One pair for all that is tried before the second is promoted, and for the promotion at last.
func TestServersOfAURL(t *testing.T) {
	t.Parallel()
	p := dbtest.NewPair(t)
	p.First.Exec("alter role " + db.OwnServer + " password 'secret'; alter role " + db.OwnOwner + " password 'secret'")
	eventually(t, "the standby to catch up", p.CaughtUp)
	url := func(nodes ...*dbtest.Node) string {
		return dbtest.URLs(db.OwnServer, "secret", db.OwnDatabase, nodes...)
	}
	open := func(t *testing.T, url string) (*db.DB, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		d, err := db.Open(ctx, url, db.Options{AsServer: true})
		if err == nil {
			t.Cleanup(d.Close)
		}
		return d, err
	}

	t.Run("a standby is refused", func(t *testing.T) {
		for _, url := range []string{url(p.Second), url(p.Second) + "&target_session_attrs=read-write", url(p.Second, p.Second)} {
			if _, err := open(t, url); db.CodeOf(err) != db.Unavailable {
				t.Errorf("%s: %v, want it refused", url, err)
			}
		}
		_, err := open(t, url(p.Second))
		if !errors.Is(err, hosts.ErrStandby) || !strings.Contains(err.Error(), "standby") {
			t.Errorf("told %v", err)
		}
		if err := db.CheckSource(t.Context(), url(p.Second)+"&target_session_attrs=any", tape.Auto); err == nil || !strings.Contains(err.Error(), "standby") {
			t.Errorf("a reader of a standby is told %v", err)
		}
	})
	t.Run("unless the URL says otherwise", func(t *testing.T) {
		d, err := open(t, url(p.Second)+"&target_session_attrs=any")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.CreateAccount(t.Context(), "ana", ""); db.CodeOf(err) != db.Unavailable {
			t.Errorf("a write on a standby: %v, want unavailable", err)
		}
	})
	t.Run("the primary is found, whatever the order", func(t *testing.T) {
		for _, url := range []string{url(p.First, p.Second), url(p.Second, p.First)} {
			d, err := open(t, url)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.CreateAccount(t.Context(), fmt.Sprintf("ana%d", time.Now().UnixNano()), ""); err != nil {
				t.Error(err)
			}
		}
	})
	owner := dbtest.URLs(db.OwnOwner, "secret", db.OwnDatabase, p.Second, p.First)
	t.Run("by commands, too", func(t *testing.T) { commandsFindThePrimary(t, owner, url(p.Second)) })
	t.Run("commits wait for a standby", func(t *testing.T) {
		d, err := open(t, url(p.First, p.Second))
		if err != nil {
			t.Fatal(err)
		}
		commitsWaitForAStandby(t, p, d)
	})
	t.Run("a password is rotated", func(t *testing.T) { passwordIsRotated(t, p, url(p.First)) })
	t.Run("a server that hangs holds up nobody", func(t *testing.T) {
		p.Second.Signal(syscall.SIGSTOP)
		defer p.Second.Signal(syscall.SIGCONT)
		began := time.Now()
		d, err := open(t, url(p.Second, p.First))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > hangLimit {
			t.Errorf("it took %v", took)
		}
		began = time.Now()
		if _, err := db.MigrateUp(t.Context(), owner); err != nil || time.Since(began) > hangLimit {
			t.Errorf("migrating took %v: %v", time.Since(began), err)
		}
		if _, err := open(t, url(p.Second)); db.CodeOf(err) != db.Unavailable {
			t.Errorf("alone: %v, want unavailable", err)
		}
		d.Close()
	})
	t.Run("who waits at a server that hangs goes on at the one that was promoted", func(t *testing.T) {
		d, err := open(t, url(p.First, p.Second))
		if err != nil {
			t.Fatal(err)
		}
		alone := stuckWithoutReader(t, p, url(p.First, p.Second))
		waiting := make(chan error, 1)
		go func() { _, err := d.CreateAccount(t.Context(), "late", ""); waiting <- err }()
		p.Second.Promote()
		other, err := db.Open(t.Context(), url(p.First, p.Second), db.Options{AsServer: true, Servers: d.Servers()})
		d.Servers().Lost() // as the tape reader says
		if err == nil {
			_, err = other.CreateAccount(t.Context(), "soon", "")
			other.Close()
		}
		for range 100 { // a connection of the pool that found the new one
			if _, err = d.CreateAccount(t.Context(), fmt.Sprintf("s%d", time.Now().UnixNano()), ""); err == nil {
				break
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-waiting:
			if err != nil && db.CodeOf(err) != db.Unavailable {
				t.Errorf("who waited: %v, want unavailable", err)
			}
		case <-time.After(hangLimit):
			t.Error("who waits at the server of before waits on")
		}
		eventually(t, "a pool without a reader to find the new one", func() bool {
			soon, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := alone.CreateAccount(soon, fmt.Sprintf("a%d", time.Now().UnixNano()), "")
			return err == nil
		})
	})
	t.Run("a primary of before is refused when it comes back", func(t *testing.T) {
		servers := hosts.New(url(p.First)) // as a proxy's address, behind which the other was
		if err := servers.Use(2); err != nil {
			t.Fatal(err)
		}
		p.First.Signal(syscall.SIGCONT)
		if _, err := db.Open(t.Context(), url(p.First), db.Options{AsServer: true, Servers: servers}); !errors.Is(err, hosts.ErrOld) {
			t.Errorf("%v, want it refused", err)
		}
		fresh, err := open(t, url(p.First, p.Second)) // who knows nothing finds the newer one
		if err != nil {
			t.Fatal(err)
		}
		account, err := fresh.Account(t.Context(), "late")
		if err == nil && account.Handle == "late" {
			t.Log("the write had been replicated")
		}
		var timeline string
		if err := fresh.Pool().QueryRow(t.Context(), "select "+hosts.Timeline).Scan(&timeline); err != nil || hosts.ParseTimeline(timeline) != 2 {
			t.Errorf("on timeline %s (%v), want the 2nd", timeline, err)
		}
	})
}

// commandsFindThePrimary tries what connects otherwise than a pool: migrations, and programs of others.
func commandsFindThePrimary(t *testing.T, both, standby string) {
	ctx := t.Context()
	config, err := connect.Config(both, connect.Options{Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	std := connect.OpenDB(hosts.ForOnce(both), config)
	defer std.Close()
	for range 2 {
		conn, err := std.Conn(ctx) // kept, so that the next is another
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		var recovery bool
		if err := conn.QueryRowContext(ctx, "select pg_is_in_recovery()").Scan(&recovery); err != nil || recovery {
			t.Errorf("migrations are on a standby: %v, %v", recovery, err)
		}
	}
	psql := embedded.FindPsql("")
	if psql == "" {
		t.Skip("no psql")
	}
	for url, want := range map[string]string{both: "f", strings.Replace(both, "127.0.0.1", "localhost", 1): "f", standby: "t"} {
		chosen, err := connect.Chosen(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(ctx, psql, "--dbname="+chosen, "-XAtc", "select pg_is_in_recovery()").CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: psql says %s (%v), want %s", url, got, err, want)
		}
	}
	for _, wish := range []string{"standby", "read-only"} {
		_, err := db.Open(ctx, both+"&target_session_attrs="+wish, db.Options{AsServer: true})
		if db.CodeOf(err) != db.InvalidRequest || !strings.Contains(err.Error(), "primary") {
			t.Errorf("several servers and %s: %v, want it refused at once", wish, err)
		}
	}
}

// stuckWithoutReader has the first server hang under a pool that no tape reader helps, all of whose
// connections wait for what their callers have given up.
func stuckWithoutReader(t *testing.T, p *dbtest.Pair, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, db.Options{AsServer: true, MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	d.Servers().SetSynchronous(true)
	p.First.Signal(syscall.SIGSTOP)
	for range 3 {
		soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		_, err := d.CreateAccount(soon, fmt.Sprintf("a%d", began.UnixNano()), "")
		if took := time.Since(began); db.CodeOf(err) != db.Unavailable || took > hangLimit {
			t.Errorf("told %v after %v, want unavailable", err, took)
		}
		cancel()
	}
	return d
}

// hangLimit is for hangs, not for slowness: without a limit for each server it would be 15 s and more.
const hangLimit = 10 * time.Second
