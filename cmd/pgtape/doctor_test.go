package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db/embedded"
	"github.com/pgtape/pgtape/doctor"
)

func TestDoctor(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	code, out, errs := pgtape(t, "doctor", "--data-dir", dir, "--log-level", "error")
	if code != 0 || !strings.Contains(out, "trades of one market") {
		t.Errorf("on a Postgres that it starts itself: exit code %d\n%s%s", code, out, errs)
	}
	if _, err := embedded.Attach(dir); err == nil {
		t.Error("it has left its Postgres running")
	}

	// Beside a running server, on a Postgres that does not let the WAL be read.
	cluster, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Settings: map[string]string{"wal_level": "replica", "fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop(context.WithoutCancel(t.Context())) })
	code, out, errs = pgtape(t, "doctor", "--data-dir", dir, "--json")
	var report doctor.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code != 1 || !report.Blocked || !strings.Contains(errs, "wal_level") {
		t.Errorf("with wal_level = replica: exit code %d: %s\n%+v", code, errs, report.Findings)
	}
	if code, out, _ := pgtape(t, "doctor", "--data-dir", dir, "--source", "auto"); code != 0 || !strings.Contains(out, "alter system set wal_level = logical") {
		t.Errorf("with --source auto: exit code %d\n%s", code, out)
	}
	for _, args := range [][]string{
		{"doctor", "--database-url", "postgres://127.0.0.1:1/nowhere?connect_timeout=2"},
		{"doctor", "--source", "guess"},
	} {
		if code, _, errs := pgtape(t, args...); code != 2 {
			t.Errorf("%v: exit code %d: %s", args, code, errs)
		}
	}
}
