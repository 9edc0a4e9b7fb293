package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

// The test binary is pgtape itself when this is set.
const asPgtape = "PGTAPE_TEST_AS_PGTAPE"

func TestMain(m *testing.M) {
	if os.Getenv(asPgtape) != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

// dataDir is a folder that the user who runs Postgres can reach.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-cmd-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asPgtape+"=1")
	return cmd
}

// pgtape runs a command to its end.
func pgtape(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// running is a server that runs beside the test.
type running struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	done chan struct{}
	web  http.Client

	mu  sync.Mutex
	out bytes.Buffer
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

func (r *running) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// start runs a serving command and waits until it answers.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	return startAt(t, freeAddress(t), args...)
}

func startAt(t *testing.T, address string, args ...string) *running {
	t.Helper()
	return launch(t, &running{url: "http://" + address}, address, args...)
}

func launch(t *testing.T, r *running, address string, args ...string) *running {
	t.Helper()
	r.t = t
	r.begin(command(context.WithoutCancel(t.Context()), append(args, "--listen", address)...))
	t.Cleanup(func() { r.stop(syscall.SIGTERM) })
	r.await("/readyz", http.StatusOK)
	return r
}

// begin starts a command, and waits for nothing.
func (r *running) begin(cmd *exec.Cmd) {
	r.t.Helper()
	r.cmd, r.done = cmd, make(chan struct{})
	cmd.Stdout, cmd.Stderr = r, r
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(r.done)
	}()
}

func (r *running) stop(signal syscall.Signal) (code int) {
	r.t.Helper()
	_ = r.cmd.Process.Signal(signal)
	select {
	case <-r.done:
	case <-time.After(30 * time.Second):
		r.t.Errorf("%v does not end:\n%s", r.cmd.Args, r.output())
		_ = r.cmd.Process.Kill()
		<-r.done
	}
	return r.cmd.ProcessState.ExitCode()
}

// await asks for a path until it is answered with a status.
func (r *running) await(path string, status int) string {
	r.t.Helper()
	deadline := time.NewTimer(10 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got, body := r.get(path)
		if got == status {
			return body
		}
		select {
		case <-r.done:
			r.t.Fatalf("%v has ended:\n%s", r.cmd.Args, r.output())
		case <-deadline.C:
			r.t.Fatalf("%s: %d %s, want %d:\n%s", path, got, body, status, r.output())
		case <-tick.C:
		}
	}
}

func (r *running) get(path string) (status int, body string) {
	response, err := r.web.Get(r.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"help", []string{"--help"}, 0, "pgtape demo", ""},
		{"help of a command", []string{"serve", "--help"}, 0, "--database-url", ""},
		{"an unknown command", []string{"fly"}, 2, "", "fly"},
		{"an unknown flag", []string{"serve", "--fly"}, 2, "", "--fly"},
		{"a replay of nothing", []string{"serve", "--replay-limit", "0", "--data-dir", t.TempDir()}, 2, "", "want 1 or more events"},
		{"too few connections", []string{"serve", "--max-connections", "3", "--data-dir", t.TempDir()}, 2, "", "want from 8"},
		{"a pooler with nothing past it", []string{"serve", "--pooled", "--database-url", "postgres://127.0.0.1:1/none"}, 2, "", "--reader-database-url"},
		{"an unknown source", []string{"serve", "--source", "rumour", "--data-dir", t.TempDir()}, 2, "", "want auto, wal or notify"},
		{"an unknown way to sign up", []string{"serve", "--sign-up", "bribe", "--data-dir", t.TempDir()}, 2, "", "want handle, open"},
		{"a provider that is not named", []string{"serve", "--sign-up", "oidc", "--data-dir", t.TempDir()}, 2, "", "--oidc-issuer"},
		{"a provider without a client", []string{"serve", "--oidc-issuer", "https://id.example", "--data-dir", t.TempDir()}, 2, "", "--oidc-client-id"},
		{"an unknown log level", []string{"demo", "--log-level", "loud"}, 2, "", "want debug"},
		{"an unknown speed", []string{"replay", "replication", "--speed", "fast"}, 2, "", "speed"},
		{"a recording that is not there", []string{"replay", "/nowhere.csv"}, 2, "", "/nowhere.csv"},
		{"no database", []string{"verify", "--database-url", "postgres://127.0.0.1:1/none"}, 2, "", "cannot be reached"},
		{"nothing that runs", []string{"psql", "--data-dir", t.TempDir()}, 2, "", "pgtape demo"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := pgtape(t, tt.args...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit code %d\n%s%s\nwant %d, %q, %q", code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
			}
		})
	}
}

func TestDemoIsALiveMarketThatPsqlTradesOn(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	demo := start(t, "demo", "--data-dir", dir, "--speed", "max", "--bot-rate", "20")
	for _, want := range []string{demo.url, "psql --data-dir " + dir, "select * from pgtape.trade('rain'", dir} {
		if !strings.Contains(demo.output(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, demo.output())
		}
	}
	if page := demo.await("/m/rain", http.StatusOK); !strings.Contains(page, "Will it rain in Berlin tomorrow?") {
		t.Errorf("the market's page is\n%s", page)
	}

	// The order of the README, through psql where there is one, and without.
	const order = "SELECT * FROM pgtape.trade('rain','yes','buy', shares => 10, max_cost => 6)"
	stream, err := http.Get(demo.url + "/api/v1/markets/rain/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	code, stdout, stderr := pgtape(t, "sql", "--data-dir", dir, order)
	if code != 0 || !strings.Contains(stdout, "| psql") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	awaitLine(t, stream.Body, `"account":"psql"`)
	if embedded.FindPsql("") != "" {
		if code, stdout, stderr := pgtape(t, "psql", "--data-dir", dir, "--", "-c", order); code != 0 || !strings.Contains(stdout, "psql") {
			t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
		}
		awaitLine(t, stream.Body, `"account":"psql"`)
	}
	code, _, stderr = pgtape(t, "sql", "--data-dir", dir, "select * from trade('rain','yes','buy', shares => 10, max_cost => 0.1)")
	if code != 1 || !strings.Contains(stderr, `"code": "stale_quote"`) || !strings.Contains(stderr, "hint:") {
		t.Errorf("a stale order: exit code %d\n%s", code, stderr)
	}

	// Another start on the same data says so, and hurts nobody.
	code, _, stderr = pgtape(t, "demo", "--data-dir", dir, "--listen", "127.0.0.1:0")
	if code != 2 || !strings.Contains(stderr, "in use") {
		t.Errorf("a second start: exit code %d\n%s", code, stderr)
	}
	if code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir); code != 0 || !strings.Contains(stdout, "sound") {
		t.Errorf("verify: exit code %d\n%s%s", code, stdout, stderr)
	}
	if code := demo.stop(syscall.SIGINT); code != 0 {
		t.Errorf("ended with exit code %d:\n%s", code, demo.output())
	}

	// Stopped, the book can still be verified, and a broken one is found out.
	if code, _, stderr := pgtape(t, "verify", "--data-dir", dir); code != 0 {
		t.Errorf("verify of a stopped one: exit code %d\n%s", code, stderr)
	}
}

// awaitLine reads until a line has the text.
func awaitLine(t *testing.T, body io.Reader, text string) {
	t.Helper()
	found := make(chan error, 1)
	go func() {
		var line []byte
		buf := make([]byte, 1)
		for {
			if _, err := body.Read(buf); err != nil {
				found <- fmt.Errorf("reading the stream: %w", err)
				return
			}
			if line = append(line, buf[0]); buf[0] != '\n' {
				continue
			}
			if bytes.Contains(line, []byte(text)) {
				found <- nil
				return
			}
			line = line[:0]
		}
	}()
	select {
	case err := <-found:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("no line with %s", text)
	}
}

func TestServeSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := start(t, "serve", "--data-dir", dir)
	mustSQL(t, dir, "select create_market('rain', 'Will it?', account => 'house')")
	mustSQL(t, dir, "select trade('rain', 'yes', 'buy', shares => 10, max_cost => 6, idempotency_key => 'once')")
	first.stop(syscall.SIGKILL)

	second := start(t, "serve", "--data-dir", dir)
	if market := second.await("/api/v1/markets/rain", http.StatusOK); !strings.Contains(market, `"trades":1`) {
		t.Errorf("after the kill: %s", market)
	}
	mustSQL(t, dir, "select trade('rain', 'yes', 'buy', shares => 10, max_cost => 6, idempotency_key => 'once')")
	if market := second.await("/api/v1/markets/rain", http.StatusOK); !strings.Contains(market, `"trades":1`) {
		t.Errorf("after the retry: %s", market)
	}
	if code, _, stderr := pgtape(t, "verify", "--data-dir", dir); code != 0 {
		t.Errorf("verify: exit code %d\n%s", code, stderr)
	}
}

func mustSQL(t *testing.T, dir, statement string) {
	t.Helper()
	if code, stdout, stderr := pgtape(t, "sql", "--data-dir", dir, statement); code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", statement, code, stdout, stderr)
	}
}

func TestServeOnADatabaseThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	serving := start(t, "serve", "--data-dir", dir)
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	other := endpoint.URL(endpoint.Superuser(), "other")
	if _, err := db.Query(t.Context(), endpoint.URL(endpoint.Superuser(), "postgres"), "create database other"); err != nil {
		t.Fatal(err)
	}

	code, _, stderr := pgtape(t, "serve", "--database-url", other, "--listen", "127.0.0.1:0")
	if code != 2 || !strings.Contains(stderr, "pgtape migrate up") {
		t.Errorf("an empty database: exit code %d\n%s", code, stderr)
	}
	if code, stdout, _ := pgtape(t, "migrate", "status", "--database-url", other); code != 1 || !strings.Contains(stdout, "missing") {
		t.Errorf("status: exit code %d\n%s", code, stdout)
	}
	if code, stdout, stderr := pgtape(t, "migrate", "up", "--database-url", other); code != 0 || !strings.Contains(stdout, "applied functions") {
		t.Fatalf("migrate up: exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := pgtape(t, "migrate", "status", "--database-url", other); code != 0 || strings.Contains(stdout, "missing") {
		t.Errorf("status: exit code %d\n%s", code, stdout)
	}
	second := start(t, "serve", "--database-url", other, "--source", "notify")
	if source := second.await("/api/v1/source", http.StatusOK); !strings.Contains(source, `"notify"`) {
		t.Errorf("source: %s", source)
	}
	if source := serving.await("/api/v1/source", http.StatusOK); !strings.Contains(source, `"wal"`) {
		t.Errorf("source: %s", source)
	}
}

func TestReplayPlaysTheRecordingToItsPrices(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	start(t, "serve", "--data-dir", dir)
	code, stdout, stderr := pgtape(t, "replay", "replication", "--data-dir", dir, "--resolve")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	for _, want := range []string{"2288 trades played", "40 markets: mean price 0.556, 28 right, Brier score 0.2275", "40 markets resolved"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("want %q in\n%s", want, stdout)
		}
	}
	if code, _, stderr := pgtape(t, "verify", "--data-dir", dir, "--replay"); code != 0 || !strings.Contains(stderr, "replayed") {
		t.Errorf("verify: exit code %d\n%s", code, stderr)
	}
}

func TestVerifyKnowsWhatWasPublished(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	start(t, "serve", "--data-dir", dir)
	heads := filepath.Join(dir, "heads.txt")
	mustSQL(t, dir, "select create_market('rain', 'Will it?', account => 'house')")
	mustSQL(t, dir, "select halt_market('rain', 'why')")
	for range 2 { // written, then held against
		if code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir, "--heads", heads); code != 0 || !strings.Contains(stderr, "wrote") {
			t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
		}
	}
	published, err := os.ReadFile(heads)
	if err != nil {
		t.Fatal(err)
	}

	// A superuser takes the halt out of history, so that all that is left is sound in itself.
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"alter table pgtape_core.tape disable trigger append_only",
		"delete from pgtape_core.tape where market = 'rain' and seq = 2",
		"alter table pgtape_core.tape enable trigger append_only",
		"update pgtape_core.book set version = 1, status = 'open', head = (select hash from pgtape_core.tape where market = 'rain')",
	} {
		if _, err := db.Query(t.Context(), endpoint.URL(endpoint.Superuser(), db.OwnDatabase), statement); err != nil {
			t.Fatal(err)
		}
	}
	if code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir, "--replay"); code != 0 {
		t.Errorf("without the heads: exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir, "--heads", heads)
	if code != 1 || !strings.Contains(stdout, "market rain, seq 2") {
		t.Errorf("with the heads: exit code %d\n%s%s", code, stdout, stderr)
	}
	if now, err := os.ReadFile(heads); err != nil || !bytes.Equal(now, published) {
		t.Errorf("what was published was overwritten with a history that does not contain it")
	}
}

func TestVerifySaysWhatWasWrittenAgainOnRecord(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	start(t, "serve", "--data-dir", dir)
	heads := filepath.Join(dir, "heads.txt")
	mustSQL(t, dir, "select create_account('ana')")
	mustSQL(t, dir, "select create_market('rain', 'Will it?', account => 'ana')")
	mustSQL(t, dir, "select create_market('snow', 'Will it?', account => 'house')")
	mustSQL(t, dir, "select trade('rain', 'yes', 'buy', shares => 5, max_cost => 5, account => 'ana', idempotency_key => 'k')")
	if code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir, "--heads", heads); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	mustSQL(t, dir, "select delete_account('ana', 'ana')")
	mustSQL(t, dir, "select halt_market('rain', 'why')")
	code, stdout, stderr := pgtape(t, "verify", "--data-dir", dir, "--replay", "--heads", heads)
	if code != 0 || !strings.Contains(stderr, "rewritten on record: market rain, seq 2 was written again from seq 1 on") ||
		!strings.Contains(stderr, "rewritten on record: market house, seq") || strings.Contains(stderr, "market snow") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr = pgtape(t, "verify", "--data-dir", dir, "--heads", heads); code != 0 || strings.Contains(stderr, "rewritten") {
		t.Errorf("with the heads of afterwards: exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestBenchMeasuresAServerOfItsOwn(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := pgtape(t, "bench", "--clients", "4", "--markets", "2", "--sockets", "4", "--duration", "2s", "--json")
	var report struct {
		Accepted int64 `json:"accepted"`
		Delivery struct {
			Lost       int64 `json:"lost"`
			Duplicated int64 `json:"duplicated"`
		} `json:"delivery"`
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if report.Accepted == 0 || report.Delivery.Lost != 0 || report.Delivery.Duplicated != 0 {
		t.Errorf("report %+v", report)
	}
}
