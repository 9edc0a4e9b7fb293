package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/placement"
)

// placementFlags are what is measured, and what is known instead.
type placementFlags struct {
	at, database, edge, origin string
	ways                       placement.Ways
	setup                      int
	json                       bool
}

func newPlacement() *cobra.Command {
	var f placementFlags
	cmd := &cobra.Command{
		Use:   "placement",
		Short: "Measure the ways between user, edge and database, and tell where requests are fastest",
		Long: `Measure the ways between user, edge and database, and tell for each of the product's requests where
its code is fastest: at an edge that queries the database, all near the database, or near it behind an
edge that forwards requests.

What can be measured depends on where this runs:
  --at user      --edge URL measures user–edge; --origin URL (a server beside the database), or else
                 --database-url, measures user–database
  --at edge      --database-url, or else --origin URL, measures edge–database
  --at database  --database-url measures the way from beside the database
What is measured elsewhere is given: --user-edge-ms, --edge-database-ms, --user-database-ms, --local-ms.
Of a server, measure its /healthz.`,
		Example: `  pgtape placement --edge https://edge.example/healthz --origin https://origin.example/healthz --edge-database-ms 80
  pgtape placement --at edge --database-url postgres://… --user-edge-ms 12 --user-database-ms 90`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.measure(cmd.Context()); err != nil {
				return err
			}
			report := placement.Compare(f.ways, f.setup)
			if f.json {
				return json.NewEncoder(os.Stdout).Encode(report)
			}
			return report.Write(os.Stdout)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.at, "at", "user", "where this runs: user, edge or database")
	flags.StringVar(&f.database, "database-url", "", "a Postgres to measure the way to")
	flags.StringVar(&f.edge, "edge", "", "a URL of the edge to measure the way to")
	flags.StringVar(&f.origin, "origin", "", "a URL of the server beside the database to measure the way to")
	flags.Float64Var(&f.ways.UserEdge, "user-edge-ms", 0, "round trip between user and edge")
	flags.Float64Var(&f.ways.EdgeDatabase, "edge-database-ms", 0, "round trip between edge and database")
	flags.Float64Var(&f.ways.UserDatabase, "user-database-ms", 0, "round trip between user and a server beside the database")
	flags.Float64Var(&f.ways.Local, "local-ms", 0.3, "round trip of a query from beside the database")
	flags.IntVar(&f.setup, "setup-trips", 2, "round trips that make a user's connection: 2 with TLS 1.3, 1 without TLS")
	flags.BoolVar(&f.json, "json", false, "print everything as JSON")
	return cmd
}

// measure fills the ways that are not given from what can be measured from here.
func (f *placementFlags) measure(ctx context.Context) error {
	w := &f.ways
	var err error
	switch f.at {
	case "user":
		if f.edge != "" && w.UserEdge == 0 {
			if w.UserEdge, err = placement.MeasureHTTP(ctx, f.edge); err != nil {
				return fmt.Errorf("measuring the way to the edge: %w", err)
			}
		}
		err = f.toDatabase(ctx, &w.UserDatabase, true)
	case "edge":
		err = f.toDatabase(ctx, &w.EdgeDatabase, false)
	case "database":
		if f.database != "" {
			w.Local, err = placement.MeasurePostgres(ctx, f.database)
		}
	default:
		return fmt.Errorf("--at %q: want user, edge or database", f.at)
	}
	if err != nil {
		return fmt.Errorf("measuring the way to the database: %w", err)
	}
	for _, way := range []struct {
		ms         float64
		name, flag string
	}{
		{w.UserEdge, "user and edge", "--edge URL from a user's, or give --user-edge-ms"},
		{w.EdgeDatabase, "edge and database", "--at edge --database-url … on the edge, or give --edge-database-ms"},
		{w.UserDatabase, "user and database", "--origin URL or --database-url … from a user's, or give --user-database-ms"},
	} {
		if way.ms <= 0 {
			return fmt.Errorf("the way between %s is not known: measure it with %s", way.name, way.flag)
		}
	}
	if w.Local < 0 || f.setup < 0 {
		return fmt.Errorf("--local-ms and --setup-trips cannot be negative")
	}
	return nil
}

// toDatabase measures the way to the database's place: by a request to the server there, or by a query.
func (f *placementFlags) toDatabase(ctx context.Context, way *float64, originFirst bool) (err error) {
	switch {
	case *way != 0:
	case f.origin != "" && (originFirst || f.database == ""):
		*way, err = placement.MeasureHTTP(ctx, f.origin)
	case f.database != "":
		*way, err = placement.MeasurePostgres(ctx, f.database)
	}
	return err
}
