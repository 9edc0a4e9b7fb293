package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/connect"
)

// sqlLogin makes an SQL login for an account, and says how to use it.
func (a *accounts) sqlLogin() *cobra.Command {
	var connections int
	cmd := &cobra.Command{
		Use: "sql-login HANDLE", Short: "Make an SQL login by which an account trades in psql", Args: cobra.ExactArgs(1),
		Long: `Make an SQL login by which an account trades in psql, as itself and as nobody else. It has a password,
which is shown this once, few connections and short time limits: a session that keeps markets locked for
more than 5 s is ended by the server, whatever limits it has taken off.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.database.open(cmd, writes)
			if err != nil {
				return err
			}
			login, err := db.CreateSQLLogin(cmd.Context(), d.person, args[0], connections)
			if err != nil {
				return err
			}
			say("The SQL login %s trades as %s. Its password is in this line, and shown this once:", login.Name, login.Account)
			say("  psql %s", shellQuote(connect.WithLogin(d.person, login.Name, login.Password)))
			return nil
		},
	}
	cmd.Flags().IntVar(&connections, "connections", 5, "how many it may have at a time")
	return cmd
}

// shellQuote writes an argument as a shell takes it, whatever is in it.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
