package booktest

import (
	"flag"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db/dbtest"
)

var runFor = flag.Duration("book.for", 0, "run random programs for at least this long")

func TestMain(m *testing.M) {
	// rapid's own defaults are for functions: a program takes a tenth of a second.
	for name, value := range map[string]string{"checks": "12", "shrinktime": "2m"} {
		if os.Getenv("RAPID_"+strings.ToUpper(name)) != "" {
			continue
		}
		if err := flag.Set("rapid."+name, value); err != nil {
			log.Fatal(err)
		}
	}
	dbtest.Main(m)
}
