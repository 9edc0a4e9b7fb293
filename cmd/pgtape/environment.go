package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
)

const production = "production"

// purpose is what a command does with a database.
type purpose int

const (
	reads  purpose = iota // and can hurt nobody: it may read a production that was not named
	writes                // or lets somebody write
)

// environmentOf is the environment that a command runs in: --env or, without, the only one of the
// file. Empty: none.
func environmentOf(cmd *cobra.Command) string { return cmd.Flags().Lookup("env").Value.String() }

// runIn takes over from a command which environment it runs in, and what it does with the database. All
// that use one call it.
func (f *databaseFlags) runIn(cmd *cobra.Command, to purpose) {
	f.env, f.to = environmentOf(cmd), to
	if from := cmd.Flags().Lookup("from"); from != nil && from.Changed {
		f.env = from.Value.String()
	}
	c, err := readConfig(cmd.Flags())
	f.unproven = err == nil && f.env != "" && (c == nil || c.envs[f.env] == nil)
}

// checkMeant refuses the database of another environment than the command runs in. On a branch that
// is the branch. Without one, all but production will do.
func (f *databaseFlags) checkMeant(ctx context.Context, url string) error {
	if f.env != "" {
		if err := checkEnvironment(f.env); err != nil {
			return fmt.Errorf("--env: %w", err)
		}
	}
	has, err := db.Environment(ctx, url)
	if err != nil {
		return err
	}
	want := f.environment()
	switch {
	case has == "" && f.unproven:
		return f.unprovenError()
	case has == "" || has == want:
		return nil
	case want != "":
		return &db.Error{
			Code: db.NotPermitted, Message: fmt.Sprintf("this database belongs to the environment %s, and this command runs in %s", has, want),
			Hint: "name the database that is meant, or run in its environment (--env " + has + "); if the name is wrong: pgtape env set " + want + " --yes",
		}
	case has == production && f.to == writes:
		return &db.Error{
			Code: db.NotPermitted, Message: "this database belongs to the environment production, and this command runs in none",
			Hint: "if production is meant: --env production, or PGTAPE_ENV=production",
		}
	}
	return nil
}

// unprovenError is for a database without a name, where no file says which one the environment's is: it
// may be any, and be given the name of any.
func (f *databaseFlags) unprovenError() error {
	return &db.Error{
		Code: db.NotPermitted,
		Message: fmt.Sprintf("there is no [env.%s] in a %s here, and this database belongs to no environment yet: nothing tells that it is the one of %s",
			f.env, configName, f.env),
		Hint: fmt.Sprintf("leave --env out (--env '' where PGTAPE_ENV is set); or write the block, with the database in it; or, once it is migrated, give the database its name: pgtape env set %s --yes", f.env),
	}
}

// environment is the name that the database is to have.
func (f *databaseFlags) environment() string {
	if f.branch != "" {
		return "branch:" + f.branch
	}
	return f.env
}

// nameDatabase gives a database that has no environment yet the one that the command runs in.
func nameDatabase(ctx context.Context, url, env string) error {
	if env == "" {
		return nil
	}
	has, err := db.Environment(ctx, url)
	if err != nil || has != "" {
		return err
	}
	return db.SetEnvironment(ctx, url, env)
}

// nameServed is nameDatabase for a server, whose login may be of one that may not.
func nameServed(ctx context.Context, url, env string, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // a commit may wait for a standby
	defer cancel()
	if err := nameDatabase(ctx, url, env); err != nil {
		log.Warn("the database does not say yet which environment it belongs to", "environment", env, "err", err)
	}
}

func newEnv() *cobra.Command {
	var database databaseFlags
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Tell which environment this is, and which one the database belongs to",
		Long: `Tell which environment this is, and which one the database belongs to.

The first pgtape serve or migrate up in an environment of pgtape.toml (--env, PGTAPE_ENV, or its only
block), or pgtape env set, gives the database its name. From then on commands that run in another one are refused,
and one called production is written to by commands that say --env production alone.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			database.runIn(cmd, reads)
			d, err := database.attach()
			if err != nil {
				return err
			}
			has, err := db.Environment(cmd.Context(), d.owner)
			if err != nil {
				return err
			}
			if has == "" && database.unproven {
				return database.unprovenError()
			}
			say("this command:  %s", orNone(environmentOf(cmd)))
			say("the database:  %s", orNone(has))
			return nil
		},
	}
	database.add(cmd.PersistentFlags())
	cmd.AddCommand(newEnvSet(&database))
	return cmd
}

func orNone(name string) string {
	if name == "" {
		return "no environment"
	}
	return name
}

func newEnvSet(database *databaseFlags) *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Say which environment the database belongs to", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if err := checkEnvironment(name); err != nil {
				return err
			}
			d, err := database.attach()
			if err != nil {
				return err
			}
			before, err := db.Environment(cmd.Context(), d.owner)
			if err != nil {
				return err
			}
			if !sure {
				return fmt.Errorf("this database belongs to %s; from then on only commands that run in %s may use it: say --yes if you mean it", orNone(before), name)
			}
			if err := db.SetEnvironment(cmd.Context(), d.owner, name); err != nil {
				return err
			}
			say("the database belongs to %s now; before: %s", name, orNone(before))
			return nil
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "yes, the database belongs to it")
	return cmd
}

var errDemoInProduction = errors.New("pgtape demo lets bots trade: it does not run in production (--env '' for a demo beside it)")
