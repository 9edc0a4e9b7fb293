package flow

import (
	"context"
	"fmt"

	"github.com/pgtape/pgtape/db"
)

// Resolve resolves each market by what happened, if that is recorded: to yes what was replicated.
// Those that are resolved already stay as they are; it returns how many it resolved.
// Errors: NotPermitted unless d is an operator's; those of ResolveMarket.
func (p *Player) Resolve(ctx context.Context) (resolved int, err error) {
	for _, m := range p.recording.Markets {
		if m.Replicated == nil {
			continue
		}
		there, err := p.db.Market(ctx, m.Slug)
		if err != nil {
			return resolved, err
		}
		if there.Status == "resolved" || there.Status == "void" {
			continue
		}
		payout, reason := []db.Decimal{"0", "1"}, "The study did not replicate."
		if *m.Replicated {
			payout, reason = []db.Decimal{"1", "0"}, "The study replicated."
		}
		if _, err := p.db.ResolveMarket(ctx, m.Slug, payout, reason); err != nil {
			return resolved, fmt.Errorf("resolving market %s: %w", m.Slug, err)
		}
		resolved++
	}
	return resolved, nil
}

// Summary scores the markets' last prices against what happened.
type Summary struct {
	Markets   int     `json:"markets"`    // whose outcome is recorded
	MeanPrice float64 `json:"mean_price"` // of yes
	Right     int     `json:"right"`      // price of yes above one half where it was yes, not above where it was no
	Brier     float64 `json:"brier"`      // mean of (price of yes − what happened)²; 0.25 is no better than a coin
}

// Summary reads the last prices. Markets whose outcome is not recorded do not count; where none
// is, all is 0.
// Errors: NotFound before the markets were made.
func (p *Player) Summary(ctx context.Context) (Summary, error) {
	var s Summary
	for _, m := range p.recording.Markets {
		if m.Replicated == nil {
			continue
		}
		there, err := p.db.Market(ctx, m.Slug)
		if err != nil {
			return Summary{}, err
		}
		price, happened := float(there.Prices[0]), 0.0
		if *m.Replicated {
			happened = 1
		}
		s.Markets++
		s.MeanPrice += price
		s.Brier += (price - happened) * (price - happened)
		if (price > 0.5) == *m.Replicated {
			s.Right++
		}
	}
	if s.Markets > 0 {
		s.MeanPrice /= float64(s.Markets)
		s.Brier /= float64(s.Markets)
	}
	return s, nil
}
