package connect

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Nobody else opens a connection: it would depend on what a database sets for its sessions.
func TestConnectionsAreMadeHere(t *testing.T) {
	t.Parallel()
	made := regexp.MustCompile(`(pgx|pgconn|pgxpool)\.(Connect|ParseConfig|New)\(|(pgx)\.ConnectConfig\(|sql\.Open\(`)
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return fs.SkipDir
		}
		place := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		switch {
		case !strings.HasSuffix(place, ".go"), strings.HasSuffix(place, "_test.go"),
			strings.HasPrefix(place, "db/connect/"), strings.HasPrefix(place, "db/dbtest/"),
			strings.HasPrefix(place, "db/hosts/"),     // below: it reads a URL again for what rotates
			strings.HasPrefix(place, "bench/rivals/"): // tables of its own, of numbers
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if at := made.Find(text); at != nil {
			t.Errorf("%s calls %s…): let db/connect make the connection", place, at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a session of ours depends on is fixed, however the URL, or the environment, spells it.
func TestAURLDoesNotChangeWhatIsFixed(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://h/d?DateStyle=German&search_path=app&TimeZone=Asia/Tokyo&statement_timeout=5",
		"host=h dbname=d DATESTYLE=German Search_Path=app statement_timeout=5",
	} {
		config, err := Config(url, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range config.RuntimeParams {
			switch lower := strings.ToLower(name); lower {
			case "datestyle", "search_path", "timezone":
				want := tracked[lower] + fixed[lower]
				if value != want {
					t.Errorf("%s: %s is %s, want %s", url, name, value, want)
				}
			case "statement_timeout":
				if value != "5" {
					t.Errorf("%s: the limit of the URL is gone: %s", url, value)
				}
			}
		}
		if config, err = Config(url, Options{Unlimited: true}); err != nil || config.RuntimeParams["statement_timeout"] != "0" {
			t.Errorf("%s: unlimited: %v, %v", url, config.RuntimeParams, err)
		}
		if config, err = Config(url, Options{Pooled: true}); err != nil || config.RuntimeParams["intervalstyle"] != "" {
			t.Errorf("%s: what a pooler refuses: %v, %v", url, config.RuntimeParams, err)
		}
	}
}

// Another database of the same server, by every spelling of where that is.
func TestAnotherDatabaseOfTheSameServer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "with space", `q'uo"te\`, "ü&=?#%/+@", "x_branch_fix"} {
		for _, text := range []string{
			"postgres://ana:secret@127.0.0.1:5433/production?sslmode=disable",
			"postgres://ana@%2Fvar%2Frun%2Fpostgresql:5433/production",
			"postgresql://ana:se?cr%40et@a:1,b:2,[::1]:3/production",
			"postgres:///production?host=/tmp&port=5433&dbname=other",
			"postgres://ana@127.0.0.1:5433",
			"postgres://ana@127.0.0.1:5433/?",
			"host=/var/run/postgresql port=5433 user=ana dbname=production",
			`user='an\'a' host=h port=5433`,
		} {
			before, err := Config(text, Options{})
			if err != nil {
				t.Fatal(err)
			}
			after, err := Config(WithDatabase(text, name), Options{})
			if err != nil {
				t.Errorf("%s, %s: %v", text, name, err)
				continue
			}
			if after.Database != name {
				t.Errorf("%s: database %q, want %q", text, after.Database, name)
			}
			if after.Host != before.Host || after.Port != before.Port || after.User != before.User || after.Password != before.Password || len(after.Fallbacks) != len(before.Fallbacks) {
				t.Errorf("%s, %s: another server: %s:%d as %s", text, name, after.Host, after.Port, after.User)
			}
		}
	}
}
