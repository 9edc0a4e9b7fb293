package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/bench"
	"github.com/pgtape/pgtape/bench/compare"
	"github.com/pgtape/pgtape/bench/rivals"
)

func TestBenchTellsWhatItsServerCosts(t *testing.T) {
	t.Parallel()
	chart := filepath.Join(t.TempDir(), "run.svg")
	code, stdout, stderr := pgtape(t, "bench", "--scenario", "lone", "--duration", "1s", "--json", "--chart", chart)
	var report bench.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if report.Scenario != "lone" || report.Clients != 1 || report.RequestToSocket.Count != report.Accepted || report.Accepted == 0 {
		t.Errorf("report = %+v", report)
	}
	if _, err := os.Stat("/proc/self/stat"); err == nil && (report.Cost.ServerPerTrade == nil || report.Cost.PostgresPerTrade == nil || report.Cost.ServerLast == nil) {
		t.Errorf("cost = %+v, want that of server and Postgres", report.Cost)
	}
	if svg, err := os.ReadFile(chart); err != nil || !strings.HasPrefix(string(svg), "<svg ") {
		t.Errorf("chart %.20q (%v)", svg, err)
	}
}

func TestBenchRunsRivals(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := pgtape(t, "bench", "--rival", "direct", "--clients", "2", "--markets", "2", "--duration", "1s", "--json")
	var report rivals.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if report.Rival != "direct" || report.Connections != 2 || report.Markets != 2 || report.Accepted == 0 {
		t.Errorf("report = %+v", report)
	}
}

func TestBenchComparesAndWritesTheTable(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "performance.md")
	const before, after = "<!-- table: written by scripts/bench -->", "<!-- end of table -->"
	if err := os.WriteFile(document, []byte(before+after), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := pgtape(t, "bench", "compare", "--rounds", "1", "--duration", "500ms", "--only", "commit,lone,fanout", "--into", document, "--json")
	var result compare.Result
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if len(result.Figures) != 1 || result.Figures[0]["commit"] <= 0 || result.Figures[0]["lone.request.p50"] <= 0 {
		t.Errorf("figures %v", result.Figures)
	}
	if len(result.Notes) != 1 || !strings.HasPrefix(result.Notes[0], "fanout: left out") {
		t.Errorf("notes %q, want that there is no test program", result.Notes)
	}
	if text, err := os.ReadFile(document); err != nil || !strings.Contains(string(text), "| lone trade, request → another's socket, p50 |") {
		t.Errorf("document (%v):\n%s", err, text)
	}
}

func TestBenchTellsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--scenario", "cold"}, `scenario "cold": want one of crowd, hot`},
		{[]string{"--scenario", "hot,wide", "--chart", "x.svg"}, "--chart draws one scenario"},
		{[]string{"--mode", "some", "--url", "http://127.0.0.1:1"}, `mode "some"`},
		{[]string{"--source", "some"}, `--source "some"`},
	} {
		code, _, stderr := pgtape(t, append([]string{"bench"}, tt.args...)...)
		if code != 2 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: exit code %d, want 2 and %q\n%s", tt.args, code, tt.want, stderr)
		}
	}
}
