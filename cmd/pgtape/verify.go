package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
)

func newVerify() *cobra.Command {
	var database databaseFlags
	var logging logFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Audit the whole book; exit code 1 with every broken invariant",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			d, err := database.attachOrStart(cmd.Context(), log)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.stop()) }()
			book, err := db.Open(cmd.Context(), d.owner, db.Options{MaxConns: 1})
			if err != nil {
				return err
			}
			defer book.Close()
			violations, err := book.Verify(cmd.Context())
			if err != nil {
				return err
			}
			return tellViolations(violations, asJSON)
		},
	}
	database.add(cmd.Flags())
	logging.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the violations as JSON")
	return cmd
}

func tellViolations(violations []db.Violation, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(violations); err != nil {
			return err
		}
	} else {
		for _, v := range violations {
			say("broken: %s: %s: %s", v.Invariant, v.Subject, v.Problem)
		}
		if len(violations) == 0 {
			say("sound: every invariant holds")
		}
	}
	if len(violations) > 0 {
		return &foundWrong{fmt.Sprintf("%d rows break an invariant", len(violations))}
	}
	return nil
}
