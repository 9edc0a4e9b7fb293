package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/pgtape/pgtape/audit"
	"github.com/pgtape/pgtape/db"
)

// replayBook rebuilds the book from its tape and compares it with what the tables say, both as of
// one snapshot.
func replayBook(ctx context.Context, book *db.DB) (violations []db.Violation, err error) {
	err = book.ReadBook(ctx, func(b *db.Book) error {
		total, err := b.Count(ctx)
		if err != nil {
			return err
		}
		bar := &bar{newProgressLine(), time.Now()}
		rebuilt, err := audit.Replay(ctx, auditEvents(ctx, b), audit.Options{Total: total, Progress: bar.show})
		bar.end()
		if err != nil {
			return err
		}
		state, err := auditState(ctx, b)
		if err != nil {
			return err
		}
		violations = violationsOf(append(rebuilt.Findings(), rebuilt.Compare(state)...))
		stats := rebuilt.Stats()
		fmt.Fprintf(os.Stderr, "replayed %d events of %d markets in %v (%.0f/s)\n",
			stats.Events, stats.Markets, stats.Elapsed.Round(time.Millisecond), float64(stats.Events)/stats.Elapsed.Seconds())
		return nil
	})
	return violations, err
}

func auditEvents(ctx context.Context, b *db.Book) iter.Seq2[audit.Event, error] {
	return func(yield func(audit.Event, error) bool) {
		for e, err := range b.Events(ctx) {
			if !yield(audit.Event{Market: e.Market, Seq: e.Seq, At: e.At, Kind: e.Kind, Body: e.Body, Prev: e.Prev, Hash: e.Hash}, err) {
				return
			}
		}
	}
}

// auditState reads what the tables say.
func auditState(ctx context.Context, b *db.Book) (s audit.State, err error) {
	heads, err := b.Heads(ctx)
	if err != nil {
		return s, err
	}
	balances, err := b.Balances(ctx)
	if err != nil {
		return s, err
	}
	markets, err := b.Markets(ctx)
	if err != nil {
		return s, err
	}
	holdings, err := b.Holdings(ctx)
	if err != nil {
		return s, err
	}

	hashes := make(map[string]string, len(heads))
	s.House.Head = db.ZeroHash
	for _, h := range heads {
		hashes[h.Market] = h.Hash
		if h.Market == "house" {
			s.House.Version, s.House.Head = h.Seq, h.Hash
		}
	}
	escrows := make(map[string]db.Decimal)
	for _, a := range balances {
		switch a.Kind {
		case "house":
			s.House.Balance = string(a.Balance)
		case "market":
			escrows[a.Handle] = a.Balance
		default:
			s.Accounts = append(s.Accounts, audit.AccountState{Account: a.Handle, Balance: string(a.Balance)})
		}
	}
	for _, m := range markets {
		s.Markets = append(s.Markets, audit.MarketState{
			Market: m.Slug, Status: m.Status, Version: m.Version, Head: hashes[m.Slug], Outcomes: m.Outcomes,
			Outstanding: numbers(m.Outstanding), Prices: numbers(m.Prices), Volume: string(m.Volume), Trades: m.Trades,
			Proposal: numbers(m.Proposal), Payout: numbers(m.Payout), Escrow: string(escrows[db.EscrowOf(m.Slug)]),
		})
	}
	for _, h := range holdings {
		s.Positions = append(s.Positions, audit.PositionState{Account: h.Account, Market: h.Market, Outcome: h.Outcome, Shares: string(h.Shares)})
	}
	return s, nil
}

func numbers(decimals []db.Decimal) []string {
	if decimals == nil {
		return nil
	}
	texts := make([]string, len(decimals))
	for i, d := range decimals {
		texts[i] = string(d)
	}
	return texts
}

// bar shows how far a replay has come, on a terminal.
type bar struct {
	line  *progressLine
	start time.Time
}

func (b *bar) show(done, total int64) {
	if total == 0 {
		return
	}
	const width = 30
	filled := int(min(done, total) * width / total)
	b.line.show(done >= total, "[%s%s] %d of %d events, %.0f/s", strings.Repeat("#", filled), strings.Repeat(".", width-filled),
		done, total, float64(done)/time.Since(b.start).Seconds())
}

func (b *bar) end() { b.line.end() }
