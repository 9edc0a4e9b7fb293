package server_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// Who holds several outcomes of a market is told what selling all of them would bring, wherever.
func TestAHoldingIsWorthTheSameAtEveryDoor(t *testing.T) {
	t.Parallel()
	s := open(t)
	tests := []struct{ handle, order, value, profit string }{
		{"ana", `{"outcome":"*","side":"buy","shares":"1000","max_cost":"1000"}`, "1000.000000", "0.000000"},
		{"bo", `{"outcome":"yes","side":"buy","shares":"1000","max_cost":"1000"}`, "930.689821", "-0.000001"},
		{"cy", `{"outcome":"no","side":"buy","shares":"0.000001","max_cost":"0.01"}`, "0.000000", "-0.000001"},
	}
	for _, tt := range tests {
		s.signIn(t, tt.handle).trade(t, s.Market(t), tt.order)
	}
	var board struct{ Standings []db.Standing }
	s.nobody().get(t, "/api/v1/leaderboard").read(t, &board)
	for _, tt := range tests {
		who := s.signIn(t, tt.handle)
		var portfolio struct{ Positions []db.Position }
		who.get(t, "/api/v1/portfolio").read(t, &portfolio)
		var page struct {
			Value, Profit db.Decimal
			Points        []db.ProfitPoint
		}
		embedded(t, who.get(t, "/portfolio"), &page)
		var profile struct{ Profile struct{ Profit db.Decimal } }
		embedded(t, who.get(t, "/u/"+tt.handle), &profile)

		sum := new(big.Rat)
		for _, p := range portfolio.Positions {
			value, _ := new(big.Rat).SetString(string(p.Value))
			sum.Add(sum, value)
		}
		at := slices.IndexFunc(board.Standings, func(line db.Standing) bool { return line.Account == tt.handle })
		line, last := board.Standings[at], page.Points[len(page.Points)-1].Profit
		if got := []string{sum.FloatString(6), string(page.Value), string(line.PositionsValue)}; !slices.Equal(got, slices.Repeat([]string{tt.value}, 3)) {
			t.Errorf("%s: value %v, want %s", tt.order, got, tt.value)
		}
		if got := []db.Decimal{line.Profit, page.Profit, profile.Profile.Profit, last}; !slices.Equal(got, slices.Repeat([]db.Decimal{db.Decimal(tt.profit)}, 4)) {
			t.Errorf("%s: profit %v, want %s", tt.order, got, tt.profit)
		}
	}
}

// Complete sets make no market look busy: not in a node's memory, in lists, or on the tape's way there.
func TestCompleteSetsAreNoVolume(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	read := func(version string) (m db.Market) {
		ana.get(t, "/api/v1/markets/"+market+"?min_version="+version).read(t, &m)
		return m
	}
	read("1") // from here on it is kept current by the tape
	ana.trade(t, market, `{"outcome":"*","side":"buy","shares":"900","max_cost":"900"}`)
	ana.trade(t, market, `{"outcome":"*","side":"sell","shares":"800","min_proceeds":"800"}`)
	if m := read("3"); m.Volume != "0.000000" || m.Trades != 0 {
		t.Errorf("volume %s of %d trades, all in complete sets", m.Volume, m.Trades)
	}
	bought := ana.trade(t, market, buyTen)
	if m := read("4"); m.Volume != bought.Amount || m.Trades != 1 {
		t.Errorf("volume %s of %d trades, want %s of 1", m.Volume, m.Trades, bought.Amount)
	}
	var hot struct{ Markets []db.Market }
	ana.get(t, "/api/v1/markets?sort=hot").read(t, &hot)
	if len(hot.Markets) != 1 || hot.Markets[0].Volume != bought.Amount {
		t.Errorf("hot: %+v", hot)
	}
	s.Verify(t)
}
