package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": "15.18 15 18 true",
		"postgres (PostgreSQL) 18.4":                           "18.4 18 4 true",
		"initdb (PostgreSQL) 19beta2":                          "19beta2 19 -1 true",
		"postgres (PostgreSQL) 20devel":                        "20devel 20 -1 true",
		"16\n":                                                 "16 16 -1 true",
		"9.6":                                                  "9.6 9 6 true",
		"no number":                                            " 0 0 false",
	} {
		version, major, minor, ok := parseVersion(text)
		if got := fmt.Sprint(version, " ", major, minor, ok); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

// installation makes a folder with programs that tell a version and do no more.
func installation(t *testing.T, version string) string {
	t.Helper()
	dir := emptyDir(t)
	for _, program := range []string{"postgres", "initdb"} {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", program, version)
		must(t, os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755))
	}
	return dir
}

func TestNewestInstallationWins(t *testing.T) {
	t.Parallel()
	self := account{uid: os.Geteuid(), gid: os.Getegid()}
	old, small, big, early := installation(t, "13.20"), installation(t, "16.9"), installation(t, "16.10"), installation(t, "14rc1")
	broken := emptyDir(t)
	must(t, os.WriteFile(filepath.Join(broken, "postgres"), []byte("#!/bin/sh\nexit 3\n"), 0o755))
	all := []string{old, small, big, early, broken}

	for _, tt := range []struct {
		name  string
		dirs  []string
		major int
		want  string // empty: an error
	}{
		{"of all", all, 0, big},
		{"of one major version", all, 14, early},
		{"of a version that is too old", all, 13, ""},
		{"of a version that is not there", all, 18, ""},
		{"of none", nil, 0, ""},
		{"of what does not run", []string{broken}, 0, ""},
	} {
		b, err := newest(t.Context(), self, tt.dirs, tt.major)
		if b.Dir != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, b.Dir, err, tt.want)
		}
	}
	_, err := FindBinaries(old)
	mustContain(t, err, "older than 14")
	_, err = FindBinaries(emptyDir(t))
	mustContain(t, err, "no PostgreSQL server")
}

func TestLinkedProgramsAreFoundWhereTheyLie(t *testing.T) {
	t.Parallel()
	real, linked := installation(t, "17.5"), emptyDir(t)
	must(t, os.Symlink(filepath.Join(real, "postgres"), filepath.Join(linked, "postgres")))
	b, err := FindBinaries(linked)
	must(t, err)
	if b.Dir != real || b.Version != "17.5" || b.Major != 17 {
		t.Fatalf("found %+v", b)
	}
}

func TestRootPassesOverProgramsTheServersUserCannotReach(t *testing.T) {
	nobody := needRoot(t)
	t.Parallel()
	open, closed := installation(t, "15.1"), installation(t, "17.1")
	must(t, os.Chmod(closed, 0o700))
	b, err := newest(t.Context(), nobody, []string{open, closed}, 0)
	must(t, err)
	if b.Dir != open {
		t.Fatalf("picked %+v", b)
	}
}

func TestDataOfAnotherMajorVersion(t *testing.T) {
	t.Parallel()
	dir := usedDataDir(t)
	c := start(t, Options{DataDir: dir})
	bin, made := c.BinDir(), c.dir.pgdata()
	stop(t, c)

	must(t, os.WriteFile(filepath.Join(made, "PG_VERSION"), []byte("11\n"), 0o600))
	for _, forced := range []string{"", bin} {
		_, err := tryStart(t, Options{DataDir: dir, BinDir: forced})
		if !errors.Is(err, ErrVersion) {
			t.Fatalf("bin %q: err = %v, want ErrVersion", forced, err)
		}
		mustContain(t, err, "made by version 11")
	}

	must(t, os.Remove(filepath.Join(made, "PG_VERSION")))
	_, err := tryStart(t, Options{DataDir: dir})
	mustContain(t, err, "holds no database")
}

func TestAPsqlThatDoesNotRunIsNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		script string
		runs   bool
	}{
		"a client":                     {"echo 'psql (PostgreSQL) 15.18'", true},
		"a wrapper without one":        {"echo 'Error: You must install at least one postgresql-client-<version> package' >&2; exit 1", false},
		"a wrapper that does not fail": {"echo 'Error: You must install at least one postgresql-client-<version> package'", false},
		"something else":               {"exit 0", false},
	} {
		path := filepath.Join(emptyDir(t), "psql")
		must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o755))
		if got := psqlRuns(path); got != tt.runs {
			t.Errorf("%s: runs = %v", name, got)
		}
	}
}

func TestAnAccountWithoutANameIsToldWhy(t *testing.T) {
	t.Parallel()
	mustContain(t, account{uid: 54321, gid: 54321}.named(), "user id 54321 has no name on this machine")
	must(t, account{uid: os.Geteuid()}.named())
}
