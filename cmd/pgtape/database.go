package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

// databaseFlags say which Postgres: one that is there, or the embedded one of a data directory.
type databaseFlags struct {
	url     string
	dataDir string
}

func (f *databaseFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.url, "database-url", "", "a Postgres that is there (default: the embedded one)")
	flags.StringVar(&f.dataDir, "data-dir", "", "where the embedded Postgres keeps its data")
}

// database is a Postgres to work with.
type database struct {
	owner   string // URL of the login that migrates and operates
	server  string // URL of the login that serves
	cluster *embedded.Cluster
	at      *embedded.Endpoint // nil: not an embedded one
}

// demoSuffix sets the demo's data apart from those of a market that is meant.
const demoSuffix = "-demo"

func (f *databaseFlags) dir(suffix string) (string, error) {
	if f.dataDir != "" {
		return f.dataDir, nil
	}
	dir, err := embedded.DefaultDataDir()
	return dir + suffix, err
}

// start opens the Postgres of the URL or, without one, starts the embedded one, provisioned.
func (f *databaseFlags) start(ctx context.Context, suffix string, log *slog.Logger) (*database, error) {
	if f.url != "" {
		return &database{owner: f.url, server: f.url}, nil
	}
	dir, err := f.dir(suffix)
	if err != nil {
		return nil, err
	}
	cluster, err := embedded.Start(ctx, embedded.Options{
		DataDir: dir, Log: log,
		// Refused orders are the caller's business: not every one needs its statement in the log.
		Settings: map[string]string{"log_min_error_statement": "panic"},
	})
	if err != nil {
		return nil, err
	}
	d := ofEndpoint(cluster.Endpoint)
	d.cluster = cluster
	if err := db.Provision(ctx, cluster.Endpoint); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the embedded Postgres: %w", err), d.stop())
	}
	return d, nil
}

// attach finds a Postgres that is running: the URL's, or the embedded one of a server or a demo.
func (f *databaseFlags) attach() (*database, error) {
	if f.url != "" {
		return &database{owner: f.url, server: f.url}, nil
	}
	suffixes := []string{"", demoSuffix}
	if f.dataDir != "" {
		suffixes = suffixes[:1]
	}
	var missed error
	for _, suffix := range suffixes {
		dir, err := f.dir(suffix)
		if err != nil {
			return nil, err
		}
		endpoint, err := embedded.Attach(dir)
		if err == nil {
			return ofEndpoint(endpoint), nil
		}
		if !errors.Is(err, embedded.ErrNotRunning) {
			return nil, err
		}
		missed = errors.Join(missed, err)
	}
	return nil, &db.Error{
		Code: db.Unavailable, Message: missed.Error(),
		Hint: "start one (pgtape demo, pgtape serve), or name a Postgres: --database-url",
	}
}

// attachOrStart finds a running Postgres or, where the data directory has data, starts its own.
func (f *databaseFlags) attachOrStart(ctx context.Context, log *slog.Logger) (*database, error) {
	d, err := f.attach()
	if err == nil || f.dataDir == "" {
		return d, err
	}
	return f.start(ctx, "", log)
}

func ofEndpoint(e embedded.Endpoint) *database {
	return &database{owner: e.URL(db.OwnOwner, db.OwnDatabase), server: e.URL(db.OwnServer, db.OwnDatabase), at: &e}
}

// stop ends the Postgres if it is ours.
func (d *database) stop() error {
	if d.cluster == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return d.cluster.Stop(ctx)
}

// gone is closed when an embedded Postgres has ended though nobody stopped it.
func (d *database) gone() <-chan struct{} {
	if d.cluster == nil {
		return nil
	}
	return d.cluster.Done()
}
