package db_test

import (
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func branchesOf(t *testing.T, url string) *db.Branches {
	t.Helper()
	branches, err := db.BranchesOf(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		list, err := branches.List(t.Context())
		if t.Context().Err() != nil {
			return
		}
		for _, branch := range list {
			_ = branches.Delete(t.Context(), branch.Name)
		}
		if err != nil {
			t.Error(err)
		}
	})
	return branches
}

// A branch made while people trade is sound, and has all but what lets somebody in.
func TestABranchHasAllButWhatLetsSomebodyIn(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market, ana := d.Market(t), d.Account(t, "1000")
	d.Exec(t, `
		insert into pgtape_core.session (token_hash, account_id, expires_at)
		select sha256('x'), a.id, now() + interval '1 day' from pgtape_core.account a where a.handle = $1`, ana)
	d.Exec(t, `
		insert into pgtape_core.credential (account_id, phc)
		select a.id, '$argon2id$x' from pgtape_core.account a where a.handle = $1`, ana)
	trade := func() error {
		_, err := d.Trade(t.Context(), db.Order{Account: ana, Market: market, Outcome: "yes", Side: "buy", Shares: "0.01", MaxCost: "1"})
		return err
	}
	if err := trade(); err != nil {
		t.Fatal(err)
	}
	before := contents(t, d.URL())

	over, traded := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-over:
				traded <- nil
				return
			default:
			}
			if err := trade(); err != nil {
				traded <- err
				return
			}
		}
	}()
	branches := branchesOf(t, d.URL())
	branch, err := branches.Create(t.Context(), "fix", false)
	close(over)
	if err := <-traded; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := branches.Delete(t.Context(), "fix"); err != nil {
			t.Error(err)
		}
	}()

	name, err := db.Environment(t.Context(), branches.URLOf(branch))
	if err != nil || name != "branch:fix" {
		t.Errorf("its environment is %q, %v", name, err)
	}
	for table, rows := range contents(t, branches.URLOf(branch)) {
		if want := before[table] != "" && !db.IsSecret(table); want != (rows != "") && table != "audit_entry" {
			t.Errorf("%s has the rows\n%s\nand on the parent\n%s", table, rows, before[table])
		}
	}
	if before["session"] == "" || before["credential"] == "" {
		t.Error("nobody was signed in, or has a password: nothing is tested")
	}
	copied, err := db.Open(t.Context(), branches.URLOf(branch), db.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if violations, err := copied.Verify(t.Context()); err != nil || len(violations) > 0 {
		t.Errorf("%v, %v", violations, err)
	}
	d.Verify(t)
}

// Whoever adds a table with a secret in it has to say whether a branch begins with it.
func TestTablesWithSecretsAreKnownToBranches(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	rows, err := d.Pool().Query(t.Context(), `
		select distinct c.relname::text
		from pg_attribute a
		join pg_class c on c.oid = a.attrelid
		where c.relnamespace = 'pgtape_core'::regnamespace and c.relkind = 'r' and a.attnum > 0
			and a.attname ~ '(token|secret|password|phc|key_hash|code_hash)'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if !db.IsSecret(table) {
			t.Errorf("a branch would begin with %s, which holds a secret: see secret in branches.go", table)
		}
	}
	if len(tables) == 0 {
		t.Error("no table holds a secret: nothing is tested")
	}
}

func TestOnlyBranchesAreDeleted(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	branches := branchesOf(t, d.URL())
	parent := parentOf(t, d.URL())
	foreign := pgx.Identifier{parent + "_branch_mine"}.Sanitize()
	d.Exec(t, "create database "+foreign)
	defer d.Exec(t, "drop database "+foreign)

	for _, comment := range []string{"", "my own", `pgtape branch {"name":"mine","of":"another"}`, `pgtape branch {"name":"other","of":"` + parent + `"}`, "pgtape branch {"} {
		d.Exec(t, "comment on database "+foreign+" is '"+comment+"'")
		if err := branches.Delete(t.Context(), "mine"); db.CodeOf(err) != db.NotFound {
			t.Fatalf("with the comment %q: %v", comment, err)
		}
	}
	if _, err := branches.Create(t.Context(), "mine", true); db.CodeOf(err) != db.AlreadyExists {
		t.Errorf("over a database that is there: %v", err)
	}
	for _, name := range []string{"", "Fix", "1st", "a b", `x"; drop database postgres; --`, "x'y", "../x", strings.Repeat("x", 32)} {
		if _, err := branches.Create(t.Context(), name, true); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("a branch called %q: %v", name, err)
		}
	}
}

func TestWhoMayMakeBranches(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	name := "t" + strings.ToLower(rand.Text()[:10])
	d.Exec(t, "create role "+name+" login password 'x' in role pgtape_server")
	defer d.Exec(t, "drop role "+name)
	as, err := url.Parse(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	query := as.Query()
	if query.Get("user") != "" {
		query.Set("user", name)
		query.Set("password", "x")
		as.RawQuery = query.Encode()
	}
	as.User = url.UserPassword(name, "x")
	branches, err := db.BranchesOf(as.String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = branches.Create(t.Context(), "fix", true)
	if db.CodeOf(err) != db.NotPermitted {
		t.Errorf("without createdb: %v", err)
	}
	d.Exec(t, "alter role "+name+" createdb")
	// The parent's tables are not this login's: what was begun is taken away again.
	if _, err = branches.Create(t.Context(), "fix", false); err == nil {
		t.Error("a login that owns no tables has copied them")
	}
	if list, err := branches.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("left: %+v, %v", list, err)
	}
}

func parentOf(t *testing.T, url string) string {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return config.Database
}

func TestAnEnvironmentIsNamedByWhoServes(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	name := "t" + strings.ToLower(rand.Text()[:10])
	d.Exec(t, "create role "+name+" login in role pgtape_server")
	defer d.Exec(t, "drop role "+name)
	set := func(name string) error {
		conn, err := d.Pool().Acquire(t.Context())
		if err != nil {
			return err
		}
		defer conn.Release()
		_, err = conn.Exec(t.Context(), "select pgtape.set_environment($1)", name)
		return db.Refusal(err)
	}
	serving := func(env string) error {
		conn, err := d.Pool().Acquire(t.Context())
		if err != nil {
			return err
		}
		defer conn.Release()
		if _, err := conn.Exec(t.Context(), "set session authorization "+name); err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), "select pgtape.set_environment($1)", env)
		_, _ = conn.Exec(t.Context(), "reset session authorization")
		return db.Refusal(err)
	}
	for _, bad := range []string{"", "Prod", "a b", "branch:", "x:y", strings.Repeat("x", 32)} {
		if err := set(bad); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("an environment called %q: %v", bad, err)
		}
	}
	if err := serving("production"); err != nil {
		t.Errorf("a server names it first: %v", err)
	}
	if err := serving("development"); db.CodeOf(err) != db.NotPermitted {
		t.Errorf("a server names it again: %v", err)
	}
	if err := set("staging"); err != nil {
		t.Errorf("an operator names it again: %v", err)
	}
	if got, err := db.Environment(t.Context(), d.URL()); err != nil || got != "staging" {
		t.Errorf("it is %q, %v", got, err)
	}
	if got, err := db.Environment(t.Context(), dbtest.Empty(t)); err != nil || got != "" {
		t.Errorf("of a database without a pgtape: %q, %v", got, err)
	}
}
