package tape_test

import (
	"testing"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
)

// TestADatabaseThatIsRestoredFromAnOlderCopy: what was delivered since the copy is of a history
// that is no more.
func TestADatabaseThatIsRestoredFromAnOlderCopy(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	ana, market, quiet := p.Account(t, "1000"), p.Market(t), p.Market(t)
	for range 3 {
		buy(t, p.DB, ana, market)
	}
	buy(t, p.DB, ana, quiet)
	p.stopFast(t)
	restore := p.backup(t)
	p.start(t)

	type watcher struct {
		reader *tape.Reader
		sink   *recorder
	}
	var watchers []watcher
	through, link := dbtest.Linked(t, p.URL())
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		for _, url := range []string{p.URL(), through} {
			reader, sink := follow(t, url, mode)
			sink.waitState(tape.Live)
			watchers = append(watchers, watcher{reader, sink})
		}
	}
	young, ben := p.Market(t), p.Account(t, "1000") // not in the copy
	for range 3 {
		buy(t, p.DB, ana, market)
		buy(t, p.DB, ben, young)
	}
	for _, w := range watchers {
		w.sink.waitEvents(market, 3)
		w.sink.waitEvents(young, 4)
		w.sink.waitEvents("house", 1)
	}

	// Half of the readers are back before anything is done in the new history, half of them only
	// after it has gone further than the old one had.
	link.Cut()
	p.stopImmediately(t)
	restore()
	p.start(t)
	for i, w := range watchers {
		if i%2 == 0 {
			w.sink.waitState(tape.Live)
		}
	}
	cleo := p.Account(t, "1000")
	for range 9 {
		buy(t, p.DB, cleo, market)
	}
	link.Mend()
	for _, w := range watchers {
		w.sink.waitState(tape.Live)
		for _, slug := range []string{market, "house"} {
			onlyTheNewHistory(t, p.DB, w.sink, slug)
		}
		w.sink.wait("the reset of a market that is no more", func() bool {
			resets := w.sink.resets[young]
			return len(resets) > 0 && resets[len(resets)-1] == tape.Head{} && len(w.sink.events[young]) == 0
		})
		if n := len(w.sink.resets[quiet]); n != 1 {
			t.Errorf("a market that is as before was reset %d times, want 1: at the start", n)
		}
		if status := w.reader.Status(); status.Resets != 3 || status.Reconciled != 0 {
			t.Errorf("status %+v, want 3 resets", status)
		}
	}
}

// onlyTheNewHistory waits until the sink has been told all of a market's history as it is now:
// where it started again, and each event behind.
func onlyTheNewHistory(t *testing.T, d *dbtest.DB, sink *recorder, market string) {
	t.Helper()
	all, err := d.TapeAfter(t.Context(), market, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	head := all[len(all)-1].Head()
	sink.wait("the head of "+market, func() bool {
		resets, events := sink.resets[market], sink.events[market]
		if len(events) > 0 {
			return events[len(events)-1].Head() == head
		}
		return len(resets) > 0 && resets[len(resets)-1] == head
	})
	sink.mu.Lock()
	defer sink.mu.Unlock()
	reset := sink.resets[market][len(sink.resets[market])-1]
	if all[reset.Seq-1].Head() != reset {
		t.Fatalf("%s was reset to %s, which is no point of the new history", market, reset)
	}
	compare(t, sink.events[market], all[reset.Seq:])
}

func TestAHistoryThatChangesUnderAReader(t *testing.T) {
	// As a superuser might, or a failover behind an address that stays.
	tests := []struct {
		name   string
		change func(t *testing.T, d *dbtest.DB, account, market string)
	}{
		{"loses its tail", func(t *testing.T, d *dbtest.DB, _, market string) {
			rewind(t, d, market, 2)
		}},
		{"loses its tail and grows to another of the same length", func(t *testing.T, d *dbtest.DB, account, market string) {
			rewind(t, d, market, 3)
			buy(t, d, account, market)
		}},
		{"loses its tail and goes further", func(t *testing.T, d *dbtest.DB, account, market string) {
			rewind(t, d, market, 2)
			for range 6 {
				buy(t, d, account, market)
			}
		}},
		{"has its last event rewritten", func(t *testing.T, d *dbtest.DB, _, market string) {
			d.Exec(t, "alter table pgtape_core.tape disable trigger append_only")
			d.Exec(t, "update pgtape_core.tape set hash = sha256(hash) where market = $1 and seq = 4", market)
			d.Exec(t, `update pgtape_core.book b set head = sha256(b.head) from pgtape_core.market m
				where m.slug = $1 and b.market_id = m.id`, market)
		}},
	}
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				d := dbtest.New(t)
				ana, market := d.Account(t, "1000"), d.Market(t)
				reader, sink := follow(t, d.URL(), mode)
				sink.waitState(tape.Live)
				for range 3 {
					buy(t, d, ana, market)
				}
				sink.waitEvents(market, 3)
				tt.change(t, d, ana, market)
				sink.wait("a reset", func() bool { return len(sink.resets[market]) > 1 })
				buy(t, d, ana, market)
				onlyTheNewHistory(t, d, sink, market)
				if status := reader.Status(); status.Connects != 1 {
					t.Errorf("status %+v, want the connection to be kept", status)
				}
			})
		}
	})
}

// rewind takes a market back to an event, as if all after it had never been.
func rewind(t *testing.T, d *dbtest.DB, market string, seq int64) {
	t.Helper()
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`alter table pgtape_core.tape disable trigger append_only`,
		`alter table pgtape_core.trade disable trigger append_only`,
		`delete from pgtape_core.tape where market = $1 and seq > $2`,
		`delete from pgtape_core.trade t using pgtape_core.market m where m.slug = $1 and t.market_id = m.id and t.seq > $2`,
		`update pgtape_core.book b set version = t.seq, head = t.hash from pgtape_core.tape t, pgtape_core.market m
		 where m.slug = $1 and b.market_id = m.id and t.market = $1 and t.seq = $2`,
	} {
		var args []any
		if statement[0] != 'a' {
			args = []any{market, seq}
		}
		if _, err := tx.Exec(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTheHouseHasATapeToo(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		d.Account(t, "1")
		reader, sink := follow(t, d.URL(), mode)
		sink.waitState(tape.Live)
		ana := d.Account(t, "1000")
		if _, err := d.GrantCredits(t.Context(), ana, "5", "test"); err != nil {
			t.Fatal(err)
		}
		allOf(t, d, sink, "house")
		soundly(t, reader)
	})
}
