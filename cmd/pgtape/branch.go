package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
)

func newBranch() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "branch",
		Short: "Make, list and delete branches: copies of the database that go their own way",
		Long: `Make, list and delete branches: databases beside the one of --database-url or --data-dir, on the
same server, each a copy of it as it was at one moment, while trading went on. What lets somebody in
(sessions, passwords, keys, invites) is not copied. A cursor from before the branch holds on both
sides, one from after it on its own only.

  pgtape branch create fix --from production
  pgtape serve --branch fix --listen 127.0.0.1:8090

serve, migrate, account, psql, sql, verify, backup and replay take --branch. The login has to own the tables and, on a
Postgres that is not embedded, to be allowed to make databases (alter role … createdb).`,
	}
	cmd.AddCommand(newBranchCreate(), newBranchList(), newBranchDelete())
	return cmd
}

// onBranches does something to the branches of the flags' database.
func (f *databaseFlags) onBranches(cmd *cobra.Command, do func(context.Context, *db.Branches) error) (err error) {
	log, err := (&logFlags{level: "warn"}).logger()
	if err != nil {
		return err
	}
	f.runIn(cmd, reads)
	d, err := f.attachOrStart(cmd.Context(), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := f.checkMeant(cmd.Context(), d.owner); err != nil {
		return err
	}
	branches, err := d.branches()
	if err != nil {
		return err
	}
	return do(cmd.Context(), branches)
}

func newBranchCreate() *cobra.Command {
	var database databaseFlags
	var schemaOnly bool
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a branch of the database as it is now", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return database.onBranches(cmd, func(ctx context.Context, list *db.Branches) error {
				branch, err := list.Create(ctx, args[0], schemaOnly)
				if err != nil {
					return err
				}
				say("branch %s of %s: database %s", branch.Name, branch.Of, branch.Database)
				say("serve it: pgtape serve --branch %s --listen 127.0.0.1:8090", branch.Name)
				return nil
			})
		},
	}
	database.add(cmd.Flags())
	cmd.Flags().String("from", "", "environment of pgtape.toml whose database is the parent (default: that of this command)")
	cmd.Flags().BoolVar(&schemaOnly, "schema-only", false, "an empty one: no markets, no accounts")
	return cmd
}

func newBranchList() *cobra.Command {
	var database databaseFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List the branches of the database: since when, how big, how far", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return database.onBranches(cmd, listBranches)
		},
	}
	database.add(cmd.Flags())
	return cmd
}

func listBranches(ctx context.Context, list *db.Branches) error {
	found, err := list.List(ctx)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		say("no branches")
		return nil
	}
	table := newTable()
	table.row("name", "made", "size", "heads")
	for _, branch := range found {
		far := "cannot be read"
		if heads, err := list.Heads(ctx, branch); err == nil {
			far = fmt.Sprintf("%d markets, %d events", heads.Markets, heads.Events)
		}
		table.row(branch.Name, branch.Made.Format("2006-01-02 15:04 MST"), fmt.Sprintf("%.1f MB", float64(branch.Size)/1e6), far)
	}
	return table.Flush()
}

func newBranchDelete() *cobra.Command {
	var database databaseFlags
	var sure bool
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Drop a branch and all that is in it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !sure {
				return fmt.Errorf("this destroys the branch %s with all its data: say --yes if you mean it", args[0])
			}
			return database.onBranches(cmd, func(ctx context.Context, list *db.Branches) error {
				if err := list.Delete(ctx, args[0]); err != nil {
					return err
				}
				say("deleted the branch %s", args[0])
				return nil
			})
		},
	}
	database.add(cmd.Flags())
	cmd.Flags().BoolVar(&sure, "yes", false, "yes, destroy it")
	return cmd
}
