// Command pgtape is a real-time prediction-market server beside one PostgreSQL.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
)

func main() {
	os.Exit(run())
}

// run returns the exit code: 0 ok, 1 found wrong, 2 usage or could not run.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	err := newRoot().ExecuteContext(ctx)
	var found *foundWrong
	switch {
	case err == nil:
		return 0
	case errors.As(err, &found):
		fmt.Fprintln(os.Stderr, "pgtape:", found)
		return 1
	}
	fmt.Fprintln(os.Stderr, "pgtape:", printable(err.Error()))
	var told *db.Error
	if errors.As(err, &told) && told.Hint != "" {
		fmt.Fprintln(os.Stderr, "hint:", printable(told.Hint))
	}
	return 2
}

// endings are the signals that end a command in order. A terminal that is closed (SIGHUP) is one, unless
// whoever has started the command does not want it to be, as nohup.
func endings() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}

// foundWrong is an error of what was looked at, not of looking.
type foundWrong struct{ message string }

func (f *foundWrong) Error() string { return f.message }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "pgtape",
		Short: "Real-time prediction markets on Postgres",
		Long: `pgtape is a self-hosted, real-time prediction-market server: this program beside one PostgreSQL.
Start with: pgtape demo

Every flag has a twin in the environment: --listen is PGTAPE_LISTEN, and so on; DATABASE_URL
stands for --database-url. Below both comes the file pgtape.toml. Exit codes: 0 ok, 1 found wrong, 2 usage or could not run.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		newDemo(), newServe(), newAccount(), newMigrate(), newPsql(), newSQL(), newVerify(), newBackup(), newRestore(),
		newEdge(), newReplay(), newBench(), newDoctor(), newPlacement(), newEnv(), newSettings(), newBranch(), newPostgres(),
	)
	root.PersistentFlags().String("config", "", "file that sets flags (default: pgtape.toml in this folder, if it is there; '' for none)")
	root.PersistentFlags().String("env", "", "environment: which block [env.NAME] of the file holds, and whether the database is the one that is meant (default: the file's only one)")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return configure(cmd) }
	return root
}
