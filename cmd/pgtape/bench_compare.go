package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/bench/compare"
)

func newBenchCompare(world *benchWorld) *cobra.Command {
	var o compare.Options
	var into string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Measure pgtape and its rivals side by side, and write the table of figures",
		Long: `Measure pgtape and its rivals in one run, on one Postgres of its own (fsync is on): rounds of the same
steps, one after the other; medians of the rounds, and ratios within a round. A step that cannot be
done is a note below the table. ./scripts/bench builds what this needs, and runs it.

Steps: ` + strings.Join(compare.Steps(), ", ") + ".",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return world.with(cmd.Context(), func() error {
				o.Superuser, o.Server, o.Postgres, o.Serve = world.superuser(), world.database.server, world.postmaster(), world.serve
				o.Progress = os.Stderr
				o.Versions = world.versions()
				result, err := compare.Run(cmd.Context(), o)
				if err != nil {
					return err
				}
				if asJSON {
					err = json.NewEncoder(os.Stdout).Encode(result)
				} else {
					_, err = fmt.Fprint(os.Stdout, result.Markdown())
				}
				if err == nil && into != "" {
					err = result.WriteInto(into)
				}
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Rounds, "rounds", 3, "of all steps")
	flags.DurationVar(&o.Duration, "duration", 4*time.Second, "of each measurement")
	flags.StringSliceVar(&o.Only, "only", nil, "these steps")
	flags.StringVar(&o.Eventserv, "pg-eventserv", "", "program of CrunchyData/pg_eventserv, to compare with")
	flags.StringVar(&o.FanOut, "fan-out", "", "test program of the package server, to compare with melody's broadcast")
	flags.StringVar(&into, "into", "", "write the table into this document, between its marks")
	flags.BoolVar(&asJSON, "json", false, "print all figures as JSON")
	return cmd
}

// versions are those of what is measured.
func (w *benchWorld) versions() []string {
	versions := []string{runtime.Version()}
	if w.database.at != nil {
		versions = append([]string{"PostgreSQL " + w.database.at.Version()}, versions...)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			switch module.Path {
			case "github.com/jackc/pgx/v5", "github.com/olahol/melody":
				versions = append(versions, strings.TrimPrefix(module.Path, "github.com/")+" "+module.Version)
			}
		}
	}
	return versions
}
