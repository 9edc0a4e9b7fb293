package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
)

// said is what a command is to say: its exit code, what is wrong, and what mends it. A server that
// starts all the same says it before it serves; then the code is 0.
type said struct {
	code       int
	what, mend string
}

// wrong is a database, or a login, with which something is wrong.
type wrong struct {
	name          string
	server, owner string // URLs of the login that serves, and of the one that migrates
	doctor, serve said
	migrate       said
	mend          []string // a command, after which pgtape serve finds nothing wrong
}

// Whatever is wrong with a database or a login, each command says in a sentence what it is and what
// mends it, and comes to an end.
func TestEachCommandSaysWhatIsWrongAndWhatMendsIt(t *testing.T) {
	t.Parallel()
	for _, row := range wrongDatabases(t) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.doctor.check(t, "doctor", "--database-url", row.server)
			row.serve.check(t, "serve", "--listen", "127.0.0.1:0", "--drain", "0s", "--database-url", row.server)
			row.migrate.check(t, "migrate", "up", "--database-url", row.owner)
			if row.mend == nil {
				return
			}
			said{0, "", ""}.check(t, row.mend...)
			out := said{0, "serving", ""}.check(t, "serve", "--listen", "127.0.0.1:0", "--drain", "0s", "--database-url", row.server)
			if strings.Contains(out, "lacks") {
				t.Errorf("after %v: %s", row.mend, out)
			}
		})
	}
}

// check runs a command, a server until it serves.
func (s said) check(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := command(ctx, args...)
	out := &serving{ended: func() { _ = cmd.Process.Signal(syscall.SIGTERM) }}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	text := out.String()
	if ctx.Err() != nil {
		t.Errorf("%s hangs (%v):\n%s", args[0], err, text)
	} else if code := cmd.ProcessState.ExitCode(); code != s.code || !strings.Contains(text, s.what) || !strings.Contains(text, s.mend) {
		t.Errorf("%s: exit code %d, want %d, %q and %q:\n%s", args[0], code, s.code, s.what, s.mend, text)
	}
	return text
}

// serving is the output of a server, which is ended when it serves.
type serving struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ended func()
}

func (s *serving) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Contains(p, []byte("msg=serving")) {
		s.ended()
	}
	return s.text.Write(p)
}

func (s *serving) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// wrongDatabases makes them on one server, which a standby follows, and one that has no roles of ours.
// Commits in the database unsafe wait for a synchronous standby that is not there, in the others not.
func wrongDatabases(t *testing.T) []wrong {
	pair := dbtest.NewPair(t, "synchronous_commit", "local", "synchronous_standby_names", "gone")
	bare := dbtest.NewOwn(t)
	bare.Exec(t, "create role plain login", "revoke create on schema public from public")
	super := pair.First.Superuser()
	url := pair.First.URL
	dbtest.ExecAt(t, url(super, "postgres"),
		"create role web login replication in role pgtape_server",
		"create role one login replication connection limit 1 in role pgtape_server, pgtape_owner",
		"create role hasty login replication in role pgtape_server, pgtape_owner",
		"alter role hasty set statement_timeout = 900",
		"create role short login replication in role pgtape_server, pgtape_owner",
		"alter role short set lock_timeout = 1",
		"create database readonly template pgtape",
		"create database unsafe template pgtape",
		"create database unpublished template pgtape",
		"create database crowded template pgtape connection limit 0",
		"create database restored",
		"create database bytes "+dbtest.Encoded(t, url(super, "postgres"), "SQL_ASCII"),
		"create database latin "+dbtest.Encoded(t, url(super, "postgres"), "LATIN1"),
		"alter database readonly set default_transaction_read_only = on",
		"alter database unsafe set synchronous_commit = on")
	dbtest.ExecAt(t, url(super, "unpublished"), "alter publication pgtape_tape drop table pgtape_core.tape")

	readOnly := said{2, "default_transaction_read_only is on", `alter database "readonly" reset`}
	standby := said{2, "takes no writes", "name the primary, or all servers"}
	waits := said{2, "waits for a synchronous standby", "start the standby; or go on without"}
	encoded := func(in string) said {
		return said{2, "is encoded in " + in, "_utf8\" encoding 'UTF8' template template0"}
	}
	nothing := said{0, "nothing to do", ""}
	rows := []wrong{
		{
			name: "read-only", server: url("web", "readonly"), owner: url(db.OwnOwner, "readonly"),
			doctor: readOnly.with(1), serve: readOnly, migrate: readOnly,
		},
		{
			name: "SQL_ASCII", server: url("web", "bytes"), owner: url(super, "bytes"),
			doctor: encoded("SQL_ASCII").with(1), serve: encoded("SQL_ASCII"), migrate: encoded("SQL_ASCII"),
		},
		{
			name: "LATIN1", server: url("web", "latin"), owner: url(super, "latin"),
			doctor: encoded("LATIN1").with(1), serve: encoded("LATIN1"), migrate: encoded("LATIN1"),
		},
		{
			name: "a standby", server: pair.Second.URL("web", db.OwnDatabase), owner: pair.Second.URL(db.OwnOwner, db.OwnDatabase),
			doctor: standby.with(1), serve: standby, migrate: standby,
		},
		{
			name: "a missing synchronous standby", server: url("web", "unsafe"), owner: url(db.OwnOwner, "unsafe"),
			doctor: waits.with(1), serve: waits.with(0), migrate: waits,
		},
		{
			name: "a publication without its table", server: url("web", "unpublished"), owner: url(db.OwnOwner, "unpublished"),
			doctor: said{0, "does not publish all that is inserted", "pgtape migrate up"}, serve: said{0, "does not publish all that is inserted", "pgtape migrate up"},
			migrate: said{0, "applied publication", ""},
			mend:    []string{"migrate", "up", "--database-url", url(db.OwnOwner, "unpublished")},
		},
		{
			name: "a login without rights, nor roles that it could have", server: bare.URL("plain", "postgres"), owner: bare.URL("plain", "postgres"),
			doctor:  said{1, "may not make the schema and its roles", "create role pgtape_server nologin; grant pgtape_server to"},
			serve:   said{2, "pgtape_server", "pgtape migrate up"},
			migrate: said{2, "may not make the schema and its roles", "create role pgtape_server nologin; grant pgtape_server to"},
		},
		{
			name: "one connection for the login", server: url("one", db.OwnDatabase), owner: url("one", db.OwnDatabase),
			doctor: said{1, `too many connections for role "one"`, "alter role one connection limit -1"},
			serve:  said{2, `too many connections for role "one"`, "raise the login's connection limit"}, migrate: said{2, `too many connections for role "one"`, "raise the login's connection limit"},
		},
		{
			name: "no connection to the database", server: url("web", "crowded"), owner: url(db.OwnOwner, "crowded"),
			doctor: said{2, "too many connections for database", "connection limit"},
			serve:  said{2, "too many connections for database", "connection limit"}, migrate: said{2, "too many connections for database", "connection limit"},
		},
		{
			name: "a short statement_timeout", server: url("hasty", db.OwnDatabase), owner: url("hasty", db.OwnDatabase),
			doctor: said{0, "statement_timeout", `alter role "hasty" in database "pgtape" set statement_timeout = '30s'`},
			serve:  said{0, "statement_timeout", "set statement_timeout = '30s'"}, migrate: nothing,
		},
		{
			name: "a short lock_timeout", server: url("short", db.OwnDatabase), owner: url("short", db.OwnDatabase),
			doctor: said{0, "lock_timeout", `alter role "short" in database "pgtape" set lock_timeout = '30s'`},
			serve:  said{0, "lock_timeout", "set lock_timeout = '30s'"}, migrate: nothing,
		},
	}
	if restore(t, url(super, db.OwnDatabase), url(super, "restored")) {
		rows = append(rows, wrong{
			name: "restored without owners and privileges", server: url("web", "restored"), owner: url(db.OwnOwner, "restored"),
			doctor: said{1, "as after a restore without privileges", "pgtape migrate up"}, serve: said{2, "as after a restore without privileges", "pgtape migrate up"},
			migrate: said{2, "the schema belongs to " + super, "pgtape migrate up --owner pgtape_owner"},
			mend:    []string{"migrate", "up", "--owner", "pgtape_owner", "--database-url", url(super, "restored")},
		})
	}
	return rows
}

func (s said) with(code int) said {
	s.code = code
	return s
}

// restore copies a database as PostgreSQL's own programs do, where they came with the server.
func restore(t *testing.T, from, to string) bool {
	t.Helper()
	programs, err := embedded.FindBinaries(dbtest.BinDir(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath(filepath.Join(programs.Dir, "pg_restore")); err != nil {
		t.Log("pg_restore did not come with this server: nothing is restored")
		return false
	}
	dump, err := exec.Command(filepath.Join(programs.Dir, "pg_dump"), "--format=custom", "--dbname", from).Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(programs.Dir, "pg_restore"), "--no-owner", "--no-privileges", "--dbname", to)
	cmd.Stdin = bytes.NewReader(dump)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return true
}
