package main

import (
	"os"
	"strings"
)

// forgetLibpq takes what the environment says of another Postgres (PGHOST, PGSERVICE, PGOPTIONS,
// PGSSLMODE, …) from this process and the psql that it starts: it is about to speak to the embedded
// one, of which all that is to be known is known. With --database-url it completes the URL, as anywhere.
func forgetLibpq() {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "PG") && !strings.HasPrefix(name, "PGTAPE_") && name != "PGTAPE" {
			_ = os.Unsetenv(name) // an error: of a name that cannot be in an environment
		}
	}
}
