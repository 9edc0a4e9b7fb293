package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	cluster "github.com/pgtape/pgtape/db/embedded"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

// TestNoAnswerIsOlderThanAFrame on a Postgres of its own that waits for a standby
// that never comes: a commit is in the WAL, and so on the tape, but no other session sees it.
func TestNoAnswerIsOlderThanAFrame(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir, err := os.MkdirTemp("", "pgtape-test-") // t.TempDir is closed to the user that Postgres runs as
	must(t, err)
	defer os.RemoveAll(dir)
	postgres, err := cluster.Start(ctx, cluster.Options{DataDir: dir, BinDir: dbtest.BinDir(t), Settings: map[string]string{"fsync": "off"}})
	must(t, err)
	defer func() { must(t, postgres.Stop(context.WithoutCancel(ctx))) }()
	url := postgres.URL(postgres.Superuser(), "postgres")
	_, err = db.MigrateUp(ctx, url)
	must(t, err)
	// Everybody but the trader waits for nobody.
	patient, err := db.Open(ctx, url+"&synchronous_commit=local", db.Options{})
	must(t, err)
	defer patient.Close()
	for _, slug := range []string{"rain", "snow"} {
		_, err = patient.CreateMarket(ctx, db.NewMarket{Slug: slug, Question: "Will it?"})
		must(t, err)
	}
	for _, handle := range []string{"of-rain", "of-snow"} {
		_, err = patient.CreateAccount(ctx, handle, "100")
		must(t, err)
	}

	reader := tape.NewReader(tape.Options{URL: url + "&synchronous_commit=local", Early: true})
	s := server.New(server.Config{DB: patient, Reader: reader})
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	live := &untilLive{Sink: s.Sink(), live: make(chan struct{})}
	tasks.Go(func() { _ = reader.Run(running, live) })
	tasks.Go(func() { _ = s.Run(running) })
	defer tasks.Wait()
	defer stop()
	wait(t, "a live tape", live.live)
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	site := &site{DB: &dbtest.DB{DB: patient}, url: web.URL, server: s}
	w := site.dial(t)
	w.subscribe("rain", "", "")
	w.next("snapshot")
	snow, err := patient.TapeLatest(ctx, "snow", 1)
	must(t, err)
	w.subscribe("snow", snow[0].Head().String(), "") // of which nobody has asked for the state
	w.next("subscribed")

	configure := func(standby string) {
		t.Helper()
		for _, statement := range []string{"alter system set synchronous_standby_names = '" + standby + "'", "select pg_reload_conf()"} {
			_, err := patient.Pool().Exec(ctx, statement)
			must(t, err)
		}
	}
	configure("nobody")
	site.until(t, "the setting", "select current_setting('synchronous_standby_names') = 'nobody'")
	traded := make(chan error, 2)
	for _, slug := range []string{"rain", "snow"} {
		trader, err := pgx.Connect(ctx, url)
		must(t, err)
		defer trader.Close(context.WithoutCancel(ctx))
		go func() {
			_, err := trader.Exec(ctx, "select pgtape.trade($1, 'yes', 'buy', shares => 10, max_cost => 10, account => $2)", slug, "of-"+slug)
			traded <- err
		}()
		if e := w.next("event"); e.Market != slug || e.Seq != 2 {
			t.Fatalf("event = %+v", e)
		}
	}
	for _, slug := range []string{"rain", "snow"} {
		if stored, err := patient.Market(ctx, slug); err != nil || stored.Version != 1 {
			t.Skipf("the table has version %d of %s already (%v)", stored.Version, slug, err)
		}
	}
	is := func(got answer) {
		t.Helper()
		var state db.Market
		if got.read(t, &state); got.status != http.StatusOK || state.Version != 2 {
			t.Errorf("answer %s", got)
		}
	}
	is(site.nobody().get(t, "/api/v1/markets/rain")) // from memory
	is(site.nobody().get(t, "/api/v1/markets/rain?min_version=2"))
	answered := make(chan answer, 2)
	for _, query := range []string{"", "?min_version=2"} {
		go func() { answered <- site.nobody().get(t, "/api/v1/markets/snow"+query) }()
	}
	select {
	case got := <-answered:
		t.Errorf("answered while the table is behind: %s", got)
	case <-time.After(500 * time.Millisecond):
	}
	configure("")
	for range 2 {
		is(<-answered)
		must(t, <-traded)
	}
}

// TestNobodyWaitsForeverForTheTable: the tape has what the table never gets.
func TestNobodyWaitsForeverForTheTable(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.server.SetPatience(50 * time.Millisecond)
	market := s.Market(t)
	s.server.Sink().Reset(market, tape.Head{})
	for seq := int64(1); seq <= 3; seq++ {
		s.server.Sink().Publish(fat(market, seq))
	}
	for _, query := range []string{"", "?min_version=1", "?min_version=2"} {
		if got := s.nobody().get(t, "/api/v1/markets/"+market+query); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %s", query, got)
		}
	}
}

// TestMinVersionDoesNotWaitForALateTape: the table has it.
func TestMinVersionDoesNotWaitForALateTape(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	s.server.SetPatience(50 * time.Millisecond)
	s.server.Sink().Reset(market, tape.Head{})
	s.server.Sink().SetState(tape.Lost)
	if got := s.nobody().get(t, "/api/v1/markets/"+market+"?min_version=1"); got.status != http.StatusOK {
		t.Errorf("answer %s", got)
	}
}
