package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/bench"
)

func newBench() *cobra.Command {
	var database databaseFlags
	serving := serverFlags{signIn: "open", replayLimit: defaultReplayLimit}
	var options bench.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Put load on a server: trades/s, commit→socket latency, events lost and doubled",
		Long: `Put load on a server: clients trade through HTTP while sockets listen; afterwards every receipt and
all that each socket has heard is held against the tape. Exit code 1 if anything was lost or doubled.

Without --url it runs a server of its own, on --database-url or on an embedded Postgres whose data
are thrown away afterwards (fsync is on). It shares the machine with what it measures.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := serving.check(); err != nil {
				return err
			}
			if options.Sockets == 0 {
				options.Sockets = -1 // none
			}
			options.Progress = os.Stderr
			measure := func(ctx context.Context, url string) error {
				options.URL = url
				return runBench(ctx, options, asJSON)
			}
			if options.URL != "" {
				return measure(cmd.Context(), options.URL)
			}
			return benchOwn(cmd.Context(), database, serving, measure)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.URL, "url", "", "of a running server (default: one of its own)")
	flags.IntVar(&options.Clients, "clients", 16, "who trade, each on its own connection and account")
	flags.IntVar(&options.Markets, "markets", 4, "that they trade on")
	flags.IntVar(&options.Sockets, "sockets", 16, "that listen")
	flags.IntVar(&options.Stalled, "stalled", 0, "of the sockets, that stop reading once they have joined")
	flags.BoolVar(&options.OneEach, "one-market-each", false, "a socket listens to one market instead of all")
	flags.DurationVar(&options.Duration, "duration", 10*time.Second, "of trading")
	flags.Float64Var(&options.Rate, "rate", 0, "orders per second of all clients together (0: as fast as they are answered)")
	flags.IntVar(&options.SlippageBps, "slippage-bps", 0, "bind orders to the last price with this tolerance, so that some go stale (0: bounds that hold)")
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	flags.StringVar(&database.url, "database-url", "", "a Postgres for the server of its own, migrated")
	flags.StringVar(&serving.source, "source", "auto", "how the server of its own reads the tape: auto, wal or notify")
	return cmd
}

func runBench(ctx context.Context, o bench.Options, asJSON bool) error {
	report, err := bench.Run(ctx, o)
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		err = report.Print(os.Stdout)
	}
	if err == nil && !report.Sound() {
		err = &foundWrong{"the run was not sound: see lost, duplicated, gaps and failed"}
	}
	return err
}

// benchOwn runs the server that is measured. What the measuring says ends it.
func benchOwn(ctx context.Context, f databaseFlags, serving serverFlags, measure func(context.Context, string) error) (err error) {
	log, err := (&logFlags{level: "warn"}).logger()
	if err != nil {
		return err
	}
	if f.url == "" {
		dir, err := os.MkdirTemp("", "pgtape-bench-")
		if err != nil {
			return fmt.Errorf("making a place for the data: %w", err)
		}
		f.dataDir = dir
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	d, err := f.start(ctx, "", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	serving.listen = "127.0.0.1:0"
	errDone := errors.New("measured")
	err = serve(ctx, d, serving, log, func(ctx context.Context, url string) error {
		if err := measure(ctx, url); err != nil {
			return err
		}
		return errDone
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}
