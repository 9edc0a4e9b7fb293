package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
)

func newMigrate() *cobra.Command {
	var database databaseFlags
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema of a database up to date",
		Long: `Bring the schema of a database up to date: numbered migrations, then the functions. The same files
work with the stock goose command from a checkout:

  goose -dir sql/migrations postgres "$DATABASE_URL" up
  goose -dir sql/functions -no-versioning postgres "$DATABASE_URL" up`,
	}
	database.add(cmd.PersistentFlags())
	database.addBranch(cmd.PersistentFlags())
	cmd.AddCommand(
		newMigrateUp(&database),
		newMigrateDown(&database),
		&cobra.Command{
			Use: "status", Short: "Tell what is applied; exit code 1 when something is missing", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				d, err := database.open(cmd, reads)
				if err != nil {
					return err
				}
				return migrateStatus(cmd, d)
			},
		},
	)
	return cmd
}

func newMigrateUp(database *databaseFlags) *cobra.Command {
	var owner string
	cmd := &cobra.Command{
		Use: "up", Short: "Apply what is missing", Args: cobra.NoArgs,
		Long: `Apply what is missing: migrations, functions, and what a restore without privileges or publications
has left out. After a restore without owners, --owner gives all of pgtape in the database to a role
first, which takes a superuser.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := database.open(cmd, writes)
			if err != nil {
				return err
			}
			if owner != "" {
				if err := db.GiveTo(cmd.Context(), d.owner, owner); err != nil {
					return err
				}
				say("all of it belongs to %s", owner)
			}
			applied, err := db.MigrateUp(cmd.Context(), d.owner)
			for _, name := range applied {
				say("applied %s", name)
			}
			if err == nil && len(applied) == 0 {
				say("nothing to do")
			}
			if err == nil {
				err = nameDatabase(cmd.Context(), d.owner, database.environment())
			}
			return err
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "role that is to own all of pgtape in the database")
	return cmd
}

func newMigrateDown(database *databaseFlags) *cobra.Command {
	var all, sure bool
	cmd := &cobra.Command{
		Use: "down", Short: "Take back the last migration, with all the data in its tables", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !sure {
				return errors.New("this destroys the data of the tables it takes back: say --yes if you mean it")
			}
			d, err := database.open(cmd, writes)
			if err != nil {
				return err
			}
			return db.MigrateDown(cmd.Context(), d.owner, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "take back every migration")
	cmd.Flags().BoolVar(&sure, "yes", false, "yes, destroy the data")
	return cmd
}

func migrateStatus(cmd *cobra.Command, d *database) error {
	migrations, current, err := db.MigrationStatus(cmd.Context(), d.owner)
	if err != nil {
		return err
	}
	word := map[bool]string{true: "applied", false: "missing"}
	table := newTable()
	for _, m := range migrations {
		table.row(word[m.Applied], m.Name)
		current = current && m.Applied
	}
	table.row(word[current], "functions")
	if err := table.Flush(); err != nil {
		return err
	}
	if !current {
		return &foundWrong{"the schema is not up to date: pgtape migrate up"}
	}
	return nil
}
