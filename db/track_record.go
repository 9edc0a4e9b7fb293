package db

import "context"

// Tally sums up forecasts whose price was within one tenth: what they said, what came of it, and
// the squares of how far they were off.
type Tally struct {
	Horizon        string   `json:"horizon"` // before trading ended: last, hour, day
	Several        bool     `json:"several"` // markets of more than two outcomes; they have no tenth
	Bucket         *int     `json:"bucket"`  // from 0
	Forecasts      Decimal  `json:"forecasts"`
	PriceSum       *Decimal `json:"price_sum"`
	OutcomeSum     *Decimal `json:"outcome_sum"`
	OutcomeSquares *Decimal `json:"outcome_squares"`
	ErrorSum       Decimal  `json:"error_sum"`
	EvenErrorSum   Decimal  `json:"even_error_sum"` // had all outcomes been said to be as likely
}

// SiteRecord sums up the prices of all resolved markets.
func (d *DB) SiteRecord(ctx context.Context) ([]Tally, error) {
	return all[Tally](as(ctx, reporting), d, `
		select horizon, several, bucket, forecasts::text, price_sum::text, outcome_sum::text, outcome_squares::text,
		       error_sum::text, even_error_sum::text
		from pgtape.site_record()`)
}

// AccountRecord sums up what an account has bought in resolved markets, each market once.
// Errors: NotFound.
func (d *DB) AccountRecord(ctx context.Context, account string) ([]Tally, error) {
	return all[Tally](as(ctx, reporting), d, `
		select '' as horizon, false as several, bucket, forecasts::text, price_sum::text, outcome_sum::text, outcome_squares::text,
		       error_sum::text, (0.25 * forecasts - outcome_sum + outcome_squares)::text as even_error_sum
		from pgtape.account_record($1)`, account)
}

// Brier is the mean squared error of somebody's forecasts, in so many markets.
type Brier struct {
	Account   string
	Forecasts int64
	Brier     Decimal
}

// BrierScores gives those of accounts that have forecast anything, by handle.
func (d *DB) BrierScores(ctx context.Context, accounts []string) (map[string]Brier, error) {
	list, err := all[Brier](as(ctx, reporting), d, "select account, forecasts::bigint, brier::text from pgtape.brier_scores($1)", accounts)
	scores := make(map[string]Brier, len(list))
	for _, b := range list {
		scores[b.Account] = b
	}
	return scores, err
}
