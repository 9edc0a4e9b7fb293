package compare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func result() Result {
	return Result{
		Machine: "2 cores", Versions: []string{"PostgreSQL 15.1"}, Date: "2026-03-01", Rounds: 3, Seconds: 4,
		Figures: []map[string]float64{
			{"hot": 9000, "direct": 1000, "batch": 20000, "crowd.socket.p50": 5},
			{"hot": 22000, "direct": 2000, "batch": 20000, "crowd.socket.p50": 50},
			{"hot": 12000, "direct": 1000, "crowd.socket.p50": 6.25},
		},
		Notes: []string{"eventserv: left out"},
	}
}

// TestRatiosAreOfOneRound: 9, 11 and 12, though the medians' ratio is 12.
func TestRatiosAreOfOneRound(t *testing.T) {
	t.Parallel()
	r := result()
	for name, tt := range map[string]struct {
		compute func(round) float64
		want    spread
	}{
		"ratio":                      {ratio("hot", "direct"), spread{11, 9, 12, true}},
		"figure":                     {figure("crowd.socket.p50"), spread{6.25, 5, 50, true}},
		"of the rounds that have it": {ratio("batch", "direct"), spread{15, 10, 20, true}},
		"of none":                    {ratio("wide", "direct"), spread{}},
	} {
		if got := r.of(tt.compute); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestTheTableSaysWhatWasReached(t *testing.T) {
	t.Parallel()
	text := result().Markdown()
	for _, want := range []string{
		"2026-03-01: 2 cores. PostgreSQL 15.1. 3 rounds, 4 s",
		"direct calls on 32 | ≥ 10.0 × | 11.0 × (9.00–12.0) | reached |",
		"commit → socket, p50 | ≤ 10.0 ms | 6.25 ms (5.00–50.0) | reached |",
		"100 markets through HTTP : direct calls on 32 connections | ≥ 1.50 × | – | not measured |",
		"| hot market, HTTP, 64 connections | 12,000 trades/s (9,000–22,000) |",
		"- eventserv: left out",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	r := result()
	r.Figures[2]["direct"] = 2000
	if want := "9.00 × (6.00–11.0) | **not reached** |"; !strings.Contains(r.Markdown(), want) {
		t.Errorf("the table lacks %q:\n%s", want, r.Markdown())
	}
}

func TestTheTableStandsInItsDocument(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(file, []byte("before\n"+tableBegins+"\nold\n"+tableEnds+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over the first
		if err := result().WriteInto(file); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.HasPrefix(got, "before\n") || !strings.HasSuffix(got, "\nafter\n") || strings.Contains(got, "old") || strings.Count(got, "| to reach |") != 1 {
		t.Errorf("document:\n%s", got)
	}
	if err := os.WriteFile(file, []byte("no place"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := result().WriteInto(file); err == nil {
		t.Error("a document without a place was written")
	}
}
