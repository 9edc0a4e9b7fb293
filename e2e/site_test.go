package e2e_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

// site is a server on a database of its own. It connects with a login that has what a server needs
// and no more.
type site struct {
	*dbtest.DB
	url   string
	login string // the server's
	o     siteOptions
	stop  func() // shuts the server down, as an operator would, and waits for it
}

type siteOptions struct {
	mode   tape.Mode                       // of reading the tape; empty: auto
	around func(http.Handler) http.Handler // what requests go through first
	limits server.Limits
	signUp server.SignUp // empty: handle
	oidc   server.Provider
}

func open(t *testing.T, o siteOptions) *site {
	t.Helper()
	s := &site{DB: dbtest.New(t), o: o}
	s.login = s.role(t, "replication in role pgtape_server")
	s.start(t, "127.0.0.1:0")
	t.Cleanup(func() { s.stop() })
	return s
}

// restart starts the server again, where it was.
func (s *site) restart(t *testing.T) {
	t.Helper()
	s.start(t, strings.TrimPrefix(s.url, "http://"))
}

func (s *site) start(t *testing.T, address string) {
	t.Helper()
	pool, err := db.Open(t.Context(), s.urlOf(s.login), db.Options{AsServer: true})
	must(t, err)
	listener, err := net.Listen("tcp", address)
	must(t, err)
	s.url = "http://" + listener.Addr().String()

	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	reader := tape.NewReader(tape.Options{URL: s.urlOf(s.login), Mode: s.o.mode, Log: log})
	web := server.New(server.Config{DB: pool, Reader: reader, SignUp: cmp.Or(s.o.signUp, server.Handle), OIDC: s.o.oidc, Limits: s.o.limits, Log: log})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var tasks sync.WaitGroup
	for _, run := range []func() error{
		func() error { return reader.Run(ctx, web.Sink()) },
		func() error { return web.Run(ctx) },
		func() error { return s.serve(ctx, web, listener) },
	} {
		tasks.Go(func() {
			if err := run(); err != nil {
				t.Errorf("running the server: %v", err)
			}
		})
	}
	s.stop = sync.OnceFunc(func() {
		cancel()
		tasks.Wait()
		pool.Close()
	})
	s.awaitReady(t)
}

// serve is the server's own Serve, or one like it around which there is something.
func (s *site) serve(ctx context.Context, web *server.Server, listener net.Listener) error {
	if s.o.around == nil {
		return web.Serve(ctx, listener)
	}
	h := &http.Server{Handler: s.o.around(web.Handler()), ReadHeaderTimeout: patience}
	defer context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = web.Shutdown(ctx)
		_ = h.Close()
	})()
	if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *site) awaitReady(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for status := 0; status != http.StatusOK; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
		must(t, err)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatalf("the server is not ready: %v", err)
		}
		response.Body.Close()
		status = response.StatusCode
	}
}

// role makes an SQL login, which goes with the test.
func (s *site) role(t *testing.T, attributes string) string {
	t.Helper()
	name := "e2e_" + strings.ToLower(rand.Text())
	s.Exec(t, "create role "+name+" login password '"+password+"' "+attributes)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.Connect(ctx, s.URL())
		must(t, err)
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "drop role "+name)
		must(t, err)
	})
	return name
}

// password is for a Postgres that asks its logins for one.
var password = rand.Text()

// urlOf is the database's URL for a login that role has made.
func (s *site) urlOf(login string) string {
	u, err := url.Parse(s.URL())
	if err != nil {
		return s.URL()
	}
	u.User = url.UserPassword(login, password)
	return u.String()
}

// trader makes an SQL login that trades as an account, and returns its URL.
func (s *site) trader(t *testing.T, account string) string {
	t.Helper()
	login := s.role(t, "in role pgtape_trader")
	must(t, s.MapLogin(t.Context(), login, account))
	return s.urlOf(login)
}

// psql types a statement into psql and returns what it prints, or, where no psql is installed,
// into a connection of its own.
func (s *site) psql(t *testing.T, url, statement string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	program := embedded.FindPsql("")
	if program == "" {
		table, err := db.Query(ctx, url, statement)
		must(t, err)
		return strings.Join(table.Rows[0], "|")
	}
	out, err := exec.CommandContext(ctx, program, url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement).CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// buy makes somebody's trade, without a page.
func (s *site) buy(t testing.TB, account, market, outcome string, shares db.Decimal) db.Receipt {
	t.Helper()
	receipt, err := s.Trade(t.Context(), db.Order{
		Account: account, Market: market, Outcome: outcome, Side: "buy", Shares: shares, MaxCost: shares,
	})
	must(t, err)
	return receipt
}

// market is a market as the database has it now.
func (s *site) market(t *testing.T, slug string) db.Market {
	t.Helper()
	m, err := s.DB.DB.Market(t.Context(), slug)
	must(t, err)
	return m
}

// price is what the database has for an outcome now.
func (s *site) price(t *testing.T, slug, outcome string) db.Decimal {
	t.Helper()
	m := s.market(t, slug)
	for i, o := range m.Outcomes {
		if o == outcome {
			return m.Prices[i]
		}
	}
	t.Fatalf("%s has no outcome %s", slug, outcome)
	return ""
}

// value reads one value out of the database.
func value[T any](t *testing.T, s *site, query string, args ...any) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var v T
	if err := s.Pool().QueryRow(ctx, query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// tradesOf is how many trades an account has made.
func (s *site) tradesOf(t *testing.T, account string) int {
	t.Helper()
	return value[int](t, s, "select count(*) from pgtape.trades where account = $1", account)
}

// within fails the test when a signal does not come.
func within(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}
