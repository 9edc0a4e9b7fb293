package flow

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/pgtape/pgtape/db/dbtest"
)

// TestReplicationEndsAtEveryRecordedPrice plays the real market's order flow: every price it
// recorded is met, and its outcome scores as it did.
func TestReplicationEndsAtEveryRecordedPrice(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	recording, err := Replication()
	if err != nil {
		t.Fatal(err)
	}
	player := NewPlayer(d.DB, recording, PlayerOptions{OnTrade: func(played Played) {
		if !(played.Deviation <= 1e-6) {
			t.Errorf("%s, line %d: price is off by %g", played.Market, played.Line, played.Deviation)
		}
	}})

	result, err := player.Play(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d trades as %d orders in %v, at most %.2g off (%s)",
		result.Trades, result.Orders, result.Elapsed, result.MaxDeviation, result.Worst)
	if result.Trades != 2288 || result.Compared != 2288 || result.Repeated != 0 || len(result.Refused) != 0 {
		t.Errorf("result = %+v, want 2288 trades made and compared", result)
	}
	d.Verify(t)

	resolved, err := player.Resolve(t.Context())
	if err != nil || resolved != 40 {
		t.Fatalf("resolved %d markets (%v), want 40", resolved, err)
	}
	d.Verify(t)
	summary, err := player.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%d markets, mean %.3f, %d right, Brier %.4f", summary.Markets, summary.MeanPrice, summary.Right, summary.Brier)
	if want := "40 markets, mean 0.556, 28 right, Brier 0.2275"; got != want {
		t.Errorf("summary = %s, want %s", got, want)
	}
	if got, want := siteBrier(t, d), publishedBrier(t); math.Abs(got-want) > 1e-6 {
		t.Errorf("the site's record has a Brier score of %.6f, the files one of %.6f", got, want)
	}
	if again, err := player.Resolve(t.Context()); again != 0 || err != nil {
		t.Errorf("resolving again resolved %d (%v), want none", again, err)
	}
}

// siteBrier is the Brier score of the last prices, as the site's own record sums it up.
func siteBrier(t *testing.T, d *dbtest.DB) float64 {
	t.Helper()
	tallies, err := d.SiteRecord(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var errors, forecasts float64
	for _, tally := range tallies {
		if tally.Horizon == "last" && !tally.Several {
			errors += float(tally.ErrorSum)
			forecasts += float(tally.Forecasts)
		}
	}
	if forecasts != 40 {
		t.Errorf("%v forecasts, want 40", forecasts)
	}
	return errors / forecasts
}

// publishedBrier is that of the recorded files alone: the last price of each market against whether
// its study replicated.
func publishedBrier(t *testing.T) float64 {
	t.Helper()
	table := func(name string) [][]string {
		file, err := os.Open("replication/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		rows, err := csv.NewReader(file).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows[1:]
	}
	number := func(text string) float64 {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	last := map[string]float64{} // the file is in the order of time
	for _, trade := range table("trades.csv") {
		last[trade[0]] = number(trade[6])
	}
	var sum float64
	markets := table("markets.csv")
	for _, market := range markets {
		sum += math.Pow(last[market[0]]-number(market[3]), 2)
	}
	return sum / float64(len(markets))
}

func TestReplicationIsWhatItsReadmeSays(t *testing.T) {
	t.Parallel()
	recording, err := Replication()
	if err != nil {
		t.Fatal(err)
	}
	traders, replicated := map[string]bool{}, 0
	for _, trade := range recording.Trades {
		traders[trade.Trader] = true
	}
	for _, m := range recording.Markets {
		if m.Replicated == nil || m.Category != "replication" {
			t.Errorf("market %s = %+v, want its outcome and category", m.Slug, m)
		} else if *m.Replicated {
			replicated++
		}
	}
	if len(recording.Markets) != 40 || len(recording.Trades) != 2288 || len(traders) != 83 || replicated != 15 {
		t.Errorf("%d markets (%d replicated), %d trades, %d traders; want 40 (15), 2288, 83",
			len(recording.Markets), replicated, len(recording.Trades), len(traders))
	}
	if got, want := recording.Markets[0].Question, `Does "Richeson & Trawalter (2008)" replicate?`; got != want {
		t.Errorf("question = %s, want %s", got, want)
	}
}
