package state

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/pgtape/pgtape/db"
)

const aTrade = `{"trade":{"id":7,"account":"ana","outcome":"yes","side":"buy","shares":"50.000000","amount":"28.092981","avg_price":"0.561860"},` +
	`"prices":{"yes":"0.622459331202","no":"0.377540668798"}}`

func TestATradeIsReadAsItsJSONSays(t *testing.T) {
	t.Parallel()
	outcomes := []string{"yes", "no"}
	got, ok := readTrade(aTrade, outcomes)
	var want body
	if err := json.Unmarshal([]byte(aTrade), &want); err != nil {
		t.Fatal(err)
	}
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %+v, want %+v", ok, got, want)
	}
	for i := range aTrade { // a part, or with something between
		for _, text := range []string{aTrade[:i], aTrade[:i] + `\` + aTrade[i:], aTrade[:i] + `"` + aTrade[i:]} {
			if got, ok := readTrade(text, outcomes); ok && json.Unmarshal([]byte(text), new(any)) != nil {
				t.Errorf("%s is no JSON, read as %+v", text, got)
			}
		}
	}
	for _, others := range [][]string{{"yes"}, {"no", "yes"}, {"yes", "no", "both"}} {
		if _, ok := readTrade(aTrade, others); ok {
			t.Errorf("read as one of %q", others)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	e, ok := newEntry(db.MarketState{Market: db.Market{
		Outcomes: []string{"yes", "no"}, Outstanding: []db.Decimal{"0.000000", "0.000000"}, Volume: "0.000000",
		Status: "open", Version: 1, Cursor: "1.0123456789abcdef",
	}})
	if !ok {
		b.Fatal("no entry")
	}
	event := tapeEvent("trade", aTrade)
	b.ReportAllocs()
	for b.Loop() {
		event.Seq++
		if !e.apply(event) {
			b.Fatal("not applied")
		}
	}
}

func BenchmarkView(b *testing.B) {
	m := db.Market{
		Slug: "rain", Question: "Will it rain tomorrow in the place where everybody looks?", Outcomes: []string{"yes", "no"},
		Prices: []db.Decimal{"0.622459331202", "0.377540668798"}, Outstanding: []db.Decimal{"0.000000", "0.000000"},
		VoidPayout: []db.Decimal{"0.500000", "0.500000"}, Volume: "0.000000", Status: "open", Version: 1, Cursor: "1.0123456789abcdef",
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := newView(m); err != nil {
			b.Fatal(err)
		}
	}
}
