package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

// wantTold runs a command that is refused, or with code 0 one that is done, and looks for a text in what it says.
func wantTold(t *testing.T, want int, text string, args ...string) {
	t.Helper()
	code, stdout, stderr := pgtape(t, args...)
	if code != want || !strings.Contains(stdout+stderr, text) {
		t.Errorf("pgtape %s: exit code %d, want %d and %q\n%s%s", strings.Join(args, " "), code, want, text, stdout, stderr)
	}
}

// inProduction are flags of a file that has a block of production.
func inProduction(t *testing.T) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pgtape.toml")
	write(t, file, []byte("[env.production]\n"))
	return []string{"--config", file, "--env", "production"}
}

// Where no file says which database is an environment's, one without a name may be any, and is given none.
func TestAnEnvironmentThatNoFileHasIsRefused(t *testing.T) {
	t.Parallel()
	dir, empty := dataDir(t), filepath.Join(t.TempDir(), "pgtape.toml")
	write(t, empty, []byte("log-level = 'warn'\n"))
	const told = "there is no [env.nonsense] in a pgtape.toml here"
	wantTold(t, 2, told, "serve", "--env", "nonsense", "--data-dir", dir, "--listen", "127.0.0.1:0") // before it is migrated
	start(t, "serve", "--data-dir", dir)
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	url := endpoint.URL(db.OwnOwner, db.OwnDatabase)
	for _, args := range [][]string{
		{"migrate", "up"},
		{"migrate", "up", "--config", empty},
		{"env"},
		{"doctor"},
		{"verify"},
		{"sql", "select 1"},
		{"serve", "--listen", "127.0.0.1:0"},
		{"demo", "--listen", "127.0.0.1:0"},
		{"branch", "create", "fix"},
		{"backup", filepath.Join(t.TempDir(), "none.zip")},
	} {
		wantTold(t, 2, told, append(args, "--database-url", url, "--env", "nonsense")...)
	}
	wantTold(t, 0, "the database:  no environment", "env", "--data-dir", dir)

	// The way out that the hint names.
	wantTold(t, 0, "belongs to staging now", "env", "set", "staging", "--data-dir", dir, "--yes")
	wantTold(t, 0, "nothing to do", "migrate", "up", "--data-dir", dir, "--env", "staging")
}

func TestADatabaseBelongsToAnEnvironment(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	start(t, "serve", "--data-dir", dir)
	wantTold(t, 0, "the database:  no environment", "env", "--data-dir", dir)
	wantTold(t, 0, "", append([]string{"migrate", "up", "--data-dir", dir}, inProduction(t)...)...)
	wantTold(t, 0, "the database:  production", "env", "--data-dir", dir)

	const other, none = "belongs to the environment production, and this command runs in development", "--env production"
	for _, args := range [][]string{{"sql", "select 1"}, {"migrate", "up"}, {"migrate", "down", "--yes"}, {"replay", "replication"}} {
		args = append(args, "--data-dir", dir)
		wantTold(t, 2, other, append(args, "--env", "development")...)
		wantTold(t, 2, none, args...)
	}
	wantTold(t, 0, "ok", "sql", "select 'ok'", "--data-dir", dir, "--env", "production")
	wantTold(t, 2, other, "verify", "--data-dir", dir, "--env", "development")
	wantTold(t, 0, "sound", "verify", "--data-dir", dir) // hurts nobody
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	url := endpoint.URL(db.OwnOwner, db.OwnDatabase)
	wantTold(t, 2, other, "serve", "--database-url", url, "--env", "development", "--listen", "127.0.0.1:0")
	wantTold(t, 2, none, "serve", "--database-url", url, "--listen", "127.0.0.1:0")
	wantTold(t, 2, none, "demo", "--database-url", url, "--listen", "127.0.0.1:0")
	wantTold(t, 2, "does not run in production", "demo", "--env", "production")

	wantTold(t, 2, "say --yes", "env", "set", "development", "--data-dir", dir)
	wantTold(t, 2, "no name", "env", "set", "branch:x", "--data-dir", dir, "--yes")
	wantTold(t, 0, "before: production", "env", "set", "development", "--data-dir", dir, "--yes")
	wantTold(t, 0, "ok", "sql", "select 'ok'", "--data-dir", dir, "--env", "development")
	wantTold(t, 0, "ok", "sql", "select 'ok'", "--data-dir", dir)
	wantTold(t, 0, "environment_named", "sql", "select * from pgtape.audit", "--data-dir", dir)

	// What is restored belongs to where it is now.
	file := filepath.Join(t.TempDir(), "book.zip")
	wantTold(t, 0, "rows", "backup", file, "--data-dir", dir)
	wantTold(t, 0, "before: development", "env", "set", "staging", "--data-dir", dir, "--yes")
	wantTold(t, 2, "belongs to the environment staging", "restore", file, "--data-dir", dir, "--env", "development")
	wantTold(t, 0, "sound", "restore", file, "--data-dir", dir)
	wantTold(t, 0, "the database:  staging", "env", "--data-dir", dir)
}

// A server names the database; another one's data are refused before they are migrated.
func TestAServerNamesItsDatabase(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := start(t, append([]string{"serve", "--data-dir", dir, "--drain", "0s"}, inProduction(t)...)...)
	wantTold(t, 0, "the database:  production", "env", "--data-dir", dir)
	first.stop(15) // SIGTERM
	wantTold(t, 2, "this command runs in development", "serve", "--data-dir", dir, "--env", "development", "--listen", "127.0.0.1:0")
	wantTold(t, 2, "--env production", "serve", "--data-dir", dir, "--listen", "127.0.0.1:0")
	start(t, "serve", "--data-dir", dir, "--env", "production")
}

// A branch is made while the parent serves, has its history up to then, and goes its own way; who was
// signed in there is not here.
func TestABranchGoesItsOwnWay(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	production := append([]string{"--data-dir", dir}, inProduction(t)...)
	parent := start(t, append([]string{"serve", "--log-level", "error", "--sign-up", "handle"}, production...)...)
	run := func(want int, text string, args ...string) {
		t.Helper()
		wantTold(t, want, text, append(args, production...)...)
	}
	run(0, "", "sql", "select create_market('rain', 'Will it?', account => 'house')")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	ana := client.New(parent.url)
	t.Cleanup(ana.Close)
	if _, err := ana.SignIn(ctx, "ana"); err != nil {
		t.Fatal(err)
	}
	buy := func(c *client.Client, key string) client.Market {
		t.Helper()
		receipt, err := c.Trade(ctx, "rain", client.Order{Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}, key)
		for {
			if err != nil {
				t.Fatal(err)
			}
			var market client.Market
			if market, err = c.Market(ctx, "rain"); market.Version == receipt.Version { // the tape has brought it
				return market
			}
			<-time.After(10 * time.Millisecond)
		}
	}
	shared := buy(ana, "1")

	run(2, "no name of a branch", "branch", "create", "No'way")
	run(0, "branch fix of pgtape", "branch", "create", "fix")
	run(2, "already", "branch", "create", "fix")
	run(0, "1 markets, ", "branch", "list")
	later := buy(ana, "2")

	branch := start(t, append([]string{"serve", "--branch", "fix", "--log-level", "error", "--sign-up", "handle"}, production...)...)
	run(0, "branch:fix", "sql", "select environment()", "--branch", "fix")
	run(0, "sound", "verify", "--branch", "fix", "--replay")
	there := client.New(branch.url)
	t.Cleanup(there.Close)
	if _, err := there.SignIn(ctx, "ana"); err != nil {
		t.Fatal(err)
	}
	own := buy(there, "2") // the key is free here
	if own.Version != later.Version || own.Cursor == later.Cursor {
		t.Errorf("the branch is at %s, the parent at %s", own.Cursor, later.Cursor)
	}
	firstFrame := func(after string) client.Frame {
		t.Helper()
		watch, stop := context.WithCancel(ctx)
		defer stop()
		var first client.Frame
		err := there.Watch(watch, []client.Subscription{{Market: "rain", After: after}}, func(f client.Frame) {
			if first.Op == "" && f.Market == "rain" && f.Op != client.OpSubscribed {
				first = f
				stop()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	if f := firstFrame(shared.Cursor); f.Op != client.OpEvent || f.Cursor != own.Cursor {
		t.Errorf("behind a cursor from before the branch comes %s %s", f.Op, f.Cursor)
	}
	if f := firstFrame(later.Cursor); f.Op != client.OpSnapshot || f.Cursor != own.Cursor {
		t.Errorf("behind a cursor of the parent's later history comes %s %s", f.Op, f.Cursor)
	}

	run(2, "say --yes", "branch", "delete", "fix")
	run(2, "no branch other", "branch", "delete", "other", "--yes")
	branch.stop(15)
	run(0, "deleted", "branch", "delete", "fix", "--yes")
	run(0, "no branches", "branch", "list")
	run(0, "", "branch", "create", "empty", "--schema-only")
	run(0, "psql", "sql", "select handle from my_account", "--branch", "empty")
	if market, err := ana.Market(ctx, "rain"); err != nil || market.Cursor != later.Cursor {
		t.Errorf("the parent is at %+v, %v", market, err)
	}
}
