package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/embedded"
	"github.com/pgtape/pgtape/e2e/lag"
	"github.com/pgtape/pgtape/placement"
)

func TestPlacement(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	site := start(t, "serve", "--data-dir", dir)
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	far := func(roundTrip time.Duration) string {
		p, err := lag.New(strings.TrimPrefix(site.url, "http://"), roundTrip/2)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		return "http://" + p.Address() + "/healthz"
	}
	near, distant := far(40*time.Millisecond), far(120*time.Millisecond)
	ran := func(args ...string) (r placement.Report) {
		t.Helper()
		code, out, errs := pgtape(t, append([]string{"placement", "--json"}, args...)...)
		if code != 0 || json.Unmarshal([]byte(out), &r) != nil {
			t.Fatalf("%v: exit code %d: %s%s", args, code, out, errs)
		}
		return r
	}
	// measured is a report with a way of about so many milliseconds; it is made anew while the machine,
	// busy with other things, takes longer.
	measured := func(what string, way func(placement.Report) float64, want float64, args ...string) (r placement.Report) {
		t.Helper()
		var got float64
		for range 5 {
			r = ran(args...)
			got = way(r)
			if got < want {
				break
			}
			if got <= want+max(15, want/4) {
				return r
			}
		}
		t.Errorf("%s: %.1f ms, want about %.1f", what, got, want)
		return r
	}
	userEdge := func(r placement.Report) float64 { return r.UserEdge }
	userDatabase := func(r placement.Report) float64 { return r.UserDatabase }
	edgeDatabase := func(r placement.Report) float64 { return r.EdgeDatabase }
	local := func(r placement.Report) float64 { return r.Local }

	fromUser := []string{"--edge", near, "--origin", distant, "--edge-database-ms", "80"}
	measured("user–edge", userEdge, 40, fromUser...)
	r := measured("user–database", userDatabase, 120, fromUser...)
	if r.EdgeDatabase != 80 || len(r.Verdicts) != 2*len(placement.Requests) || r.Verdicts[0].Fastest == "" {
		t.Errorf("%+v", r)
	}
	measured("edge–database, by a request", edgeDatabase, 120, "--at", "edge", "--origin", distant, "--user-edge-ms", "10", "--user-database-ms", "100")
	measured("edge–database, by a query", edgeDatabase, 0, "--at", "edge", "--database-url", endpoint.URL("pgtape_web", "pgtape"), "--user-edge-ms", "10", "--user-database-ms", "100")
	r = measured("beside the database", local, 0, "--at", "database", "--database-url", endpoint.URL("pgtape_web", "pgtape"), "--edge-database-ms", "80", "--user-edge-ms", "10", "--user-database-ms", "100")
	if math.Abs(r.Verdicts[0].Times[placement.AtEdge]-170) > 1e-9 { // a page: s = 1, q = 2
		t.Errorf("%+v", r.Verdicts[0])
	}

	code, out, _ := pgtape(t, "placement", "--user-edge-ms", "10", "--edge-database-ms", "80", "--user-database-ms", "100")
	if code != 0 || !strings.Contains(out, "s·a + b + q·e") || !strings.Contains(out, "break-even") {
		t.Errorf("exit code %d: %s", code, out)
	}
	for _, args := range [][]string{
		{"--user-edge-ms", "10"},
		{"--at", "moon"},
		{"--edge", "http://127.0.0.1:1/", "--edge-database-ms", "80", "--user-database-ms", "1"},
	} {
		if code, _, errs := pgtape(t, append([]string{"placement"}, args...)...); code != 2 || errs == "" {
			t.Errorf("%v: exit code %d: %s", args, code, errs)
		}
	}
}
