package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/flow"
	"github.com/pgtape/pgtape/server"
)

// demoSpeed plays the recording's quiet hours in seconds; its player bounds what pauses remain.
const demoSpeed = 3600

func newDemo() *cobra.Command {
	var database databaseFlags
	serving := serverFlags{signUp: string(server.Handle)}
	var logging logFlags
	var speed string
	var botRate float64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "A live market in one command: Postgres, markets, bots, web UI",
		Long: `A live market in one command: an embedded Postgres, a few markets on which bots trade, and the real
order flow of 40 replication markets (2012 to 2014), played through pgtape.trade. Ctrl-C ends it;
the next start goes on where it stopped.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			flowSpeed, err := flow.ParseSpeed(speed)
			if err != nil {
				return fmt.Errorf("--speed: %w", err)
			}
			if err := serving.check(); err != nil {
				return err
			}
			database.runIn(cmd, writes)
			if database.env == production {
				return errDemoInProduction
			}
			if database.url == "" {
				say("Starting PostgreSQL …")
			}
			d, err := database.start(cmd.Context(), demoSuffix, log)
			if err != nil {
				return err
			}
			if err := database.enter(cmd.Context(), d); err != nil {
				return errors.Join(err, d.stop())
			}
			show := demo{database: d, flags: database, speed: flowSpeed, botRate: botRate, log: log}
			return errors.Join(show.run(cmd.Context(), serving), d.stop())
		},
	}
	database.add(cmd.Flags())
	serving.add(cmd.Flags())
	logging.add(cmd.Flags())
	cmd.Flags().Lookup("log-level").DefValue = "warn"
	logging.level = "warn"
	cmd.Flags().StringVar(&speed, "speed", fmt.Sprint(demoSpeed), "of the recorded trades: recorded seconds per second, or max")
	cmd.Flags().Float64Var(&botRate, "bot-rate", 1.5, "trades per second of all bots together")
	return cmd
}

type demo struct {
	*database
	flags   databaseFlags
	speed   float64
	botRate float64
	log     *slog.Logger
}

func (d *demo) run(ctx context.Context, f serverFlags) error {
	if d.cluster == nil { // not provisioned by us
		if _, err := db.MigrateUp(ctx, d.owner); err != nil {
			return err
		}
	}
	book, err := db.Open(ctx, d.owner, db.Options{MaxConns: 4})
	if err != nil {
		return err
	}
	defer book.Close()
	recording, err := flow.Replication()
	if err != nil {
		return err
	}
	player := flow.NewPlayer(book, recording, flow.PlayerOptions{Speed: d.speed})
	bots := flow.NewBots(book, flow.BotOptions{Markets: flow.DemoMarkets(), Rate: d.botRate})
	if err := flow.CreateMarkets(ctx, book, flow.DemoMarkets()); err != nil {
		return err
	}
	return serve(ctx, d.database, f, d.log, nil, func(ctx context.Context, url string) error {
		d.greet(url)
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return d.trade(ctx, "bots", bots.Run) })
		group.Go(func() error {
			return d.trade(ctx, "replay", func(ctx context.Context) error { return replay(ctx, player) })
		})
		return group.Wait()
	})
}

// replay plays the recording to its end and then resolves its markets by what happened.
func replay(ctx context.Context, player *flow.Player) error {
	if _, err := player.Play(ctx); err != nil {
		return err
	}
	_, err := player.Resolve(ctx)
	return err
}

// trade runs one kind of order flow. The server is worth more than its liveliness: a flow that
// fails is told of and started again, until ctx ends.
func (d *demo) trade(ctx context.Context, name string, run func(context.Context) error) error {
	for {
		err := run(ctx)
		if ctx.Err() != nil || err == nil {
			return nil
		}
		d.log.Warn("order flow interrupted", "flow", name, "err", err)
		if !pause(ctx) {
			return nil
		}
	}
}

func (d *demo) greet(url string) {
	program := os.Args[0]
	if filepath.Base(filepath.Dir(program)) == "bin" {
		program = "pgtape"
	}
	say("")
	say("  pgtape is running:  %s", url)
	say("")
	say("  Trade it from psql: %s psql%s", program, d.flagsOfClients())
	say("    select * from pgtape.trade('rain', 'yes', 'buy', shares => 10, max_cost => 6);")
	if d.at != nil {
		say("  or with any client: psql %s", shellQuote(d.person))
		say("  Data:               %s (PostgreSQL %s)", d.at.DataDir(), d.at.Version())
	}
	say("  Stop:               Ctrl-C")
	say("")
}

func (d *demo) flagsOfClients() string {
	if d.flags.dataDir != "" {
		return " --data-dir " + d.flags.dataDir
	}
	return ""
}
