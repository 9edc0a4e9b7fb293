package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/db"
)

// readerConns are the tape reader's own: the table, the stream, and beside a doorbell the WAL that is
// being opened.
const readerConns = 3

// poolFlags say how a server is connected to its database, and what it remembers of it.
type poolFlags struct {
	connections int
	readerURL   string
	pooled      bool
	cacheMiB    int
}

func defaultPool() poolFlags { return poolFlags{connections: 20, cacheMiB: 32} }

func (f *poolFlags) add(flags *pflag.FlagSet) {
	*f = defaultPool()
	flags.IntVar(&f.connections, "max-connections", f.connections, fmt.Sprintf("connections to the database, never more: %d are the tape reader's, the others are divided between trades, reads, reports and operators", readerConns))
	flags.StringVar(&f.readerURL, "reader-database-url", "", "for the tape reader, past a pooler (default: --database-url)")
	flags.BoolVar(&f.pooled, "pooled", false, "--database-url is a pooler's that gives connections for a transaction each, such as PgBouncer; needs --reader-database-url")
	flags.IntVar(&f.cacheMiB, "cache-memory", f.cacheMiB, "MiB for answers to queries; 0: none are kept")
}

func (f *poolFlags) check() error {
	switch {
	case f.connections < readerConns+5 || f.connections > 1000:
		return fmt.Errorf("--max-connections %d: want from %d to 1000", f.connections, readerConns+5)
	case f.pooled && f.readerURL == "":
		return errors.New("--pooled: the tape cannot be read through a pooler: name the database itself, --reader-database-url")
	case f.cacheMiB < 0 || f.cacheMiB > 1<<20:
		return fmt.Errorf("--cache-memory %d: want 0 MiB or more", f.cacheMiB)
	}
	return nil
}

// reader is the URL for the tape reader.
func (f *poolFlags) reader(server string) string {
	if f.readerURL != "" {
		return f.readerURL
	}
	return server
}

func (f *poolFlags) options() db.Options {
	return db.Options{AsServer: true, Pooled: f.pooled, MaxConns: int32(f.connections - readerConns)}
}

// cacheBytes is as a server's config has it: negative for none.
func (f *poolFlags) cacheBytes() int64 {
	if f.cacheMiB == 0 {
		return -1
	}
	return int64(f.cacheMiB) << 20
}
