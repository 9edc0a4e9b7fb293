package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/embedded"
)

func newPsql() *cobra.Command {
	var database databaseFlags
	cmd := &cobra.Command{
		Use:   "psql [-- arguments of psql]",
		Short: "Open psql on the database, search_path set",
		Long: `Open psql on the database: the one of --database-url, or the embedded one of a running pgtape demo
or serve, as the login pgtape_psql, which operates and trades as the account psql.
Where no psql is installed: pgtape sql 'select …'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := database.open(cmd, writes)
			if err != nil {
				return err
			}
			path, err := d.findPsql()
			if err != nil {
				return err
			}
			url, err := connect.Chosen(cmd.Context(), d.person)
			if err != nil {
				return db.ConnectError(err)
			}
			return runPsql(path, url, args)
		},
	}
	database.add(cmd.Flags())
	database.addBranch(cmd.Flags())
	return cmd
}

func (d *database) findPsql() (string, error) {
	beside := ""
	if d.at != nil {
		beside = d.at.BinDir()
	}
	if path := embedded.FindPsql(beside); path != "" {
		return path, nil
	}
	return "", errors.New("no psql that runs is installed (apt-get install postgresql-client, or brew install libpq); pgtape sql 'select …' runs one statement without it")
}

// runPsql hands the terminal to psql. Ctrl-C is psql's to handle, so it is no child of a context. Other
// users of the machine see what a program is started with: the password is in its environment.
func runPsql(path, url string, args []string) error {
	url, password := connect.WithoutPassword(url)
	psql := exec.Command(path, append([]string{"--dbname=" + url}, args...)...)
	psql.Stdin, psql.Stdout, psql.Stderr = os.Stdin, os.Stdout, os.Stderr
	psql.Env = append(os.Environ(), "PGOPTIONS="+os.Getenv("PGOPTIONS")+" -c search_path="+strings.ReplaceAll(db.PersonPath, " ", ""))
	if password != "" {
		psql.Env = append(psql.Env, "PGPASSWORD="+password)
	}
	err := psql.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &foundWrong{fmt.Sprintf("psql ended with exit code %d", exit.ExitCode())}
	}
	return err
}

func newSQL() *cobra.Command {
	var database databaseFlags
	cmd := &cobra.Command{
		Use:   "sql 'SELECT …'",
		Short: "Run one statement and print its rows",
		Example: `  pgtape sql "select * from markets"
  pgtape sql "select * from trade('rain', 'yes', 'buy', shares => 10, max_cost => 6)"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := database.open(cmd, writes)
			if err != nil {
				return err
			}
			table, err := db.Query(cmd.Context(), d.person, args[0])
			if err != nil {
				return tellRefusal(err)
			}
			return table.Write(os.Stdout)
		},
	}
	database.add(cmd.Flags())
	database.addBranch(cmd.Flags())
	return cmd
}

// tellRefusal prints what Postgres has said the way psql does.
func tellRefusal(err error) error {
	var told *db.Error
	if !errors.As(err, &told) { // which says its SQLSTATE itself
		return &foundWrong{err.Error()}
	}
	if told.Code == db.Unavailable {
		return err
	}
	message := told.Error()
	if state := db.SQLState(err); state != "" {
		message += "\nsqlstate: " + state
	}
	if told.Detail != nil {
		message += "\ndetail: " + string(told.Detail)
	}
	if told.Hint != "" {
		message += "\nhint: " + told.Hint
	}
	return &foundWrong{message}
}
