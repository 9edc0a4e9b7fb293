package main

import (
	"os"
	"testing"
)

// The environment of another Postgres does not reach the embedded one; ours stays.
func TestTheEnvironmentOfAnotherPostgresIsForgotten(t *testing.T) {
	for _, name := range []string{"PGSERVICE", "PGOPTIONS", "PGHOST", "PGSSLMODE", "PGTZ", "PGTAPE_LISTEN"} {
		t.Setenv(name, "x")
	}
	if _, err := (&databaseFlags{dataDir: t.TempDir()}).attach(); err == nil {
		t.Fatal("a Postgres runs where none is")
	}
	for _, name := range []string{"PGSERVICE", "PGOPTIONS", "PGHOST", "PGSSLMODE", "PGTZ"} {
		if value, ok := os.LookupEnv(name); ok {
			t.Errorf("%s is still %s", name, value)
		}
	}
	if os.Getenv("PGTAPE_LISTEN") != "x" {
		t.Error("our own is gone")
	}
	t.Setenv("PGOPTIONS", "x")
	if _, err := (&databaseFlags{url: "postgres://h/d"}).attach(); err != nil || os.Getenv("PGOPTIONS") != "x" {
		t.Errorf("with a URL: %v, PGOPTIONS is %q", err, os.Getenv("PGOPTIONS"))
	}
}
