package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
)

func newSettings() *cobra.Command {
	var database databaseFlags
	cmd := &cobra.Command{
		Use:   "settings",
		Short: "List the rules of the site that the database holds",
		Long: `List the rules of the site that the database holds, so that SQL obeys them too:

  market_creation       who makes markets: everyone; approved (what traders make is a draft until an
                        operator opens it, on /admin); operators
  market_min_liquidity  the least liquidity of a market that a trader makes
  markets_per_day       how many markets a trader makes in a day
  opening_credits       who begins with credits: everyone; invite, who comes by one; oidc, who has an
                        identity at the provider, once each; approval, whom an operator approves
                        (/admin, or pgtape account approve)
  comments_per_minute   how much a trader says

pgtape settings set NAME VALUE changes one; the login must be an operator's.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := database.open(cmd, reads)
			if err != nil {
				return err
			}
			book, err := db.Open(cmd.Context(), d.owner, db.Options{MaxConns: 1})
			if err != nil {
				return err
			}
			defer book.Close()
			settings, err := book.Settings(cmd.Context())
			if err != nil {
				return err
			}
			table := newTable()
			for _, s := range settings {
				table.row(s.Name, s.Value)
			}
			return table.Flush()
		},
	}
	database.add(cmd.PersistentFlags())
	database.addBranch(cmd.PersistentFlags())
	cmd.AddCommand(&cobra.Command{
		Use: "set NAME VALUE", Short: "Change a rule of the site", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := database.open(cmd, writes)
			if err != nil {
				return err
			}
			if err := db.SetSetting(cmd.Context(), d.owner, args[0], args[1]); err != nil {
				return err
			}
			say("%s is %s", args[0], args[1])
			return nil
		},
	})
	return cmd
}

// applySettings sets the rules that a server's flags name.
func applySettings(ctx context.Context, url string, settings map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // a commit may wait for a standby
	defer cancel()
	for name, value := range settings {
		if value == "" {
			continue
		}
		err := db.SetSetting(ctx, url, name, value)
		if db.CodeOf(err) == db.NotPermitted {
			return &db.Error{
				Code: db.NotPermitted, Message: fmt.Sprintf("the database has another %s than %s, and this login may not change it", name, value),
				Hint: "with an operator's login: pgtape settings set " + name + " " + value,
			}
		}
		if ctx.Err() != nil {
			return &db.Error{
				Code: db.Unavailable, Message: fmt.Sprintf("the database does not answer in time that %s is to be %s", name, value),
				Hint: "what it waits for: pgtape doctor",
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
