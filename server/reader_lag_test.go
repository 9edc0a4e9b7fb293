package server_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// slow is a sink that takes its time while it is told to.
type slow struct {
	tape.Sink
	on atomic.Bool
}

func (s *slow) Publish(e tape.Event) {
	if s.on.Load() {
		time.Sleep(5 * time.Millisecond)
	}
	s.Sink.Publish(e)
}

func TestAReaderThatCannotKeepUpSaysSo(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.Account(t, "1000000")
	sink := &slow{Sink: s.server.Sink()}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.reader.Run(ctx, sink) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	ready := func() answer { return s.nobody().get(t, "/readyz") }
	waitUntil(t, "the reader", func() bool { return ready().status == http.StatusOK })
	w := s.dial(t)
	w.subscribe(market, "", "tape")
	at := w.next("snapshot").Seq

	const trades = 1200
	sink.on.Store(true)
	s.Exec(t, `select count(*) from pgtape.trade_batch($1, (
		select jsonb_agg(jsonb_build_object('account', $2::text, 'outcome', 'yes', 'side', 'buy', 'shares', '1', 'max_cost', '1'))
		from generate_series(1, $3::integer)))`, market, ana, trades)
	waitUntil(t, "not being ready", func() bool {
		var which struct{ Reader string }
		got := ready()
		got.read(t, &which)
		return got.code() == db.Unavailable && which.Reader == "catching_up"
	})
	metrics := string(s.nobody().get(t, "/metrics").body)
	if lag := grep(metrics, "pgtape_reader_lag_seconds"); lag == "" || strings.HasPrefix(lag, "pgtape_reader_lag_seconds 0.0") {
		t.Errorf("lag is not seen: %q", lag)
	}
	for _, name := range []string{"pgtape_reader_wal_retained_bytes", "pgtape_reader_slot_drops_total"} {
		if grep(metrics, name+" ") == "" {
			t.Errorf("no %s", name)
		}
	}
	sink.on.Store(false)

	saidSo, live := false, false
	for !live || at < trades+1 {
		f, err := w.any()
		must(t, err)
		switch f.Op {
		case "heartbeat":
			saidSo = saidSo || f.Source == "catching_up"
			live = f.Source == "live"
		case "event":
			if f.Prev != at {
				t.Fatalf("at %d: %+v", at, f)
			}
			at = f.Seq
		}
	}
	if !saidSo {
		t.Error("no heartbeat said that the reader was catching up")
	}
	waitUntil(t, "being ready again", func() bool { return ready().status == http.StatusOK })
	waitUntil(t, "what the server keeps to be known", func() bool {
		var source struct {
			Retained int64  `json:"wal_retained_bytes"`
			Status   string `json:"wal_status"`
		}
		s.nobody().get(t, "/api/v1/source").read(t, &source)
		return source.Retained > 0 && source.Status == "reserved"
	})
}
