// Analyzers is what scripts/lint has go vet run beside its own checks: errors that nobody looks at, bodies of
// answers that nobody closes, switches that leave out a value of their type and have no default. What it does
// not say has its reason here.
//
// Usage: go vet -vettool="$(go tool -n analyzers)" ./...
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/kisielk/errcheck/errcheck"
	"github.com/nishanths/exhaustive/passes/exhaustive"
	"github.com/timakin/bodyclose/passes/bodyclose"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

// ignored are the functions whose errors need not be looked at.
var ignored = []string{
	// What is closed or rolled back unseen was read, or has failed, and there is an error already. Files that
	// are written are closed once more by name, and that error is returned.
	"(io.Closer).Close", "(*os.File).Close", "(*os.Root).Close", "(io/fs.File).Close", "(*database/sql.DB).Close",
	"(net.Conn).Close", "(net.Listener).Close", "(*net/http.Server).Close",
	"(*github.com/jackc/pgx/v5.Conn).Close", "(*github.com/jackc/pgx/v5/pgconn.PgConn).Close", "(github.com/jackc/pgx/v5.Tx).Rollback", "(*github.com/gorilla/websocket.Conn).Close",
	"(*github.com/pgtape/pgtape/server.wire).Close",
	// Of temporary files: the system removes them in time.
	"os.Remove", "os.RemoveAll",
	// A report that nobody reads: Flush, or the file's Close, tells of the first error.
	"fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln",
}

// flags of exhaustive. The codes of refusals are many, and more may come: a switch over them names a few.
var flags = map[string]string{"d": "true", "typeignore": `/db\.Code$`}

func main() {
	errcheck.DefaultExcludedSymbols = append(errcheck.DefaultExcludedSymbols, ignored...)
	for name, value := range flags {
		if err := exhaustive.Analyzer.Flags.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	unitchecker.Main(outsideTests(errcheck.Analyzer), outsideTests(bodyclose.Analyzer), exhaustive.Analyzer)
}

// outsideTests has an analyzer say nothing of tests: what they leave open ends with them, and what fails there
// is seen by what they look at. Nor does it of an error that is received and dropped: that waits for an end.
func outsideTests(a *analysis.Analyzer) *analysis.Analyzer {
	run := a.Run
	a.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(d analysis.Diagnostic) {
			at := pass.Fset.Position(d.Pos)
			text, err := pass.ReadFile(at.Filename)
			if !strings.HasSuffix(at.Filename, "_test.go") && (err != nil || !strings.HasPrefix(string(text[at.Offset:]), "<-")) {
				report(d)
			}
		}
		return run(pass)
	}
	return a
}
