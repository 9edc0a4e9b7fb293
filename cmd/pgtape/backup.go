package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
)

func newBackup() *cobra.Command {
	var database databaseFlags
	var logging logFlags
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all that the database holds into one file, while trading goes on",
		Long: `Write all that the database holds, as it is at one moment, into one file (a zip of COPY data). It
needs the login that owns the tables, and no program of Postgres. The file holds the hashes of
passwords and keys: keep it where you would keep the database.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			d, err := database.openOrStart(cmd, reads, log)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.stop()) }()
			return backup(cmd, d.owner, args[0])
		},
	}
	database.add(cmd.Flags())
	database.addBranch(cmd.Flags())
	logging.add(cmd.Flags())
	return cmd
}

// backup writes beside the file and renames: there is a whole backup of that name, or none.
func backup(cmd *cobra.Command, url, name string) error {
	if _, err := os.Stat(name); err == nil {
		return fmt.Errorf("%s is there already: choose another name", name)
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*") // for its owner's eyes only
	if err != nil {
		return fmt.Errorf("making the backup file: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	made, err := db.WriteBackup(cmd.Context(), url, file)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	say("%s: %d tables, %d rows, as of %s", name, len(made.Tables), rows(made), made.At.UTC().Format("2006-01-02 15:04:05 MST"))
	return nil
}

func newRestore() *cobra.Command {
	var database databaseFlags
	var logging logFlags
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Bring a backup back, and audit it",
		Long: `Bring a backup back, and audit it.

With --database-url: into that database, which must have no pgtape yet.

Without: into the embedded Postgres, also while a server runs on it. The backup is restored into a
new database and audited; then the two change names at once. The one before stays, under the name
that is printed. Who watches is sent a snapshot, and goes on from there by itself.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			info, err := file.Stat()
			if err != nil {
				return err
			}
			if database.url != "" {
				made, err := db.RestoreBackup(cmd.Context(), database.url, file, info.Size())
				if env := environmentOf(cmd); err == nil && env != "" {
					err = db.SetEnvironment(cmd.Context(), database.url, env)
				}
				if err == nil {
					say("restored %d rows, as of %s; sound", rows(made), made.At.UTC().Format("2006-01-02 15:04:05 MST"))
				}
				return err
			}
			d, err := database.openOrStart(cmd, writes, log)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.stop()) }()
			// What is restored belongs to where it is now, wherever the backup is from.
			env, err := db.Environment(cmd.Context(), d.owner)
			if err != nil {
				return err
			}
			made, before, err := db.RestoreOver(cmd.Context(), *d.at, file, info.Size())
			if err != nil {
				return err
			}
			if env = cmp.Or(env, environmentOf(cmd)); env != "" {
				if err := db.SetEnvironment(cmd.Context(), d.owner, env); err != nil {
					return err
				}
			}
			say("restored %d rows, as of %s; sound", rows(made), made.At.UTC().Format("2006-01-02 15:04:05 MST"))
			say("what was there before is the database %s now", before)
			return nil
		},
	}
	database.add(cmd.Flags())
	logging.add(cmd.Flags())
	return cmd
}

func rows(b *db.Backup) (sum int64) {
	for _, t := range b.Tables {
		sum += t.Rows
	}
	return sum
}
