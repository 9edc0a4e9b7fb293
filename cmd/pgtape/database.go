package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

// databaseFlags say which Postgres: one that is there, or the embedded one of a data directory; and
// which database of it, the parent or a branch.
type databaseFlags struct {
	url     string
	dataDir string
	branch  string
	env     string // that the command runs in, and the database must be of
	to      purpose

	unproven bool // no file says which database is the environment's
}

func (f *databaseFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.url, "database-url", "", "a Postgres that is there (default: the embedded one)")
	flags.StringVar(&f.dataDir, "data-dir", "", "where the embedded Postgres keeps its data")
}

// addBranch is for commands that can work on a branch.
func (f *databaseFlags) addBranch(flags *pflag.FlagSet) {
	flags.StringVar(&f.branch, "branch", "", "a branch of the database instead (pgtape branch list)")
}

// database is a Postgres to work with.
type database struct {
	owner   string // URL of the login that migrates and operates
	server  string // URL of the login that serves
	person  string // URL of the login of a person at a terminal
	cluster *embedded.Cluster
	at      *embedded.Endpoint // nil: not an embedded one
	env     string             // that a server gives it, if it has none
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
		return &database{owner: f.url, server: f.url, person: f.url}, nil
	}
	forgetLibpq()
	dir, err := f.dir(suffix)
	if err != nil {
		return nil, err
	}
	cluster, err := embedded.Start(ctx, embedded.Options{
		DataDir: dir, Log: log, Fetching: sayFetching(),
		// Refused orders are the caller's business: not every one needs its statement in the log.
		Settings: map[string]string{"log_min_error_statement": "panic"},
	})
	if err != nil {
		return nil, err
	}
	d := ofEndpoint(cluster.Endpoint)
	d.cluster = cluster
	if f.branch == "" { // before it is migrated
		if err := f.checkMeant(ctx, d.at.URL(d.at.Superuser(), db.OwnDatabase)); err != nil {
			return nil, errors.Join(err, d.stop())
		}
	}
	if err := db.Provision(ctx, cluster.Endpoint); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the embedded Postgres: %w", err), d.stop())
	}
	return d, nil
}

// open finds a running Postgres, and the branch, if one is asked for, and makes sure that it is the
// environment's.
func (f *databaseFlags) open(cmd *cobra.Command, to purpose) (*database, error) {
	f.runIn(cmd, to)
	d, err := f.attach()
	if err != nil {
		return nil, err
	}
	return d, f.enter(cmd.Context(), d)
}

// openOrStart is open for commands that may start the Postgres of a data directory; a server may
// wherever its data are.
func (f *databaseFlags) openOrStart(cmd *cobra.Command, to purpose, log *slog.Logger) (*database, error) {
	f.runIn(cmd, to)
	d, err := f.attachOrStart(cmd.Context(), log)
	if err != nil {
		return nil, err
	}
	if err := f.enter(cmd.Context(), d); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// serve starts the Postgres for a server. That of a branch takes the one of the parent, which may
// be running.
func (f *databaseFlags) serve(cmd *cobra.Command, log *slog.Logger) (d *database, err error) {
	f.runIn(cmd, writes)
	if f.branch != "" {
		d, err = f.attach()
	}
	if f.branch == "" || err != nil {
		d, err = f.start(cmd.Context(), "", log)
	}
	if err != nil {
		return nil, err
	}
	err = f.enter(cmd.Context(), d)
	if err == nil && f.branch != "" && d.at != nil { // an embedded one is brought up to date by itself
		_, err = db.MigrateUp(cmd.Context(), d.owner)
	}
	if err != nil {
		return nil, errors.Join(err, d.stop())
	}
	d.env = f.environment()
	return d, nil
}

// enter goes to the branch, if there is to be one, and refuses what is not meant.
func (f *databaseFlags) enter(ctx context.Context, d *database) error {
	if f.branch != "" {
		branches, err := d.branches()
		if err != nil {
			return err
		}
		branch, err := branches.Find(ctx, f.branch)
		if err != nil {
			return err
		}
		d.owner = branches.URLOf(branch)
		d.server, d.person = d.owner, d.owner
		if d.at != nil {
			d.server = d.at.URL(db.OwnServer, branch.Database)
			d.person = d.at.URL(db.OwnPerson, branch.Database)
		}
	}
	return f.checkMeant(ctx, d.owner)
}

// branches are those of the database, as long as it is the parent.
func (d *database) branches() (*db.Branches, error) {
	if d.at != nil {
		return db.BranchesOfOwn(*d.at), nil
	}
	return db.BranchesOf(d.owner)
}

// attach finds a Postgres that is running: the URL's, or the embedded one of a server or a demo.
func (f *databaseFlags) attach() (*database, error) {
	if f.url != "" {
		return &database{owner: f.url, server: f.url, person: f.url}, nil
	}
	forgetLibpq()
	suffixes := []string{"", demoSuffix}
	if f.dataDir != "" {
		suffixes = suffixes[:1]
	}
	var missed error
	var running []embedded.Endpoint
	for _, suffix := range suffixes {
		dir, err := f.dir(suffix)
		if err != nil {
			return nil, err
		}
		endpoint, err := embedded.Attach(dir)
		if err == nil {
			running = append(running, endpoint)
			continue
		}
		if !errors.Is(err, embedded.ErrNotRunning) {
			return nil, err
		}
		missed = errors.Join(missed, err)
	}
	return onlyOne(running, missed)
}

// onlyOne is the embedded Postgres that is running; of two, somebody has to say which is meant.
func onlyOne(running []embedded.Endpoint, missed error) (*database, error) {
	switch len(running) {
	case 1:
		return ofEndpoint(running[0]), nil
	case 2:
		return nil, &db.Error{
			Code: db.InvalidRequest, Message: "a server and a demo are both running, and nothing says which is meant",
			Hint: fmt.Sprintf("the server's: --data-dir %s, the demo's: --data-dir %s", running[0].DataDir(), running[1].DataDir()),
		}
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
	return &database{
		owner: e.URL(db.OwnOwner, db.OwnDatabase), server: e.URL(db.OwnServer, db.OwnDatabase),
		person: e.URL(db.OwnPerson, db.OwnDatabase), at: &e,
	}
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
