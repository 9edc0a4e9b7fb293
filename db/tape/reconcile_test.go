package tape_test

import (
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
)

func TestReconciliationFindsWhatTheStreamSkipped(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	reader, sink := followWith(t, tape.Options{URL: d.URL(), Mode: tape.WAL}, func(r *tape.Reader) {
		r.Skip(func(e tape.Event) bool { return e.Market == market && e.Seq%3 == 0 })
	})
	sink.waitState(tape.Live)

	// A lost event is found by the next one, or by comparing heads when there is none.
	const rounds = 4
	for round := range rounds {
		for range 3 {
			buy(t, d, ana, market)
		}
		sink.waitEvents(market, 3*(round+1))
	}
	allOf(t, d, sink, market)
	// The last event is delivered before it is counted.
	waitFor(t, "all to be counted", func() bool { return reader.Status().Reconciled >= rounds })
	if status := reader.Status(); status.Reconciled != rounds || status.Resets != 0 || status.Connects != 1 {
		t.Errorf("status %+v, want %d reconciled", status, rounds)
	}
}

func TestTheDoorbellIsKeptRinging(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	_, sink := follow(t, d.URL(), tape.Notify)
	sink.waitState(tape.Live)
	until := func() (at time.Time) {
		if err := d.Pool().QueryRow(t.Context(), "select ringing_until from pgtape_core.doorbell").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	first := until()
	waitFor(t, "the doorbell to ring for longer", func() bool { return until().After(first) })
}

func TestWhatOthersNotifyIsNoMatter(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	reader, sink := follow(t, d.URL(), tape.Notify)
	sink.waitState(tape.Live)
	for _, payload := range []string{"", "x", market, market + " x", market + " 99", "none 5", "probe:", "probe:1"} {
		d.Exec(t, "select pg_notify('pgtape_tape', $1)", payload)
	}
	buy(t, d, ana, market)
	allOf(t, d, sink, market)
	soundly(t, reader)
	if n := reader.Status().Connects; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestTwoReadersOfADatabaseDoNotMistakeEachOthersProbes(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		ana, market := d.Account(t, "1000"), d.Market(t)
		var readers []*tape.Reader
		var sinks []*recorder
		for range 3 {
			reader, sink := follow(t, d.URL(), mode)
			readers, sinks = append(readers, reader), append(sinks, sink)
		}
		for _, sink := range sinks {
			sink.waitState(tape.Live)
		}
		for range 50 {
			buy(t, d, ana, market)
		}
		for i, sink := range sinks {
			allOf(t, d, sink, market)
			soundly(t, readers[i])
		}
	})
}
