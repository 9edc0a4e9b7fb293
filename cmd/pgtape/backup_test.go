package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
)

// A server runs and somebody watches while a backup is brought back: what came after it is no more,
// and the watcher is sent a snapshot and goes on, on the connections that it has or makes again.
func TestARestoreUnderARunningServer(t *testing.T) {
	dir := dataDir(t)
	server := start(t, "serve", "--data-dir", dir, "--log-level", "error")
	mustSQL(t, dir, "select create_market('rain', 'Will it?', account => 'house')")
	ana := client.New(server.url)
	t.Cleanup(ana.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if _, err := ana.SignIn(ctx, "ana"); err != nil {
		t.Fatal(err)
	}
	buy := func(key string) client.Receipt {
		t.Helper()
		for {
			receipt, err := ana.Trade(ctx, "rain", client.Order{Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}, key)
			if err == nil {
				return receipt
			}
			if code := client.CodeOf(err); code != "" && code != client.CodeUnavailable || ctx.Err() != nil {
				t.Fatalf("order %s: %v", key, err)
			}
			<-time.After(50 * time.Millisecond)
		}
	}
	buy("1")

	file := filepath.Join(t.TempDir(), "book.zip")
	if code, stdout, stderr := pgtape(t, "backup", file, "--data-dir", dir); code != 0 || !strings.Contains(stdout, "rows") {
		t.Fatalf("backup: exit code %d\n%s%s", code, stdout, stderr)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v, %v: want it for its owner only", info.Mode(), err)
	}
	if code, _, stderr := pgtape(t, "backup", file, "--data-dir", dir); code != 2 || !strings.Contains(stderr, "there already") {
		t.Errorf("over a backup: exit code %d, %s", code, stderr)
	}
	lost := buy("2")

	frames := make(chan client.Frame, 1000)
	go func() {
		_ = ana.Watch(ctx, []client.Subscription{{Market: "rain"}}, func(f client.Frame) { frames <- f })
	}()
	await := func(what string, is func(client.Frame) bool) {
		t.Helper()
		for {
			select {
			case f := <-frames:
				if is(f) {
					return
				}
			case <-ctx.Done():
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	snapshotAt := func(version int64) func(client.Frame) bool {
		return func(f client.Frame) bool { return f.Op == "snapshot" && f.Seq == version }
	}
	await("the first snapshot", snapshotAt(lost.Version))

	code, stdout, stderr := pgtape(t, "restore", file, "--data-dir", dir)
	if code != 0 || !strings.Contains(stdout, "sound") || !strings.Contains(stdout, "pgtape_before_") {
		t.Fatalf("restore: exit code %d\n%s%s", code, stdout, stderr)
	}
	await("a snapshot of the restored history", snapshotAt(lost.Version-1))
	again := buy("3")
	if again.Version != lost.Version {
		t.Errorf("the trade after the restore: %+v, the lost one was %+v", again, lost)
	}
	await("the new trade", func(f client.Frame) bool { return f.Op == "event" && f.Seq == again.Version })
	if code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir, "--replay"); code != 0 {
		t.Errorf("verify: exit code %d\n%s%s", code, stdout, stderr)
	}
}
