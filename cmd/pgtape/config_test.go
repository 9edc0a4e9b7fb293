package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// configured is a command after its flags have been filled, from a file with the text.
func configured(t *testing.T, text string, args ...string) (*cobra.Command, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pgtape.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, rest, err := newRoot().Find(append(args, "--config", file))
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, configure(cmd)
}

const twoEnvironments = `
log-level = "warn"
listen = "127.0.0.1:1" # of all
trusted-proxies = ["10.0.0.0/8", "::1"]

[env.development]
data-dir = "/tmp/dev"
drain = "0s"

[env.production]
database-url = "postgres://db/p?password=${SECRET}"
listen = "127.0.0.1:2"
rate-trades = 7
max-sockets = 100
speed = "max"
`

func TestAFileSetsFlags(t *testing.T) {
	t.Setenv("PGTAPE_MAX_SOCKETS", "300")
	tests := []struct {
		name string
		text string
		args []string
		want map[string]string
	}{
		{"its top holds for all", twoEnvironments, []string{"serve"}, map[string]string{
			"listen": "127.0.0.1:1", "log-level": "warn", "env": "", "database-url": "", "trusted-proxies": "[10.0.0.0/8,::1]", "rate-trades": "50",
		}},
		{"a block goes before the top, and nothing is expanded", twoEnvironments, []string{"serve", "--env", "production"}, map[string]string{
			"listen": "127.0.0.1:2", "log-level": "warn", "database-url": "postgres://db/p?password=${SECRET}", "rate-trades": "7", "max-sockets": "300",
		}},
		{"a flag goes before both", twoEnvironments, []string{"serve", "--env", "production", "--listen", "127.0.0.1:3", "--max-sockets", "5"}, map[string]string{
			"listen": "127.0.0.1:3", "max-sockets": "5",
		}},
		{"commands take what is theirs", twoEnvironments, []string{"sql", "--env", "development", "select 1"}, map[string]string{"data-dir": "/tmp/dev"}},
		{"the only environment is the one", "[env.staging]\nlisten = ':1'", []string{"serve"}, map[string]string{"env": "staging", "listen": ":1"}},
		{"none may be wanted", "[env.staging]\nlisten = ':1'", []string{"serve", "--env", ""}, map[string]string{"env": "", "listen": "127.0.0.1:8080"}},
		{"a branch is of another environment", twoEnvironments, []string{"branch", "create", "x", "--from", "production", "--env", "development"}, map[string]string{
			"database-url": "postgres://db/p?password=${SECRET}", "data-dir": "",
		}},
		{"an environment needs no block", "listen = ':1'", []string{"serve", "--env", "production"}, map[string]string{"env": "production", "listen": ":1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd, err := configured(t, tt.text, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range tt.want {
				if got := cmd.Flags().Lookup(name).Value.String(); got != want {
					t.Errorf("--%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestAFileIsReadStrictly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		args       string
		want       string // behind the file's name
	}{
		{"an unknown key", "listen = ':1'\nlisen = ':1'", "serve", ":2: there is no key lisen: did you mean listen?"},
		{"an unknown key of a block that is not chosen", "[env.a]\nlisten = ':1'\n\n[env.b]\n'data_dir' = 'x'", "serve --env a", ":5: there is no key data_dir: did you mean data-dir?"},
		{"an unknown key that is like no other", "wifi = true", "serve", ":1: there is no key wifi: there are "},
		{"a block that is none of an environment", "[serve]\nlisten = ':1'", "serve", ":1: there is no key serve: "},
		{"a wrong type", "[env.a]\nlisten = 8080", "serve", ":2: listen wants a string in quotes, and has 8080"},
		{"a number for a duration", "drain = 3", "serve", `:1: drain wants a duration in quotes such as "3s", and has 3`},
		{"a string for a number", "[env.a]\nmax-sockets = '5'", "migrate up", `:2: max-sockets wants a whole number, and has the string "5"`},
		{"a string for a list", "trusted-proxies = '::1'", "serve", `:1: trusted-proxies wants a list of strings, and has the string "::1"`},
		{"a string for a switch", "no-limits = 'yes'", "serve", `:1: no-limits wants true or false, and has the string "yes"`},
		{"what must be typed", "\nyes = true", "migrate down", ":2: yes is for the command line, not for a file"},
		{"a key with dots", "listen = ':1'\nenv.a.listen = 8080", "serve", ":2: listen wants a string in quotes, and has 8080"},
		{"a block in a line", "listen = ':1'\nenv = { a = { no-limits = true,\nlisten = 8080 } }", "serve", ":3: listen wants a string in quotes, and has 8080"},
		{"a quoted block, behind a text that looks like it", "listen = \"\"\"\n[env.a]\ndrain = 3 # \"\"\"\n[env.\"a\"]\n'drain' = 3", "serve", `:5: drain wants a duration`},
		{"a list of blocks", "[[listen]]\na = 1", "serve", ":1: listen wants a string in quotes, and has a list"},
		{"no TOML", "listen = ':1'\nlisten ':2'", "serve", ":2: "},
		{"a key twice", "listen = ':1'\nlisten = ':2'", "serve", ":2: "},
		{"no name of an environment", "[env.Prod]\nlisten = ':1'", "serve", `:1: "Prod" is no name of an environment`},
		{"no block of an environment", "env = 'production'", "serve", ":1: env holds the blocks of environments"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := configured(t, tt.text, strings.Fields(tt.args)...)
			if err == nil || !strings.Contains(err.Error(), "pgtape.toml"+tt.want) {
				t.Errorf("told %v, want …pgtape.toml%s", err, tt.want)
			}
		})
	}
	_, err := configured(t, twoEnvironments, "serve", "--env", "prodction")
	if err == nil || !strings.Contains(err.Error(), "there is no [env.prodction]") || !strings.Contains(err.Error(), "did you mean production?") {
		t.Errorf("an unknown environment: %v", err)
	}
	if code, _, stderr := pgtape(t, "serve", "--config", "/nowhere.toml"); code != 2 || !strings.Contains(stderr, "/nowhere.toml") {
		t.Errorf("a file that is not there: exit code %d, %s", code, stderr)
	}
}
