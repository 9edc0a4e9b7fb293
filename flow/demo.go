package flow

import (
	"context"
	"fmt"

	"github.com/pgtape/pgtape/db"
)

// BotMarket is a market that bots trade on. Beliefs are the probabilities around which those who
// know something believe its outcomes to lie; nil: around its prices when the bots come.
type BotMarket struct {
	db.NewMarket
	Beliefs []float64
}

// DemoMarkets are the markets of the demo: one of each kind, about nothing that dates.
func DemoMarkets() []BotMarket {
	return []BotMarket{
		{
			NewMarket: db.NewMarket{
				Slug: "rain", Category: "weather", Liquidity: "100",
				Question: "Will it rain in Berlin tomorrow?",
				Description: "Yes if at least 0.1 mm of rain is measured in Berlin on the next calendar day.\n\n" +
					"In the demo tomorrow never comes, so this market never closes.",
			},
			Beliefs: []float64{0.45, 0.55},
		},
		{
			NewMarket: db.NewMarket{
				Slug: "meeting", Category: "work", Liquidity: "60",
				Question:    "Could the next meeting have been an email?",
				Description: "Decided by a show of hands after the meeting. No if there are cakes.",
			},
			Beliefs: []float64{0.82, 0.18},
		},
		{
			NewMarket: db.NewMarket{
				Slug: "language", Category: "technology", Liquidity: "120",
				Question:    "Which language will the next great database be written in?",
				Outcomes:    []string{"rust", "go", "c", "c++", "zig", "another"},
				Description: "The language of most lines of its core. Great is what a jury of database engineers calls great.",
			},
			Beliefs: []float64{0.34, 0.16, 0.14, 0.18, 0.11, 0.07},
		},
		{
			NewMarket: db.NewMarket{
				Slug: "penalties", Category: "sports", Liquidity: "150",
				Question:    "Will the next World Cup final be decided by penalties?",
				Description: "Yes if the winner of the final is known only after a penalty shoot-out.",
			},
			Beliefs: []float64{0.27, 0.73},
		},
		{
			NewMarket: db.NewMarket{
				Slug: "signal", Category: "science", Liquidity: "250",
				Question:    "Will we hear from another civilisation while anyone now alive is alive?",
				Description: "Yes once a signal from beyond the solar system is confirmed to be made, by two independent observatories.",
			},
			Beliefs: []float64{0.08, 0.92},
		},
	}
}

// CreateMarkets makes those markets that are not there yet, funded by the house unless they name
// an account.
// Errors: those of CreateMarket, but AlreadyExists.
func CreateMarkets(ctx context.Context, d *db.DB, markets []BotMarket) error {
	for _, m := range markets {
		if m.Account == "" {
			m.Account = "house"
		}
		_, err := d.CreateMarket(ctx, m.NewMarket)
		if err != nil && db.CodeOf(err) != db.AlreadyExists {
			return fmt.Errorf("creating market %s: %w", m.Slug, err)
		}
	}
	return nil
}
