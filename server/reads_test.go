package server_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

func TestAnswersSayHowTheyWereComeBy(t *testing.T) {
	t.Parallel()
	s := open(t)
	slug := s.Market(t)
	s.follow(t)
	ana := s.signIn(t, "ana")
	ana.trade(t, slug, buyTen)
	for _, path := range []string{
		"/api/v1/markets", "/api/v1/markets?q=will&sort=volume", "/api/v1/markets/" + slug + "/holders",
		"/api/v1/markets/" + slug + "/comments", "/api/v1/markets/" + slug + "/timeline", "/api/v1/portfolio", "/api/v1/portfolio/history",
	} {
		first := ana.get(t, path)
		for deadline := time.Now().Add(patience); first.header.Get("X-Cache") != "hit"; first = ana.get(t, path) { // the tape may bring the trade first
			if first.status != http.StatusOK || time.Now().After(deadline) {
				t.Fatalf("%s is a %s: %s", path, first.header.Get("X-Cache"), first)
			}
		}
		tag := first.header.Get("ETag")
		again := ana.get(t, path, "If-None-Match", tag)
		if again.status != http.StatusNotModified || len(again.body) != 0 || again.header.Get("ETag") != tag {
			t.Errorf("%s with its tag: %s", path, again)
		}
		if private := strings.Contains(first.header.Get("Cache-Control"), "private"); private != strings.Contains(path, "portfolio") {
			t.Errorf("%s: %s", path, first.header.Get("Cache-Control"))
		}
		// One made in psql comes by the tape.
		if _, err := s.Trade(t.Context(), db.Order{Account: "ana", Market: slug, Outcome: "no", Side: "buy", Shares: "1", MaxCost: "1"}); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(patience); !strings.Contains(path, "comments") && !strings.Contains(path, "timeline"); {
			if got := ana.get(t, path, "If-None-Match", tag); got.status == http.StatusOK {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s stays as it is", path)
			}
		}
	}
	for _, path := range []string{"/api/v1/markets?status=open", "/api/v1/markets?sort=hot"} { // they depend on the clock
		for range 2 {
			if how := ana.get(t, path).header.Get("X-Cache"); how != "bypass" {
				t.Errorf("%s is a %s", path, how)
			}
		}
	}
	for _, metric := range []string{`pgtape_cache_answers_total{how="hit"}`, "pgtape_cache_bytes", `pgtape_db_connections_most{kind="insight"}`} {
		if text := string(ana.get(t, "/metrics").body); !strings.Contains(text, metric) {
			t.Errorf("no metric %s", metric)
		}
	}
}

// late is a tape whose events arrive when the test lets them.
type late struct {
	untilLive
	arrive chan struct{}
}

func (l *late) Publish(e tape.Event) {
	<-l.arrive
	l.Sink.Publish(e)
}

// Whoever has a receipt asks before the tape has brought the trade: nothing is from before it.
func TestNobodyIsAnsweredFromBeforeHisReceipt(t *testing.T) {
	t.Parallel()
	s := open(t)
	slug := s.Market(t)
	ana := s.signIn(t, "ana")
	sink := &late{untilLive{Sink: s.server.Sink(), live: make(chan struct{})}, make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.reader.Run(ctx, sink) }()
	arrive := sync.OnceFunc(func() { close(sink.arrive) })
	t.Cleanup(func() {
		arrive()
		cancel()
		<-ended
	})
	wait(t, "a live tape", sink.live)

	shown := map[string]string{ // what of a receipt is in an answer
		"/api/v1/portfolio":                     `"shares":"10.000000"`,
		"/api/v1/portfolio/history":             `"shares":"10.000000"`,
		"/api/v1/markets/" + slug + "/holders":  `"account":"ana"`,
		"/api/v1/markets":                       `"trades":1`,
		"/portfolio":                            slug,
		"/u/ana":                                slug,
		"/m/" + slug + "/holders?part":          "ana",
		"/api/v1/markets/" + slug + "/comments": "well bought",
	}
	for path, text := range shown {
		for range 2 {
			if got := ana.get(t, path); got.status != http.StatusOK || strings.Contains(string(got.body), text) {
				if path != "/u/ana" && !strings.HasPrefix(path, "/m/") {
					t.Fatalf("%s has %s before: %s", path, text, got)
				}
			}
		}
	}
	ana.trade(t, slug, buyTen)
	if got := ana.post(t, "/api/v1/markets/"+slug+"/comments", `{"body":"well bought"}`); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	check := func(when string) {
		for path, text := range shown {
			if got := ana.get(t, path); !strings.Contains(string(got.body), text) {
				t.Errorf("%s, %s has no %s: %s", when, path, text, got)
			}
		}
	}
	check("before the tape has it")
	check("and again")
	arrive()
	check("when it comes")

	made := ana.post(t, "/api/v1/markets", `{"slug":"snow","question":"Will it snow?","category":"weather"}`)
	if made.status != http.StatusCreated {
		t.Fatal(made)
	}
	if got := ana.get(t, "/api/v1/markets"); !strings.Contains(string(got.body), "snow") {
		t.Errorf("the market is not in the list: %s", got)
	}
	var list struct{ Comments []db.Comment }
	ana.get(t, "/api/v1/markets/"+slug+"/comments").read(t, &list)
	removed := ana.do(t, http.MethodDelete, "/api/v1/comments/"+strconv.FormatInt(list.Comments[0].ID, 10), nil)
	if got := ana.get(t, "/api/v1/markets/"+slug+"/comments"); removed.status != http.StatusNoContent || strings.Contains(string(got.body), "well bought") {
		t.Errorf("%s: the comment is still there: %s", removed, got)
	}
}

// Fifty times as many requests as connections at a database that answers nothing: all are told to come
// back, and none hears of a connection.
func TestABusyDatabaseIsSaidToBeBusy(t *testing.T) {
	t.Parallel()
	const conns, asked = 8, 400
	var limited *db.DB
	s := open(t, func(c *server.Config) {
		var err error
		limited, err = db.Open(t.Context(), c.DB.URL(), db.Options{AsServer: true, MaxConns: conns, Wait: time.Second})
		must(t, err)
		t.Cleanup(limited.Close)
		c.DB = limited
	})
	account := s.Account(t, "1")
	tx, err := s.Pool().Begin(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	_, err = tx.Exec(t.Context(), "lock table pgtape_core.account")
	must(t, err)

	var waiting sync.WaitGroup
	var busy, fine atomic.Int64
	for range asked {
		waiting.Go(func() {
			switch got := s.nobody().get(t, "/api/v1/accounts/"+account); {
			case got.status == http.StatusServiceUnavailable && got.code() == db.Unavailable && got.header.Get("Retry-After") != "":
				busy.Add(1)
			case got.status == http.StatusOK:
				fine.Add(1)
			default:
				t.Errorf("%s", got)
			}
		})
	}
	const through = conns - 4 // reads
	for deadline := time.Now().Add(patience); busy.Load() < asked-through; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d were turned away", busy.Load())
		}
	}
	if got := s.nobody().get(t, "/readyz"); !strings.Contains(string(got.body), `"database":"reachable"`) {
		t.Errorf("operators do not get through: %s", got)
	}
	must(t, tx.Rollback(t.Context()))
	waiting.Wait()
	if busy.Load() != asked-through || fine.Load() != through {
		t.Errorf("%d turned away, %d answered", busy.Load(), fine.Load())
	}
	if got := s.nobody().get(t, "/metrics"); !strings.Contains(string(got.body), `pgtape_db_refused_late_total{kind="read"} 396`) {
		t.Errorf("they are not counted: %+v", limited.Budgets())
	}
}
