package server_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/e2e/link"
	"github.com/pgtape/pgtape/server"
)

// openMarked is open, with a mark on every goroutine of the server, by which held counts them.
func openMarked(t *testing.T, options ...func(*server.Config)) *site {
	t.Helper()
	pprof.SetGoroutineLabels(pprof.WithLabels(t.Context(), pprof.Labels("site", t.Name())))
	defer pprof.SetGoroutineLabels(t.Context())
	return open(t, options...)
}

var (
	goroutines = regexp.MustCompile(`(?m)^(\d+) @`)
	ofAPeer    = regexp.MustCompile(`melody\.\(\*Session\)|server\.\(\*stream\)|hub\.\(\*Client\)`)
)

// held is how many goroutines the server of a marked site spends on its peers.
func held(t *testing.T) (n int) {
	t.Helper()
	var profile bytes.Buffer
	must(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if count := goroutines.FindStringSubmatch(stack); count != nil && ofAPeer.MatchString(stack) && strings.Contains(stack, `"site":"`+t.Name()+`"`) {
			of, err := strconv.Atoi(count[1])
			must(t, err)
			n += of
		}
	}
	return n
}

// metric reads one number.
func (s *site) metric(t *testing.T, name string) float64 {
	t.Helper()
	line := grep(string(s.nobody().get(t, "/metrics").body), name+" ")
	value, err := strconv.ParseFloat(strings.TrimPrefix(line, name+" "), 64)
	must(t, err)
	return value
}

func (s *site) connections(t *testing.T) int {
	t.Helper()
	return int(s.metric(t, `pgtape_connections{door="socket"}`) + s.metric(t, `pgtape_connections{door="stream"}`))
}

// deadWithin is the promise: half a minute. margin is for a machine under load.
const (
	deadWithin = 30 * time.Second
	margin     = 10 * time.Second
)

// areGone waits until the server holds nothing for its peers any more.
func (s *site) areGone(t *testing.T, within time.Duration) (took time.Duration) {
	t.Helper()
	start := time.Now()
	for {
		connections, subscriptions, goroutines := s.connections(t), s.metric(t, "pgtape_subscriptions"), held(t)
		took = time.Since(start)
		if connections == 0 && subscriptions == 0 && goroutines == 0 {
			return took
		}
		if took > within {
			t.Fatalf("after %v there are %d connections, %v subscriptions, %d goroutines", took, connections, subscriptions, goroutines)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// A peer is somebody at the far end of a connection who can stop answering.
type peer struct {
	name string
	// join connects, subscribes to the market and returns what makes the peer a dead one.
	join func(t *testing.T, s *site, market string) (die func())
}

var silent = []peer{
	{"a socket behind a network that went away", func(t *testing.T, s *site, market string) func() {
		l, err := link.New(strings.TrimPrefix(s.url, "http://"))
		must(t, err)
		t.Cleanup(l.Close)
		go discard(s.follower(t, l.Address(), market))
		return l.Freeze
	}},
	{"a socket that nobody reads", func(t *testing.T, s *site, market string) func() {
		s.follower(t, strings.TrimPrefix(s.url, "http://"), market)
		return func() {}
	}},
}

// follower opens a socket that has been sent a snapshot.
func (s *site) follower(t *testing.T, address, market string) *websocket.Conn {
	t.Helper()
	w := &wire{t: t, conn: dialSmall(t, address)}
	w.subscribe(market, "", "")
	w.next("snapshot")
	return w.conn
}

// rawStream opens a stream and does not read it.
func (s *site) rawStream(t *testing.T, market string) net.Conn {
	t.Helper()
	conn, err := dialNarrow("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	before := s.metric(t, "pgtape_snapshots_total")
	_, err = conn.Write([]byte("GET /api/v1/markets/" + market + "/stream HTTP/1.1\r\nHost: x\r\n\r\n"))
	must(t, err)
	s.awaitMetric(t, "pgtape_snapshots_total", before+1)
	return conn
}

// discard reads, so that pings are answered.
func discard(conn *websocket.Conn) {
	for {
		if _, _, err := conn.NextReader(); err != nil {
			return
		}
	}
}

// TestDeadPeersAreGoneWithinHalfAMinute lets all kinds of them die at once, on a quiet market.
func TestDeadPeersAreGoneWithinHalfAMinute(t *testing.T) {
	t.Parallel()
	s := openMarked(t)
	market := s.Market(t)
	kinds := slices.Concat(silent, vanishing)
	var dies []func()
	for _, p := range kinds {
		dies = append(dies, p.join(t, s, market))
	}
	if s.connections(t) != len(kinds) || held(t) < len(kinds) {
		t.Fatalf("%d connections, %d goroutines", s.connections(t), held(t))
	}
	for _, die := range dies {
		die()
	}
	t.Logf("%d peers gone after %v", len(kinds), s.areGone(t, deadWithin+margin))
}

// dialSmall opens a socket whose own buffers hold little.
func dialSmall(t *testing.T, address string) *websocket.Conn {
	t.Helper()
	dialer := *websocket.DefaultDialer
	dialer.NetDial = dialNarrow
	conn, _, err := dialer.Dial("ws://"+address+"/ws", nil)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// dialNarrow makes a connection that takes in little that is not read.
func dialNarrow(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return conn, conn.(*net.TCPConn).SetReadBuffer(4 << 10)
}

// busy publishes fat events until ended says so, and returns how many it took.
func (s *site) busy(t *testing.T, market string, ended func() bool) (published int64) {
	t.Helper()
	sink := s.server.Sink()
	for deadline := time.Now().Add(10 * time.Minute); !ended(); {
		if time.Now().After(deadline) {
			t.Fatalf("no end after %d events", published)
		}
		published++
		sink.Publish(fat(market, published+1))
		time.Sleep(time.Millisecond) // the server takes its turn
	}
	return published
}

// TestWhoNeverReadsIsCutAndHoldsLittle follows a busy market and reads nothing: the ring goes past
// it, the close cannot be told either, and the connection is cut.
func TestWhoNeverReadsIsCutAndHoldsLittle(t *testing.T) {
	t.Parallel()
	const ring = 8
	tests := []struct {
		name string
		join func(t *testing.T, s *site, market string)
	}{
		{"a socket", func(t *testing.T, s *site, market string) {
			s.follower(t, strings.TrimPrefix(s.url, "http://"), market)
		}},
		{"a stream", func(t *testing.T, s *site, market string) {
			s.rawStream(t, market)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := openMarked(t, func(c *server.Config) { c.Hub.RingSize = ring })
			market := s.Market(t)
			s.server.Sink().Reset(market, tape.Head{})
			tt.join(t, s, market)
			s.busy(t, market, func() bool { return s.slowCloses(t) != "0" })
			took := s.areGone(t, 10*time.Second+margin) // what one frame may take
			// What was handed over is in the kernel's buffers, ours and the peer's, or in flight.
			delivered := s.metric(t, "pgtape_events_delivered_total")
			t.Logf("closed with %v events of 50 KiB handed over, gone %v later", delivered, took)
			if delivered > 25 {
				t.Errorf("%v events of 50 KiB were taken for somebody who reads nothing", delivered)
			}
		})
	}
}

func (s *site) awaitMetric(t *testing.T, name string, least float64) {
	t.Helper()
	for deadline := time.Now().Add(patience); s.metric(t, name) < least; {
		if time.Now().After(deadline) {
			t.Fatalf("%s is %v, waited for %v", name, s.metric(t, name), least)
		}
	}
}

// TestWhoReadsQuotesSlowlyGetsTheNewest: prices are skipped, not queued up.
func TestWhoReadsQuotesSlowlyGetsTheNewest(t *testing.T) {
	t.Parallel()
	s := openMarked(t)
	market := s.Market(t)
	sink := s.server.Sink()
	sink.Reset(market, tape.Head{})
	w := s.dial(t)
	w.subscribe(market, "", "quote")
	w.next("snapshot")
	const last = 400 // of 10 KiB
	prices := `{"prices":{"yes":"0.5"`
	for i := range 500 {
		prices += fmt.Sprintf(`,"other-%d":"0.001"`, i)
	}
	prices += "}}"
	for seq := int64(1); seq <= last; seq++ {
		e := fat(market, seq)
		e.Body = prices
		sink.Publish(e)
	}
	quotes, seq := 0, int64(0)
	for seq < last {
		q := w.next("quote")
		if q.Seq <= seq {
			t.Fatalf("quote %d after %d", q.Seq, seq)
		}
		quotes, seq = quotes+1, q.Seq
	}
	t.Logf("%d of %d quotes", quotes, last)
	if quotes > last/2 {
		t.Errorf("%d of %d quotes were kept for somebody who did not read", quotes, last)
	}
	must(t, w.conn.Close())
	s.areGone(t, margin)
}

// TestASlowStreamResumes reads more slowly than events come: the stream ends, and the next one
// goes on where it was.
func TestASlowStreamResumes(t *testing.T) {
	t.Parallel()
	s := openMarked(t, func(c *server.Config) { c.Hub.RingSize = 8 })
	market, trader := s.Market(t), s.Account(t, "1000")
	s.follow(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	const trades = 1500
	joined, once := make(chan struct{}), sync.Once{}
	var got []int64
	source := &eventSource{
		url:  s.url + "/api/v1/markets/" + market + "/stream",
		dial: func() (net.Conn, error) { return dialNarrow("tcp", strings.TrimPrefix(s.url, "http://")) },
		pace: 5 * time.Millisecond,
	}
	source.each = func(e sent) bool {
		once.Do(func() { close(joined) })
		got = append(got, e.frame.Seq)
		return e.frame.Seq <= trades
	}
	ran := make(chan error, 1)
	go func() { ran <- source.run(ctx) }()
	wait(t, "the snapshot", joined)
	s.Exec(t, `select pgtape.trade($1, 'yes', (array['buy', 'sell'])[1 + n % 2], shares => 1, max_cost => case n % 2 when 0 then 1 end,
		min_proceeds => case n % 2 when 1 then 0 end, account => $2) from generate_series(0, $3) n`, market, trader, trades-1)
	must(t, <-ran)
	inOrder(t, got, 1, trades+1)
	if s.slowCloses(t) == "0" || source.connects < 2 {
		t.Errorf("%s slow closes, %d connections: it was quick enough", s.slowCloses(t), source.connects)
	}
	s.areGone(t, 10*time.Second+margin)
}

// inOrder checks that the seqs are those from first to last, once each.
func inOrder(t *testing.T, got []int64, first, last int64) {
	t.Helper()
	for i, seq := range got {
		if seq != first+int64(i) {
			t.Fatalf("%d follows in %v", seq, got[:i])
		}
	}
	if int64(len(got)) != last-first+1 {
		t.Errorf("%d of the events from %d to %d", len(got), first, last)
	}
}
