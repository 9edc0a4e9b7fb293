// Package dbtest gives each test a database of its own: a clone of a migrated template, on a real
// Postgres. The Postgres is the one of PGTAPE_TEST_DATABASE_URL (a superuser's URL), or else an
// embedded one that lives as long as the package's tests. PGTAPE_TEST_BIN_DIR chooses its binaries;
// "fetch" takes those that pgtape fetches where none are installed.
package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
	schema "github.com/pgtape/pgtape/sql"
)

// postgres is the server that the tests of this process share; Main sets it.
var postgres string

// Main runs the tests of a package with a Postgres: func TestMain(m *testing.M) { dbtest.Main(m) }
// settings are of an embedded Postgres, besides the usual.
func Main(m *testing.M, settings ...map[string]string) {
	if os.Getenv(onSmallDisk) != "" { // one test, with a Postgres of its own
		os.Exit(m.Run())
	}
	code, err := run(m, settings)
	if err != nil {
		log.Print(err)
		code = 2
	}
	os.Exit(code)
}

func run(m *testing.M, settings []map[string]string) (code int, err error) {
	ctx := context.Background()
	postgres = os.Getenv("PGTAPE_TEST_DATABASE_URL")
	if postgres == "" {
		cluster, stop, err := start(ctx, settings)
		if err != nil {
			return 0, fmt.Errorf("starting a Postgres for the tests: %w", err)
		}
		defer func() { err = errors.Join(err, stop()) }()
		postgres = cluster.URL(cluster.Superuser(), "postgres")
	}
	if err := makeTemplate(ctx, postgres); err != nil {
		return 0, fmt.Errorf("making the template database: %w", err)
	}
	return m.Run(), nil
}

func start(ctx context.Context, settings []map[string]string) (*embedded.Cluster, func() error, error) {
	programs, err := binDir(ctx)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "pgtape-test-")
	if err != nil {
		return nil, nil, err
	}
	migrated := func(c *embedded.Cluster) error {
		return makeTemplate(ctx, c.URL(c.Superuser(), "postgres"))
	}
	if err := copyTemplate(ctx, dir, programs, "migrated", migrated); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	// Nothing here outlives the tests, so nothing needs to reach the disk.
	all := map[string]string{"fsync": "off", "max_connections": "300", "max_replication_slots": "60", "max_wal_senders": "60"}
	for _, some := range settings {
		maps.Copy(all, some)
	}
	cluster, err := embedded.Start(ctx, embedded.Options{DataDir: dir, BinDir: programs, Settings: all})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return cluster, func() error { return errors.Join(cluster.Stop(ctx), os.RemoveAll(dir)) }, nil
}

// BinDir is the folder of the programs that PGTAPE_TEST_BIN_DIR chooses, for tests with a Postgres of
// their own; empty: those that pgtape finds.
func BinDir(t testing.TB) string {
	t.Helper()
	dir, err := binDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func binDir(ctx context.Context) (string, error) {
	dir := os.Getenv("PGTAPE_TEST_BIN_DIR")
	if dir == "" { // as pgtape does: what is installed, else what is fetched
		if _, err := embedded.FindBinaries(""); err != nil {
			dir = "fetch"
		}
	}
	if dir != "fetch" {
		return dir, nil
	}
	fetched, err := embedded.Fetch(ctx, "", nil, nil)
	return fetched.Dir, err
}

// templateName is one per schema, so that tests of another version on the same server have theirs.
var templateName = sync.OnceValues(func() (string, error) {
	functions, err := schema.Functions()
	if err != nil {
		return "", err
	}
	return nameOf(functions)
})

// nameOf is of all files, that of the digest too: where it is a stale one, so is the database.
func nameOf(functions []schema.Function) (string, error) {
	hash := sha256.New()
	for _, f := range functions {
		fmt.Fprintf(hash, "%s\n%s\n", f.Name, f.Text)
	}
	err := fs.WalkDir(schema.Migrations(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(schema.Migrations(), path)
		hash.Write(text)
		return err
	})
	return "pgtape_template_" + hex.EncodeToString(hash.Sum(nil))[:16], err
}

// makeTemplate makes the template database on a server, if it is not there.
func makeTemplate(ctx context.Context, postgres string) error {
	name, err := templateName()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, postgres)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	// Packages are tested side by side: the first makes it.
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext('pgtape dbtest'))"); err != nil {
		return err
	}
	var done bool
	err = conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and datistemplate)", name).Scan(&done)
	if err != nil || done {
		return err
	}
	for _, statement := range []string{"drop database if exists " + name, "create database " + name} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := db.MigrateUp(ctx, Sibling(postgres, name)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "alter database "+name+" is_template true")
	return err
}

// databaseURL is the server's URL with another database. With sockets the host is in the query.
func databaseURL(name string) string { return Sibling(postgres, name) }

// Sibling is the URL of another database of the same server.
func Sibling(database, name string) string {
	u, err := url.Parse(database)
	if err != nil {
		return database
	}
	u.Path = "/" + name
	return u.String()
}

// DB is a test's own database, opened as a superuser.
type DB struct {
	*db.DB
}

// New gives a test a database, which goes with it.
func New(t testing.TB) *DB {
	t.Helper()
	return Open(t, Clone(t))
}

// Open opens a database for the length of a test.
func Open(t testing.TB, url string) *DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, db.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return &DB{DB: d}
}

// ExecAt runs statements on a database, each in a transaction of its own.
func ExecAt(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Clone makes a database from the template and returns its URL.
func Clone(t testing.TB) string {
	t.Helper()
	template, err := templateName()
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	statement(t, "create database "+name+" template "+template)
	t.Cleanup(func() { statement(t, "drop database "+name+" with (force)") })
	return databaseURL(name)
}

// Empty makes a database without a schema and returns its URL. options are those of create database.
func Empty(t testing.TB, options ...string) string {
	t.Helper()
	name := NewName(t)
	statement(t, "create database "+name+" "+strings.Join(options, " "))
	return databaseURL(name)
}

func statement(t testing.TB, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	// A template that somebody else is cloning at this moment is free again soon.
	for deadline := time.Now().Add(time.Minute); ; {
		_, err = conn.Exec(ctx, sql)
		var pg *pgconn.PgError
		if err == nil {
			return
		}
		if !errors.As(err, &pg) || pg.Code != "55006" || time.Now().After(deadline) {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// AsServer opens the database as a server does: with a login that has the rights of pgtape_server, and no
// others.
func (d *DB) AsServer(t testing.TB) *db.DB {
	t.Helper()
	server, err := db.Open(t.Context(), d.ServerURL(t), db.Options{AsServer: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// serverLogin is a login like the one that a server is given.
const serverLogin = "pgtape_test_server"

// ServerURL is the database's URL for a login that has the rights of pgtape_server, and no others.
func (d *DB) ServerURL(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, given := u.User.Password()
	d.Exec(t, `do $$
		begin
			create role `+serverLogin+` login replication in role pgtape_server;
		exception -- others test on this server, too
			when duplicate_object or unique_violation then null;
		end; $$`)
	u.User = url.User(serverLogin)
	if given {
		d.Exec(t, "alter role "+serverLogin+" password '"+strings.ReplaceAll(password, "'", "''")+"'")
		u.User = url.UserPassword(serverLogin, password)
	}
	return u.String()
}

// Proof signs somebody in, so that a server may do for the account what takes a session.
func (d *DB) Proof(t testing.TB, handle string) context.Context {
	t.Helper()
	token, _, err := d.CreateSession(t.Context(), handle, "")
	if err != nil {
		t.Fatal(err)
	}
	return db.WithProof(t.Context(), token)
}

// Account creates an account with a balance and returns its handle.
func (d *DB) Account(t testing.TB, balance db.Decimal) string {
	t.Helper()
	account, err := d.CreateAccount(t.Context(), "a"+strings.ToLower(rand.Text()[:10]), balance)
	if err != nil {
		t.Fatal(err)
	}
	return account.Handle
}

// MarketOption makes a market other than the usual one.
type MarketOption func(*marketOptions)

type marketOptions struct {
	market db.NewMarket
	closed bool
}

// Closed makes a market that no longer trades.
func Closed(o *marketOptions) { o.closed = true }

// Outcomes makes a market of these outcomes.
func Outcomes(names ...string) MarketOption {
	return func(o *marketOptions) { o.market.Outcomes = names }
}

// Liquidity makes a market of this b.
func Liquidity(b db.Decimal) MarketOption {
	return func(o *marketOptions) { o.market.Liquidity = b }
}

// Market makes a market of yes and no with b = 100, paid by the house, and returns its slug.
func (d *DB) Market(t testing.TB, options ...MarketOption) string {
	t.Helper()
	o := marketOptions{market: db.NewMarket{Slug: "m" + strings.ToLower(rand.Text()[:10]), Question: "Will it?"}}
	for _, option := range options {
		option(&o)
	}
	market, err := d.CreateMarket(t.Context(), o.market)
	if err == nil && o.closed {
		market, err = d.CloseMarket(t.Context(), market.Slug, "test")
	}
	if err != nil {
		t.Fatal(err)
	}
	return market.Slug
}

// Exec runs a statement as the superuser.
func (d *DB) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := d.Pool().Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Verify fails the test with each invariant of the book that is broken.
func (d *DB) Verify(t testing.TB) {
	t.Helper()
	violations, err := d.DB.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Errorf("broken: %s: %s: %s", v.Invariant, v.Subject, v.Problem)
	}
}

// WaitUntil looks again and again, for half a minute, whether something has come about.
func WaitUntil(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
