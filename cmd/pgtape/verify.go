package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/audit"
	"github.com/pgtape/pgtape/db"
)

func newVerify() *cobra.Command {
	var database databaseFlags
	var logging logFlags
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Audit the whole book; exit code 1 with every broken invariant",
		Long: `Audit the whole book in the database: every invariant, every hash. With --replay also rebuild every
market, position and balance from the tape alone, with arithmetic of its own, and compare to the
micro-unit. With --heads FILE hold the history against heads that were published before, if there is
such a file, and then write today's to it. What was written again on record, because an account was
deleted, is said, and is no broken invariant.

Exit codes: 0 sound, 1 with every broken invariant listed, 2 could not run.`,
		Args: cobra.NoArgs,
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
			return verify(cmd.Context(), book, o)
		},
	}
	database.add(cmd.Flags())
	logging.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.replay, "replay", false, "rebuild the book from the tape and compare")
	cmd.Flags().StringVar(&o.heads, "heads", "", "check the heads in this file, then write today's to it")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the violations as JSON")
	return cmd
}

type verifyOptions struct {
	replay, json bool
	heads        string
}

func verify(ctx context.Context, book *db.DB, o verifyOptions) error {
	violations, err := book.Verify(ctx)
	if err != nil {
		return err
	}
	if o.replay {
		found, err := replayBook(ctx, book)
		if err != nil {
			return err
		}
		violations = append(violations, found...)
	}
	if o.heads != "" {
		found, err := checkHeads(ctx, book, o.heads, len(violations) == 0)
		if err != nil {
			return err
		}
		violations = append(violations, found...)
	}
	return tellViolations(violations, o.json)
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

func violationsOf(found []audit.Finding) []db.Violation {
	violations := make([]db.Violation, len(found))
	for i, f := range found {
		violations[i] = db.Violation(f)
	}
	return violations
}
