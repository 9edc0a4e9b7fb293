package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/bench"
	"github.com/pgtape/pgtape/bench/rivals"
	"github.com/pgtape/pgtape/client"
)

// benchFlags are those of one run; what is not set is the scenario's.
type benchFlags struct {
	options  bench.Options
	scenario []string
	rival    string
	batch    int
	asJSON   bool
	chart    string
}

func newBench() *cobra.Command {
	var f benchFlags
	var world benchWorld
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Put load on a server: trades/s, commit→socket latency, events lost and doubled",
		Long: `Put load on a server: clients trade through HTTP while sockets listen; afterwards every receipt and
all that each socket has heard is held against the tape. Exit code 1 if anything was lost or doubled.

Without --url it runs a server of its own, on an embedded Postgres whose data are thrown away afterwards
(fsync is on), or on the Postgres of --database-url, in a database of its own that is dropped afterwards. It shares the machine with what it measures, and says what
it took of it.

With --rate it is an open loop: orders are due when they are due, and latency counts from then,
however late they could be sent. Without, as many are under way as there are clients.

Scenarios: mixed (the default; a few markets), hot (one market that all trade on), wide (a hundred),
crowd (a thousand sockets hear each trade), lone (one trade at a time, the next when a socket has
heard of it), storm (all sockets are cut and come back at once), reads (of a market's state).

A rival is another way to do the same work, on the same Postgres: direct (pgtape.trade, a connection
each), batch (pgtape.trade_batch from one connection), serializable (the client does it, with
retries), commit (one row updated, one inserted). pgtape bench compare measures all, side by side.`,
		Example: `  pgtape bench --scenario hot,crowd
  pgtape bench --scenario crowd --sockets 10000 --mode quote --rate 1000 --chart crowd.svg
  pgtape bench --rival direct --clients 32 --markets 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			runs, err := f.runs(cmd.Flags())
			if err != nil {
				return err
			}
			if err := world.serving.check(); err != nil {
				return err
			}
			switch {
			case f.rival != "":
				return world.with(cmd.Context(), func() error { return f.runRival(cmd, world) })
			case f.options.URL != "":
				return f.runAll(runs, func(o bench.Options) error { return f.run(cmd.Context(), o) })
			}
			return world.with(cmd.Context(), func() error {
				return f.runAll(runs, func(o bench.Options) error { return f.runOwn(cmd.Context(), &world, o) })
			})
		},
	}
	f.add(cmd.Flags())
	world.add(cmd.PersistentFlags())
	cmd.AddCommand(newBenchCompare(&world))
	return cmd
}

func (f *benchFlags) add(flags *pflag.FlagSet) {
	o := &f.options
	flags.StringSliceVar(&f.scenario, "scenario", []string{"mixed"}, "one or several of "+strings.Join(bench.Scenarios(), ", ")+"; the flags below change them")
	flags.StringVar(&f.rival, "rival", "", "instead of a server: "+strings.Join(rivals.Names(), ", "))
	flags.StringVar(&o.URL, "url", "", "of a running server, started with --no-limits (default: one of its own)")
	flags.IntVar(&o.Clients, "clients", 16, "who trade, each on its own connection and account")
	flags.IntVar(&o.Markets, "markets", 4, "that they trade on")
	flags.IntVar(&o.Sockets, "sockets", 16, "that listen")
	flags.IntVar(&o.Stalled, "stalled", 0, "of the sockets, that stop reading once they have joined")
	flags.BoolVar(&o.OneEach, "one-market-each", false, "a socket listens to one market instead of all")
	flags.StringVar(&o.Mode, "mode", client.Tape, "of the sockets: tape, every event, or quote, the newest prices")
	flags.DurationVar(&o.Duration, "duration", 10*time.Second, "of trading")
	flags.Float64Var(&o.Rate, "rate", 0, "orders per second of all clients together (0: as fast as they are answered)")
	flags.IntVar(&o.Readers, "readers", 0, "who get the markets' states, each on its own connection")
	flags.Float64Var(&o.ReadRate, "read-rate", 0, "gets per second of all readers together (0: as fast as they are answered)")
	flags.IntVar(&o.SlippageBps, "slippage-bps", 0, "bind orders to the last price with this tolerance, so that some go stale (0: bounds that hold)")
	flags.IntVar(&f.batch, "batch", 64, "orders of a call, of the rival batch")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON, a line for each scenario")
	flags.StringVar(&f.chart, "chart", "", "draw the run into this file, as SVG")
}

// runs are the scenarios with what the flags change.
func (f *benchFlags) runs(flags *pflag.FlagSet) (runs []bench.Options, err error) {
	for _, name := range f.scenario {
		o, err := bench.ScenarioOf(name)
		if err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
		set := func(flag string, to, from *int, none int) {
			if flags.Changed(flag) {
				if *to = *from; *from == 0 {
					*to = none
				}
			}
		}
		set("clients", &o.Clients, &f.options.Clients, -1)
		set("markets", &o.Markets, &f.options.Markets, 0)
		set("sockets", &o.Sockets, &f.options.Sockets, -1)
		set("readers", &o.Readers, &f.options.Readers, 0)
		if flags.Changed("rate") {
			o.Rate = f.options.Rate
		}
		if flags.Changed("one-market-each") {
			o.OneEach = f.options.OneEach
		}
		o.URL, o.Stalled, o.Mode, o.Duration = f.options.URL, f.options.Stalled, f.options.Mode, f.options.Duration
		o.ReadRate, o.SlippageBps, o.Progress = f.options.ReadRate, f.options.SlippageBps, os.Stderr
		runs = append(runs, o)
	}
	if len(runs) != 1 && f.chart != "" {
		return nil, errors.New("--chart draws one scenario")
	}
	return runs, nil
}

// runAll makes every run, and tells in the end whether one was not sound.
func (f *benchFlags) runAll(runs []bench.Options, run func(bench.Options) error) error {
	var wrong error
	for i, o := range runs {
		if i > 0 && !f.asJSON {
			say("")
		}
		err := run(o)
		var found *foundWrong
		if errors.As(err, &found) {
			wrong = err
		} else if err != nil {
			return err
		}
	}
	return wrong
}

// runOwn makes a run on a server of its own.
func (f *benchFlags) runOwn(ctx context.Context, world *benchWorld, o bench.Options) error {
	s, err := world.serve(ctx)
	if err != nil {
		return err
	}
	o.URL, o.Processes = s.URL, bench.Processes{Server: s.PID, Postgres: world.postmaster()}
	return errors.Join(f.run(ctx, o), s.Stop())
}

func (f *benchFlags) run(ctx context.Context, o bench.Options) error {
	report, err := bench.Run(ctx, o)
	if err != nil {
		return err
	}
	if f.asJSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		err = report.Print(os.Stdout)
	}
	if err == nil && f.chart != "" {
		err = draw(report, f.chart)
	}
	if err == nil && !report.Sound() {
		err = &foundWrong{"the run was not sound: see lost, duplicated, gaps and failed"}
	}
	return err
}

func draw(report bench.Report, file string) (err error) {
	svg, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("--chart: %w", err)
	}
	defer func() { err = errors.Join(err, svg.Close()) }()
	return report.Chart(svg)
}

func (f *benchFlags) runRival(cmd *cobra.Command, world benchWorld) error {
	o := rivals.Options{
		Superuser: world.superuser(), Server: world.database.server, Duration: f.options.Duration, Rate: f.options.Rate, Batch: f.batch,
		Processes: bench.Processes{Postgres: world.postmaster()},
	}
	if cmd.Flags().Changed("clients") {
		o.Connections = f.options.Clients
	}
	if cmd.Flags().Changed("markets") {
		o.Markets = f.options.Markets
	}
	report, err := rivals.Run(cmd.Context(), f.rival, o)
	if err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	return report.Print(os.Stdout)
}
