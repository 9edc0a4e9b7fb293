package db_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/dbtest"
	schema "github.com/pgtape/pgtape/sql"
)

func needsOf(t *testing.T, url string, to db.Purpose) (subjects []string, needs []db.Need) {
	t.Helper()
	conn, err := connect.Open(t.Context(), url, connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if needs, err = db.Needs(t.Context(), conn, to); err != nil {
		t.Fatal(err)
	}
	for _, n := range needs {
		if n.What == "" || n.Mend == "" {
			t.Errorf("%+v says too little", n)
		}
		subjects = append(subjects, n.Subject)
	}
	return subjects, needs
}

// newLogin makes a login, and returns its URL for a database.
func newLogin(t *testing.T, on, options string) (name string, url func(database string) string) {
	t.Helper()
	name = "n" + strings.ToLower(rand.Text()[:10])
	super := dbtest.Sibling(on, "postgres")
	run(t, super, "create role "+name+" login "+options)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), super)
		if err == nil {
			_, _ = conn.Exec(context.Background(), "drop role "+name) // an error: it owns what is dropped later
			_ = conn.Close(context.Background())
		}
	})
	return name, func(database string) string { return withParameter(database, "user="+name) }
}

func run(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// follow does what a need says mends it, as a superuser who reads it would.
func follow(t *testing.T, super string, n db.Need) {
	t.Helper()
	_, statements, ok := strings.Cut(n.Mend, ": ")
	if !ok {
		statements = n.Mend
	}
	run(t, super, strings.Split(statements, "; ")...)
}

// The file of grants is what a fresh database has, no more and no less.
func TestGrantsAreReadAsPostgresReadsThem(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	grants, err := schema.Grants()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, g := range grants {
		want[g.Role+" "+g.Privilege+" "+g.Object] = true
	}
	rows, err := d.Pool().Query(t.Context(), `
		select r.rolname || ' ' || lower(a.privilege_type) || ' ' || o.name
		from (
			select p.proacl as acl, n.nspname || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')' as name
			from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('pgtape', 'pgtape_core')
			union all
			select c.relacl, n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('pgtape', 'pgtape_core')
			union all
			select n.nspacl, n.nspname from pg_namespace n where n.nspname in ('pgtape', 'pgtape_core')
		) o
		cross join lateral aclexplode(o.acl) a
		join pg_roles r on r.oid = a.grantee
		where r.rolname like 'pgtape\_%' and r.rolname in ('pgtape_server', 'pgtape_trader', 'pgtape_operator', 'pgtape_auditor')`)
	if err != nil {
		t.Fatal(err)
	}
	have, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range have {
		if !want[g] {
			t.Errorf("the database has %s, which Grants does not read", g)
		}
		delete(want, g)
	}
	for g := range want {
		t.Errorf("Grants reads %s, which the database does not have", g)
	}
}

// After a restore that left things out, the state is looked at and not the digest; migrate up brings
// back what it may, and says the rest.
func TestWhatARestoreLeftOutIsBroughtBack(t *testing.T) {
	t.Parallel()
	const noPrivileges = `
		revoke all on schema pgtape from pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;
		revoke all on all functions in schema pgtape, pgtape_core from pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;
		revoke all on all tables in schema pgtape, pgtape_core from pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor`
	tests := []struct {
		name, lost string
		want       []string // subjects of needs
	}{
		{"nothing", "select 1", nil},
		{"privileges", noPrivileges, []string{"grants"}},
		{"one right", "revoke execute on function pgtape.verify() from pgtape_server", []string{"grants"}},
		{"a view's rights", "revoke select on pgtape.heads from pgtape_server", []string{"grants"}},
		{"a function", "drop function pgtape.keep_doorbell_ringing()", []string{"grants"}},
		{"the publication", "drop publication pgtape_tape", []string{"publication"}},
		{"the publication's table", "alter publication pgtape_tape drop table pgtape_core.tape", []string{"publication"}},
		{"what it publishes", "alter publication pgtape_tape set (publish = 'delete')", []string{"publication"}},
		{"some rows", `
			do $$ begin
				if current_setting('server_version_num')::integer >= 150000 then
					alter publication pgtape_tape set table pgtape_core.tape where (seq > 1);
				else -- which has no such thing
					alter publication pgtape_tape drop table pgtape_core.tape;
				end if;
			end $$`, []string{"publication"}},
		{"all of it", noPrivileges + "; drop publication pgtape_tape", []string{"grants", "publication"}},
	}
	d := dbtest.New(t)
	_, url := newLogin(t, d.URL(), "replication in role pgtape_server")
	needs := func() []string {
		got, _ := needsOf(t, url(d.URL()), db.ToServe)
		return slices.DeleteFunc(got, func(s string) bool { return s == "owner" }) // of these tests, who is a superuser
	}
	for _, tt := range tests {
		d.Exec(t, "begin; "+tt.lost+"; commit")
		if got := needs(); !slices.Equal(got, tt.want) {
			t.Errorf("without %s the needs are %v, want %v", tt.name, got, tt.want)
		}
		if applied, err := db.MigrateUp(t.Context(), d.URL()); err != nil || (len(applied) > 0) != (tt.want != nil) {
			t.Errorf("without %s: applied %v, %v", tt.name, applied, err)
		}
		if got := needs(); len(got) > 0 {
			t.Errorf("without %s, after migrating: %v", tt.name, got)
		}
	}
}

// Each right that is asked for is one that is needed, and what is printed gives it.
func TestTheAdviceOnRightsMends(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, options string }{
		{"nothing but a login", ""},
		{"one that may make roles", "createrole"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			empty := dbtest.Empty(t)
			name, as := newLogin(t, empty, tt.options)
			login := as(empty)
			defer run(t, empty, fmt.Sprintf("drop owned by %s cascade", name))
			run(t, empty, "revoke create on schema public from public")
			subjects, needs := needsOf(t, login, db.ToMigrate)
			if !slices.Contains(subjects, "privileges") {
				t.Fatalf("the needs are %v", subjects)
			}
			if _, err := db.MigrateUp(t.Context(), login); db.CodeOf(err) != db.NotPermitted {
				t.Errorf("migrating without them: %v", err)
			}
			follow(t, empty, needs[len(needs)-1])
			if _, err := db.MigrateUp(t.Context(), login); err != nil {
				t.Fatalf("having done %q: %v", needs[len(needs)-1].Mend, err)
			}
			if got, _ := needsOf(t, login, db.ToServe); len(got) > 0 {
				t.Errorf("then: %v", got)
			}

			// A web login that has no rights yet.
			web, asWeb := newLogin(t, empty, "")
			defer run(t, empty, "drop owned by "+web)
			got, needs := needsOf(t, asWeb(empty), db.ToServe)
			if !slices.Equal(got, []string{"privileges"}) {
				t.Fatalf("a login without rights: %v", got)
			}
			follow(t, empty, needs[0])
			if got, _ := needsOf(t, asWeb(empty), db.ToServe); len(got) > 0 {
				t.Errorf("having done %q: %v", needs[0].Mend, got)
			}
		})
	}
}

// Who owns what is seen, and given to whom it should belong.
func TestOwnersAreBroughtBack(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	name, as := newLogin(t, d.URL(), "in role pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor")
	owner := as(d.URL())
	defer run(t, d.URL(), "drop owned by "+name+" cascade")
	if got, _ := needsOf(t, owner, db.ToMigrate); !slices.Equal(got, []string{"owner"}) {
		t.Errorf("who does not own the schema: %v", got)
	}
	if _, err := db.MigrateUp(t.Context(), owner); db.CodeOf(err) != db.NotPermitted || !strings.Contains(err.Error(), "belongs to") {
		t.Errorf("migrating what is another's: %v", err)
	}
	if got, _ := needsOf(t, owner, db.ToServe); !slices.Equal(got, []string{"owner"}) {
		t.Errorf("functions of a superuser: %v", got)
	}
	if err := db.GiveTo(t.Context(), d.URL(), name); err != nil {
		t.Fatal(err)
	}
	run(t, d.URL(), "grant create on schema public to "+name, "grant create on database "+pgx.Identifier{parentOf(t, d.URL())}.Sanitize()+" to "+name)
	d.Exec(t, "update pgtape_core.function_bundle set digest = ''")
	if applied, err := db.MigrateUp(t.Context(), owner); err != nil || len(applied) != 1 {
		t.Errorf("migrating what is its own: %v, %v", applied, err)
	}
	if got, _ := needsOf(t, owner, db.ToServe); len(got) > 0 {
		t.Errorf("then: %v", got)
	}
	d.Exec(t, "alter table pgtape_core.trade owner to current_user")
	if got, _ := needsOf(t, owner, db.ToServe); !slices.Equal(got, []string{"owner"}) {
		t.Errorf("one table of somebody else: %v", got)
	}
	if err := db.GiveTo(t.Context(), d.URL(), name); err != nil {
		t.Fatal(err)
	}
	if file, _ := backupOf(t, owner); len(file) == 0 {
		t.Error("its owner cannot back it up")
	}
}

// A database that takes no writes is said to.
func TestAReadOnlyDatabaseIsAFinding(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	_, url := newLogin(t, d.URL(), "in role pgtape_server")
	set(t, d.URL(), map[string]string{"default_transaction_read_only": "on"})
	for _, to := range []db.Purpose{db.ToServe, db.ToMigrate} {
		if got, _ := needsOf(t, url(d.URL()), to); !slices.Contains(got, "read only") {
			t.Errorf("the needs are %v", got)
		}
	}
	if _, err := db.MigrateUp(t.Context(), d.URL()); db.CodeOf(err) != db.NotPermitted || !strings.Contains(err.Error(), "no writes") {
		t.Errorf("migrating it: %v", err)
	}
}

// A logical copy brings rows and no sequences: verify names those that lag, migrate mends them.
func TestSequencesThatLagAreNamedAndMended(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market, ana := d.Market(t), d.Account(t, "1000")
	trade(t, d, ana, market, "yes", "3")
	var lagging []string
	for _, s := range []string{"account_id_seq", "ledger_transaction", "trade_id_seq"} {
		d.Exec(t, "select setval('pgtape_core."+s+"', 1, false)")
		lagging = append(lagging, "sequence pgtape_core."+s)
	}
	if _, err := d.CreateAccount(t.Context(), "bo", "1"); err == nil {
		t.Error("an account has a number that another has: nothing is tested")
	}
	violations, err := d.DB.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, v := range violations {
		named = append(named, v.Subject)
	}
	slices.Sort(named)
	if !slices.Equal(named, lagging) {
		t.Errorf("verify names %v, want %v", named, lagging)
	}
	if applied, err := db.MigrateUp(t.Context(), d.URL()); err != nil || len(applied) != len(lagging) {
		t.Errorf("migrated: %v, %v", applied, err)
	}
	d.Account(t, "1")
	trade(t, d, ana, market, "yes", "3")
	d.Verify(t)
}
