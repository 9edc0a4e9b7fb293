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
	made := regexp.MustCompile(`(pgx|pgconn|pgxpool)\.(Connect|ParseConfig|New)\(|(pgx)\.ConnectConfig\(|(sql|stdlib)\.Open(DB|DBFromPool)?\(|stdlib\.(Get|Register)\w+\(`)
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

// Another login of the same database has nothing of the one whose URL was given.
func TestAnotherLoginOfTheSameDatabase(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"postgres://op:secret@%2Fvar%2Frun%2Fpostgresql/pgtape",
		"postgres://op:secret@one:5432,two/pgtape?sslmode=disable",
		"postgresql://op:secret@one:1,two:2,[::1]:3/pgtape",
		"postgres://op:sec?ret@one/pgtape?application_name=a%26b",
		"postgres:///pgtape?host=/tmp&user=op&password=secret",
		"postgres://one/pgtape?us%65r=op&PASSWORD=secret&pass%77ord=secret&connect_timeout=3",
		"postgres://op:secret@one?sslpassword=secret&passfile=/secret",
		"host=/var/run/postgresql port=5433 user=op password=secret dbname=pgtape",
		`user = 'op' host=one password = 'it\'s secret \\' dbname=pgtape`,
		`password=se\ cret host='one' user=op`,
	} {
		before, err := Config(text, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, password := range []string{"fresh", `q'u o"te\&?#@/:`} {
			other := WithLogin(text, "trader_ana", password)
			after, err := Config(other, Options{})
			if err != nil || after.User != "trader_ana" || after.Password != password {
				t.Fatalf("%s: %s, %v", text, other, err)
			}
			if after.Host != before.Host || after.Port != before.Port || after.Database != before.Database || len(after.Fallbacks) != len(before.Fallbacks) {
				t.Errorf("%s: another database: %s", text, other)
			}
			if regexp.MustCompile(`(?i)op\b|secret|cret`).MatchString(other) {
				t.Errorf("%s: %s has the given login", text, other)
			}
		}
		rest, password := WithoutPassword(text)
		if strings.Contains(text, "/secret") {
			continue // the other secrets are for psql to read
		}
		if same, err := Config(rest, Options{}); err != nil || password != before.Password || same.Password != "" || same.User != "op" || same.Database != before.Database {
			t.Errorf("%s: %s without %q, %v", text, rest, password, err)
		}
	}
	for _, text := range []string{"postgres://op:sec%zzret@h", "user=op password='secret", "op:secret", "postgresql:/op:secret@h/d", "http://op:secret@h/d?a=b"} {
		if other := WithLogin(text, "trader_ana", "fresh"); strings.Contains(other, "sec") {
			t.Errorf("%s: %s", text, other)
		}
	}
}

// A URL that cannot be read is not shown: where its password is, is anybody's guess.
func TestAPasswordIsInNoError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"postgres://op:secret%zz@h/d", "postgres://op:x/secret@h/d", "postgres://op:x#secret@h:54x/d", "postgres://op:secret@h:x/d",
		"user=op password='x secret", "password = secret host=h port=x", "PASSWORD=secret host=h port=x", "postgresql:/op:secret@h/d",
		"op:secret@h/d", "http://op:secret@h/d?a=b", "Postgres://op:secret@h/d?sslmode=disable", "user=op password=`: secret port=x",
	} {
		_, err := Config(text, Options{})
		if _, poolErr := PoolConfig(text, Options{}); err == nil || poolErr == nil || strings.Contains(err.Error()+poolErr.Error(), "secret") {
			t.Errorf("%s: %v, %v", text, err, poolErr)
		}
	}
}
