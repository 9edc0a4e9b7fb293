package booktest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// caller is somebody who calls the functions, over a connection of his own.
type caller struct {
	*db.DB
	login    string
	operator bool     // runs markets, grants credits
	server   bool     // acts for any account
	account  *account // the one that its login is mapped to; nil: none
}

// name is how events call it.
func (c caller) name() string {
	if c.account != nil {
		return c.account.handle
	}
	return "login:" + c.login
}

// doors are the callers of one database: the operator (a superuser), the server (which acts for
// accounts), a trader with an account of his own, and a stranger who may trade but has none.
type doors struct {
	operator, server, trader, stranger *caller
}

func (d *doors) all() []*caller { return []*caller{d.operator, d.server, d.trader, d.stranger} }

// logins are the SQL logins behind the doors, for every database of the cluster.
type logins struct{ server, trader, stranger string }

// makeLogins creates logins, which go with the test.
func makeLogins(t testing.TB) logins {
	t.Helper()
	suffix := strings.ToLower(rand.Text())
	l := logins{"booktest_server_" + suffix, "booktest_trader_" + suffix, "booktest_stranger_" + suffix}
	cluster := dbtest.Clone(t)
	run := func(statements string) {
		t.Helper()
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.Connect(ctx, cluster)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, statements); err != nil {
			t.Fatal(err)
		}
	}
	run("create role " + l.server + " login in role pgtape_server; create role " + l.trader +
		" login in role pgtape_trader; create role " + l.stranger + " login in role pgtape_trader")
	t.Cleanup(func() { run("drop role " + l.server + "; drop role " + l.trader + "; drop role " + l.stranger) })
	return l
}

// open makes a database and opens it as everybody.
func (l logins) open(t testing.TB) *doors {
	t.Helper()
	base := dbtest.Clone(t)
	as := func(login string) *caller {
		t.Helper()
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if login != "" {
			u.User = url.User(login)
		}
		opened, err := db.Open(t.Context(), u.String(), db.Options{MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(opened.Close)
		c := &caller{DB: opened, login: login}
		if err := opened.Pool().QueryRow(t.Context(), "select session_user").Scan(&c.login); err != nil {
			t.Fatal(err)
		}
		return c
	}
	d := &doors{operator: as(""), server: as(l.server), trader: as(l.trader), stranger: as(l.stranger)}
	d.operator.operator, d.operator.server, d.server.server = true, true, true
	const unruled = "select pgtape.set_setting('markets_per_day', '999999'), pgtape.set_setting('market_min_liquidity', '0')"
	if _, err := d.operator.Pool().Exec(t.Context(), unruled); err != nil { // rules of the site are none of the book
		t.Fatal(err)
	}
	return d
}

// codeOf is the code of an error; what Postgres itself forbids is not permitted.
func codeOf(err error) db.Code {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return db.NotPermitted
	}
	return db.CodeOf(err)
}

// scope is a test whose cleanups can be done before it ends: a database goes when the next comes.
type scope struct {
	testing.TB
	cleanups []func()
}

func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scope) end() {
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		f := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		f()
	}
}
