package flow

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// turns is a small recording: ana buys 10 yes, bo 4 no, ana moves 15 toward no, which sells her 10
// yes and buys 5 no.
func turns(t *testing.T) *Recording {
	t.Helper()
	r, err := Read(writeFiles(t, "trades.csv", header+
		"rain,2012-11-09T10:00:00Z,ana,yes,10\nrain,2012-11-09T11:00:00Z,bo,no,4\nrain,2012-11-09T12:00:00Z,Ana,no,15\n",
		"markets.csv", "market,question,replicated\nrain,Did it rain?,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestATraderSellsWhatHeHoldsBeforeHeBuysTheOther(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	result, err := NewPlayer(d.DB, turns(t), PlayerOptions{}).Play(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Trades != 3 || result.Orders != 4 {
		t.Errorf("result = %+v, want 3 trades as 4 orders", result)
	}
	positions, err := d.Positions(t.Context(), "ana")
	if err != nil || len(positions) != 1 || positions[0].Outcome != "no" || positions[0].Shares != "5.000000" {
		t.Errorf("positions = %+v (%v), want 5 no", positions, err)
	}
	d.Verify(t)
}

func TestAnInterruptedReplayGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	recording := turns(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// An hour's pause is bounded by 10 ms; the second trade is the last before the interruption.
	seen := 0
	first := NewPlayer(d.DB, recording, PlayerOptions{Speed: 1, MaxPause: 10 * time.Millisecond, OnTrade: func(Played) {
		if seen++; seen == 2 {
			stop()
		}
	}})
	if _, err := first.Play(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("error = %v, want that the player was stopped", err)
	}

	// Another trader meanwhile: the plan does not depend on what the market has become.
	other := d.Account(t, "100")
	order := db.Order{Market: "rain", Account: other, Outcome: "yes", Side: "buy", Shares: "3", MaxCost: "3"}
	if _, err := d.Trade(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	second := NewPlayer(d.DB, recording, PlayerOptions{Speed: 1, MaxPause: 10 * time.Millisecond})
	result, err := second.Play(t.Context())
	if err != nil || result.Trades != 3 || result.Repeated != 2 || result.Orders != 2 {
		t.Errorf("result = %+v (%v), want 3 trades, 2 of them repeated", result, err)
	}
	third, err := NewPlayer(d.DB, recording, PlayerOptions{Run: "again"}).Play(t.Context())
	if err != nil || third.Trades+third.Refused[db.InsufficientShares] != 3 || third.Repeated != 0 {
		t.Errorf("another run = %+v (%v), want its own trades", third, err)
	}
	d.Verify(t)
}

func TestATradeThatTheMarketRefusesIsCountedAndLeftOut(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	player := NewPlayer(d.DB, turns(t), PlayerOptions{})
	if err := player.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := player.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	result, err := player.Play(t.Context())
	if err != nil || result.Trades != 0 || result.Refused[db.MarketNotOpen] != 3 {
		t.Errorf("result = %+v (%v), want 3 refused", result, err)
	}
	d.Verify(t)
}

func TestAMarketOfOtherOutcomesIsNotPlayed(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	_, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "How much?", Outcomes: []string{"none", "some", "much"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewPlayer(d.DB, turns(t), PlayerOptions{}).Play(t.Context()); db.CodeOf(err) != db.AlreadyExists {
		t.Errorf("error = %v, want already_exists", err)
	}
}

func TestAnEditedRecordingIsADifferentOne(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	rows := header + "rain,2012-11-09T10:00:00Z,ana,yes,10\nrain,2012-11-09T12:00:00Z,ana,no,15\n"
	dir := writeFiles(t, "trades.csv", rows, "edited.csv", header+rows[len(header)+len("rain,2012-11-09T10:00:00Z,ana,yes,10\n"):])
	for _, tt := range []struct {
		file string
		want db.Code
	}{{"trades.csv", ""}, {"trades.csv", ""}, {"edited.csv", db.IdempotencyMismatch}} {
		r, err := Read(filepath.Join(dir, tt.file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewPlayer(d.DB, r, PlayerOptions{}).Play(t.Context()); db.CodeOf(err) != tt.want {
			t.Errorf("%s: error = %v, want %q", tt.file, err, tt.want)
		}
	}
	d.Verify(t)
}

func TestParseSpeed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"max": 0, "0": 0, "1": 1, "3600": 3600, "0.5": 0.5} {
		if got, err := ParseSpeed(text); got != want || err != nil {
			t.Errorf("ParseSpeed(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "fast", "-1", "NaN", "Inf", "1e999"} {
		if got, err := ParseSpeed(text); err == nil {
			t.Errorf("ParseSpeed(%q) = %v, want an error", text, got)
		}
	}
}
