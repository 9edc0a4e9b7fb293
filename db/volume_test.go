package db_test

import (
	"errors"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// Complete sets are bought and redeemed at exactly 1, for nothing: they make no market look busy, and
// no account.
func TestCompleteSetsAreNoVolume(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo := d.Account(t, "1000000"), d.Account(t, "1000")
	quiet, busy, mixed := d.Market(t), d.Market(t, dbtest.Outcomes("a", "b", "c")), d.Market(t)
	for range 3 {
		place(t, d, ana, quiet, "buy", "* 300000")
		place(t, d, ana, quiet, "sell", "* 300000")
	}
	place(t, d, bo, busy, "buy", "a 1")
	place(t, d, ana, mixed, "buy", "* 50000")
	place(t, d, bo, mixed, "buy", "no 20")
	place(t, d, ana, mixed, "sell", "* 10")

	for _, tt := range []struct {
		market         string
		volume, trades string
	}{{quiet, "0.000000", "0"}, {busy, "0.334446", "1"}, {mixed, "10.499169", "1"}} {
		var volume, trades, lately string
		if err := d.Pool().QueryRow(t.Context(), `
			select volume::text, trades::text, coalesce((select concat_ws(' ', a.volume, a.trades) from pgtape.activity a where a.market = slug), 'none')
			from pgtape.markets where slug = $1`, tt.market).Scan(&volume, &trades, &lately); err != nil {
			t.Fatal(err)
		}
		want := tt.volume + " " + tt.trades
		if tt.trades == "0" {
			want = "none"
		}
		if volume != tt.volume || trades != tt.trades || lately != want {
			t.Errorf("volume %s of %s trades, lately %s; want %s of %s", volume, trades, lately, tt.volume, tt.trades)
		}
	}
	for _, sort := range []string{"hot", "volume"} {
		list, _, err := d.Markets(t.Context(), db.MarketFilter{Sort: sort})
		if err != nil || len(list) != 3 || list[0].Slug != mixed || list[1].Slug != busy || list[2].Slug != quiet {
			t.Errorf("by %s: %+v, %v", sort, list, err)
		}
	}
	var made int
	if err := d.Pool().QueryRow(t.Context(), "select trades from pgtape.account_profile($1)", ana).Scan(&made); err != nil {
		t.Fatal(err)
	}
	if made != 0 {
		t.Errorf("ana has made %d trades of complete sets only, on her profile", made)
	}
	d.Verify(t)
}

// A refused sale names the exact number that is held, and what to do.
func TestARefusalNamesWhatIsHeld(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market := d.Account(t, "10"), d.Account(t, "1000"), d.Market(t)
	place(t, d, ana, market, "buy", "yes 3.375")
	place(t, d, bo, market, "buy", "* 100")
	_, err := d.Trade(t.Context(), db.Order{Account: ana, Market: market, Outcome: "yes", Side: "sell", Shares: "3.38", MinProceeds: "0"})
	wantHint(t, err, db.InsufficientShares, "sell at most 3.375000; there is no short selling: to bet against an outcome, buy the other")
	_, err = d.Trade(t.Context(), db.Order{Account: ana, Market: market, Outcome: "*", Side: "sell", Shares: "1", MinProceeds: "0"})
	wantHint(t, err, db.InsufficientShares, "there is no short selling: to bet against an outcome, buy the other")
	_, err = d.Trade(t.Context(), db.Order{Account: ana, Market: market, Outcome: "no", Side: "buy", Shares: "50", MaxCost: "50"})
	wantHint(t, err, db.InsufficientFunds, "buy fewer shares, or spend at most "+string(balance(t, d, ana)))
}

func wantHint(t *testing.T, err error, code db.Code, hint string) {
	t.Helper()
	var refusal *db.Error
	if !errors.As(err, &refusal) || refusal.Code != code || refusal.Hint != hint {
		t.Errorf("%v (%+v), want %s: %s", err, refusal, code, hint)
	}
}
