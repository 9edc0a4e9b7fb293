package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The architecture as a table: what of ours, and of the libraries that belong to one place, each
// package may import. Tests may import more.
var allowed = map[string][]string{
	"cmd/pgtape":      {"audit", "bench", "bench/compare", "bench/rivals", "client", "db", "db/connect", "db/embedded", "db/tape", "db/hosts", "doctor", "flow", "password", "placement", "server", "server/edge", "github.com/pelletier/go-toml/v2", "github.com/spf13/cobra", "golang.org/x/crypto"},
	"audit":           {"audit/lmsr"},
	"audit/lmsr":      {"github.com/cockroachdb/apd/v3"},
	"bench":           {"client", "github.com/gorilla/websocket"},
	"bench/compare":   {"bench", "bench/rivals", "client"},
	"bench/rivals":    {"bench", "db", "github.com/jackc/pgx/v5"},
	"client":          {"github.com/gorilla/websocket"},
	"doctor":          {"db", "db/connect", "db/tape", "github.com/jackc/pgx/v5"},
	"fairqueue":       {},
	"flow":            {"db"},
	"password":        {"fairqueue", "golang.org/x/crypto"},
	"placement":       {"db/connect"},
	"server":          {"db", "db/tape", "fairqueue", "password", "server/cache", "server/card", "server/edge", "server/hub", "server/orders", "server/state", "static", "github.com/coreos/go-oidc/v3", "github.com/gorilla/feeds", "github.com/labstack/echo/v4", "github.com/olahol/melody", "github.com/gorilla/websocket"},
	"server/cache":    {"db", "db/tape"},
	"server/card":     {"golang.org/x/image"},
	"server/edge":     {"db", "db/tape", "fairqueue", "github.com/gorilla/websocket"},
	"server/hub":      {"fairqueue"},
	"server/orders":   {"db"},
	"server/state":    {"audit/lmsr", "db", "db/tape"},
	"static":          {"static/markdown", "github.com/andybalholm/brotli"},
	"static/markdown": {"github.com/yuin/goldmark", "github.com/microcosm-cc/bluemonday"},
	"sql":             {},
	"db":              {"db/connect", "db/embedded", "db/hosts", "db/pgtime", "db/tape", "sql", "github.com/jackc/pgx/v5", "github.com/pressly/goose/v3"},
	"db/connect":      {"db/hosts", "github.com/jackc/pgx/v5"},
	"db/hosts":        {"db/keyshare", "github.com/jackc/pgx/v5"},
	"db/keyshare":     {"github.com/jackc/pgx/v5"},
	"db/pgtime":       {"github.com/jackc/pgx/v5"},
	"db/tape":         {"db/connect", "db/hosts", "db/pgtime", "github.com/jackc/pgx/v5", "github.com/jackc/pglogrepl"},
	"db/embedded":     {"db/connect"},
	"e2e":             {},

	// For tests only.
	"db/dbtest":         {"db", "db/embedded", "e2e/lag", "e2e/link", "sql", "github.com/jackc/pgx/v5"},
	"db/dbtest/texts":   {},
	"db/booktest":       {},
	"server/servertest": {"db", "db/dbtest", "db/tape", "e2e/lag", "server"},
	"e2e/lag":           {},
	"e2e/link":          {},
	"e2e/delivery":      {},

	// Of scripts/lint.
	"scripts/analyzers": {},
}

// homes are the libraries that have one.
var homes = []string{
	"github.com/jackc/pgx/v5", "github.com/jackc/pglogrepl", "github.com/pressly/goose/v3", "github.com/labstack/echo/v4",
	"github.com/olahol/melody", "github.com/gorilla/websocket", "github.com/spf13/cobra",
	"github.com/pelletier/go-toml/v2", "github.com/cockroachdb/apd/v3", "github.com/coreos/go-oidc/v3", "github.com/gorilla/feeds", "golang.org/x/crypto", "golang.org/x/image",
	"github.com/yuin/goldmark", "github.com/microcosm-cc/bluemonday", "github.com/andybalholm/brotli",
}

const module = "github.com/pgtape/pgtape/"

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		place := strings.TrimPrefix(p.ImportPath, module)
		may, ok := allowed[place]
		if !ok {
			t.Errorf("%s is in no row of the table", place)
		}
		for _, imported := range p.Imports {
			if name := belongs(imported); name != "" && !slices.Contains(may, name) {
				t.Errorf("%s imports %s", place, imported)
			}
		}
	}
}

// belongs names the package of ours, or the library with a home, that an import is of.
func belongs(imported string) string {
	if name, ours := strings.CutPrefix(imported, module); ours {
		return name
	}
	for _, home := range homes {
		if imported == home || strings.HasPrefix(imported, home+"/") {
			return home
		}
	}
	return ""
}
