package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/doctor"
)

func newDoctor() *cobra.Command {
	var database databaseFlags
	var logging logFlags
	var source string
	var asJSON bool
	o := doctor.Options{Pool: 16}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Measure a Postgres from here, and tell what hinders pgtape on it",
		Long: `Measure a Postgres from where this runs: what a connection takes, phase by phase, in round trips and
milliseconds; a query; a commit of a trade's size, and how many trades a second that allows. And look
at what pgtape needs: version, privileges, schema, WAL, connections, clock, settings. Each finding says
what it costs here and what mends it. Nothing is left behind.

Without --database-url it looks at the embedded Postgres, and starts it if it does not run.

What keeps the WAL from being read blocks; with --source auto it only costs, since the tape can be read
by NOTIFY as well.

Exit codes: 0 nothing blocks, 1 something does, 2 could not run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			switch o.Source = tape.Mode(source); o.Source {
			case tape.Auto, tape.WAL, tape.Notify:
			default:
				return fmt.Errorf("--source %q: want auto, wal or notify", source)
			}
			database.runIn(cmd, reads)
			d, err := database.attach()
			if database.url == "" && db.CodeOf(err) == db.Unavailable {
				d, err = database.start(cmd.Context(), "", log)
			}
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.stop()) }()
			if database.unproven {
				if err := database.checkMeant(cmd.Context(), d.owner); err != nil {
					return err
				}
			}
			o.URL = d.server
			report, err := doctor.Examine(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(os.Stdout)
				encoder.SetIndent("", "  ")
				err = encoder.Encode(report)
			} else {
				err = report.Write(os.Stdout)
			}
			if err == nil && report.Blocked {
				return &foundWrong{"blocked by: " + strings.Join(report.Blocking(), ", ")}
			}
			return err
		},
	}
	database.add(cmd.Flags())
	logging.add(cmd.Flags())
	cmd.Flags().StringVar(&source, "source", "wal", "how the tape is to be read: wal, auto or notify")
	cmd.Flags().IntVar(&o.Pool, "pool", o.Pool, "connections that a server's pool may have")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON")
	return cmd
}
