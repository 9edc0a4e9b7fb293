package db_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestTheFeedTellsWhatIsNew(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server := d.AsServer(t)
	feed := func(each int) (told []string) {
		t.Helper()
		entries, err := server.Feed(t.Context(), each)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			told = append(told, e.Kind+" "+e.Market)
		}
		return told
	}
	if got := feed(30); len(got) > 0 {
		t.Errorf("nothing has happened, but: %v", got)
	}
	ana := d.Account(t, "1000")
	for _, m := range []db.NewMarket{
		{Slug: "rain", Question: "Will it \"rain\"?", Category: "weather"},
		{Slug: "which", Question: "Which?", Outcomes: []string{"a", "b", "c"}},
		{Slug: "draft", Question: "Not yet?", Draft: true},
		{Slug: "open", Question: "Open?"},
	} {
		if _, err := d.CreateMarket(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	trade(t, d, ana, "rain", "yes", "10")
	if got, want := feed(30), []string{"created open", "created which", "created rain"}; !slices.Equal(got, want) {
		t.Errorf("feed %v, want %v", got, want)
	}
	if _, err := d.ResolveMarket(t.Context(), "rain", []db.Decimal{"0.25", "0.75"}, "the station says so"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.VoidMarket(t.Context(), "which", "nobody knows"); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "select pgtape.comment('draft', 'soon?', $1)", ana)
	rain, err := d.DB.Market(t.Context(), "rain")
	if err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "select pgtape.comment('rain', 'so it was', $1)", ana)
	if slices.Contains(feed(30), "created draft") {
		t.Error("talk has made a draft a market")
	}
	if _, err := d.OpenMarket(t.Context(), "draft", "now"); err != nil {
		t.Fatal(err)
	}
	want := []string{"void which", "resolved rain", "created open", "created draft", "created which", "created rain"}
	if got := feed(30); !slices.Equal(got, want) {
		t.Errorf("feed %v, want %v", got, want)
	}
	if got, want := feed(1), []string{"void which", "created open"}; !slices.Equal(got, want) {
		t.Errorf("one of each: %v, want %v", got, want)
	}

	entries, err := server.Feed(t.Context(), 30)
	if err != nil {
		t.Fatal(err)
	}
	e := entries[1]
	if e.Question != rain.Question || e.Category != "weather" || !slices.Equal(e.Outcomes, rain.Outcomes) || e.Cursor != rain.Cursor ||
		!e.At.Equal(rain.UpdatedAt) || !slices.Equal(e.Payout, rain.Payout) || e.Reason != "the station says so" {
		t.Errorf("the resolution of rain is told as %+v", e)
	}
	if first := entries[len(entries)-1]; !strings.HasPrefix(first.Cursor, "1.") || first.Payout != nil || first.Reason != "" {
		t.Errorf("the beginning of rain is told as %+v", first)
	}

	if _, err := d.CorrectResolution(t.Context(), "rain", []db.Decimal{"1", "0"}, "misread"); err != nil {
		t.Fatal(err)
	}
	if got := feed(30); got[0] != "corrected rain" || slices.Contains(got, "resolved rain") {
		t.Errorf("after a correction: %v", got)
	}
}
