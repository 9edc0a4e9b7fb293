package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

// version is the market's in an answer, which has to be one.
func (a answer) version(t *testing.T) int64 {
	t.Helper()
	var m db.Market
	if a.read(t, &m); a.status != http.StatusOK || a.header.Get("ETag") != `"`+m.Cursor+`"` {
		t.Fatalf("answer %s, ETag %s", a, a.header.Get("ETag"))
	}
	return m.Version
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return string(text)
}

func TestMarketsAreReadFromMemory(t *testing.T) {
	t.Parallel()
	var asServer *db.DB
	s := open(t, func(c *server.Config) { asServer, c.LockCheck = c.DB, -1 })
	market, ana := s.Market(t), s.Account(t, "1000")
	address := "/api/v1/markets/" + market
	s.follow(t)
	w := s.dial(t)
	w.subscribe(market, "", "tape")
	w.next("snapshot")

	s.nobody().get(t, address+"/history") // which fills it
	statements := asServer.Pool().Stat().AcquireCount()
	for range 5 {
		s.buyOne(t, ana, market)
		seq := w.next("event").Seq
		got := s.nobody().get(t, address)
		if v := got.version(t); v != seq {
			t.Errorf("version %d after event %d", v, seq)
		}
		joining := s.dial(t)
		joining.subscribe(market, "", "tape")
		snapshot := joining.next("snapshot")
		if snapshot.Seq != seq || `"`+snapshot.Cursor+`"` != got.header.Get("ETag") || snapshot.State.Version != seq {
			t.Errorf("snapshot %+v after event %d", snapshot, seq)
		}
		if v := s.nobody().get(t, fmt.Sprintf("%s?min_version=%d", address, seq)).version(t); v != seq {
			t.Errorf("version %d after event %d", v, seq)
		}
	}
	var history struct{ Points []db.Point }
	s.nobody().get(t, address+"/history").read(t, &history)
	if last := history.Points[len(history.Points)-1]; last.Seq != 6 {
		t.Errorf("the history ends at %+v, want event 6", last)
	}
	var quote db.Quote
	s.nobody().get(t, address+"/quote?outcome=yes&side=buy&spend=10").read(t, &quote)
	if asked := asServer.Pool().Stat().AcquireCount() - statements; asked != 0 {
		t.Errorf("the database was asked %d times", asked)
	}

	want, err := s.Quote(t.Context(), db.Order{Market: market, Outcome: "yes", Side: "buy", Spend: "10"})
	must(t, err)
	if quote != want {
		t.Errorf("quoted %+v, want %+v", quote, want)
	}
	if got := s.nobody().get(t, address+"/quote?outcome=yes&side=sell&shares=10000"); got.code() != db.InsufficientShares {
		t.Errorf("a quote of what nobody has: %s", got)
	}

	// What is served is what the database would have answered.
	stored, err := s.DB.DB.Market(t.Context(), market)
	must(t, err)
	if got, want := s.nobody().get(t, address), encoded(t, stored); string(got.body) != want+"\n" {
		t.Errorf("served\n%s\nstored\n%s", got.body, want)
	}
}

func TestTheDatabaseAnswersWhileTheTapeIsLost(t *testing.T) {
	t.Parallel()
	s, l := linkedSite(t, tape.Auto)
	market, ana := s.Market(t), s.Account(t, "1000")
	address := "/api/v1/markets/" + market
	s.follow(t)
	w := s.dial(t)
	w.subscribe(market, "", "tape")
	w.next("snapshot")
	s.buyOne(t, ana, market)
	w.next("event")
	if v := s.nobody().get(t, address).version(t); v != 2 {
		t.Fatalf("version %d", v)
	}

	l.Cut()
	w.heartbeat("lost")
	s.buyOne(t, ana, market)
	if v := s.nobody().get(t, address).version(t); v != 3 {
		t.Errorf("version %d while the tape is lost", v)
	}
	w.send(`{"op":"fence"}`)
	w.next("error") // the tape has not brought it

	// The history is another one now: what was in memory is never served again.
	s.backTo(t, market, 1)
	l.Mend()
	waitUntil(t, "a live reader that knows", func() bool {
		status := s.reader.Status()
		return status.State == tape.Live && status.Resets > 0
	})
	if v := s.nobody().get(t, address).version(t); v != 1 {
		t.Errorf("version %d of a history that is no more", v)
	}
}
