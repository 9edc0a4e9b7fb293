package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/flow"
)

func newReplay() *cobra.Command {
	var database databaseFlags
	var speed string
	var resolve, asJSON bool
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Play recorded trades into the markets of a database",
		Long: `Play recorded trades through pgtape.trade. FILE is a CSV of trades with the columns market, at, trader,
outcome, shares and, to compare with, price_yes_after; a markets.csv beside it describes the
markets. "replication" plays the recording that comes along. Interrupted and started again, it
goes on where it stopped.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			recording, err := readRecording(args[0])
			if err != nil {
				return err
			}
			flowSpeed, err := flow.ParseSpeed(speed)
			if err != nil {
				return fmt.Errorf("--speed: %w", err)
			}
			d, err := database.open(cmd, writes)
			if err != nil {
				return err
			}
			book, err := db.Open(cmd.Context(), d.owner, db.Options{})
			if err != nil {
				return err
			}
			defer book.Close()
			p := progress{line: newProgressLine(), total: len(recording.Trades)}
			player := flow.NewPlayer(book, recording, flow.PlayerOptions{Speed: flowSpeed, OnTrade: p.step})
			return play(cmd.Context(), player, &p, resolve, asJSON)
		},
	}
	database.add(cmd.Flags())
	database.addBranch(cmd.Flags())
	cmd.Flags().StringVar(&speed, "speed", "max", "recorded seconds per second, or max")
	cmd.Flags().BoolVar(&resolve, "resolve", false, "at the end, resolve the markets by what happened")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

func readRecording(path string) (*flow.Recording, error) {
	if path == "replication" {
		return flow.Replication()
	}
	return flow.Read(path)
}

func play(ctx context.Context, player *flow.Player, p *progress, resolve, asJSON bool) error {
	result, err := player.Play(ctx)
	p.end()
	if ctx.Err() != nil {
		return errors.New("interrupted; started again, it goes on from here")
	}
	if err != nil {
		return err
	}
	resolved := 0
	if resolve {
		if resolved, err = player.Resolve(ctx); err != nil {
			return err
		}
	}
	summary, err := player.Summary(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"result": result, "resolved": resolved, "summary": summary})
	}
	say("%d trades played (%d orders, %d made before) in %v", result.Trades, result.Orders, result.Repeated, result.Elapsed.Round(time.Millisecond))
	for code, count := range result.Refused {
		say("%d refused: %s", count, code)
	}
	if result.Compared > 0 {
		say("largest distance from a recorded price: %.2e (%s)", result.MaxDeviation, result.Worst)
	}
	if summary.Markets > 0 {
		say("%d markets: mean price %.3f, %d right, Brier score %.4f", summary.Markets, summary.MeanPrice, summary.Right, summary.Brier)
	}
	if resolve {
		say("%d markets resolved", resolved)
	}
	return nil
}

// progress tells on a terminal how far something has come.
type progress struct {
	line        *progressLine
	total, done int
}

func (p *progress) step(flow.Played) {
	p.done++
	p.line.show(p.done == p.total, "%d of %d trades", p.done, p.total)
}

func (p *progress) end() { p.line.end() }

// pause waits a second before something is tried again; false when ctx has ended.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(time.Second):
		return true
	case <-ctx.Done():
		return false
	}
}
