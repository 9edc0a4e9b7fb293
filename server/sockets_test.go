package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

// wire is a test's end of a socket.
type wire struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial opens a socket.
func (s *site) dial(t *testing.T) *wire {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/ws", nil)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return &wire{t: t, conn: conn}
}

// Joined frames are the same bytes for all, so no client is given a compression of its own.
func TestASocketIsNotCompressedThoughTheClientOffersIt(t *testing.T) {
	t.Parallel()
	s := open(t)
	dialer := websocket.Dialer{EnableCompression: true}
	conn, answer, err := dialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/ws", nil)
	must(t, err)
	defer conn.Close()
	if got := answer.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("extensions: %q", got)
	}
}

func (w *wire) send(message string) {
	w.t.Helper()
	must(w.t, w.conn.WriteMessage(websocket.TextMessage, []byte(message)))
}

func (w *wire) subscribe(market, after, mode string) {
	w.t.Helper()
	text, err := json.Marshal(map[string]string{"op": "subscribe", "market": market, "after": after, "mode": mode})
	must(w.t, err)
	w.send(string(text))
}

// any is the next frame.
func (w *wire) any() (frame, error) {
	must(w.t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	_, message, err := w.conn.ReadMessage()
	if err != nil {
		return frame{}, err
	}
	var f frame
	must(w.t, json.Unmarshal(message, &f)) // one object a message, as clients expect
	return f, nil
}

// next is the next frame that is no heartbeat, unless one is asked for; it has to have that op.
func (w *wire) next(op string) frame {
	w.t.Helper()
	for {
		f, err := w.any()
		must(w.t, err)
		if f.Op == "heartbeat" && op != "heartbeat" {
			continue
		}
		if f.Op != op {
			w.t.Fatalf("want %s, got %+v", op, f)
		}
		return f
	}
}

// closed reads to the end and returns the close code.
func (w *wire) closed() int {
	w.t.Helper()
	for {
		_, err := w.any()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code
		}
		if err != nil {
			w.t.Fatalf("ended without a close: %v", err)
		}
	}
}

func TestASocketGetsASnapshotThenEveryEvent(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	s.follow(t)
	w := s.dial(t)
	w.subscribe(market, "", "tape")
	snapshot := w.next("snapshot")
	if snapshot.Seq != 1 || snapshot.State == nil || snapshot.State.Cursor != snapshot.Cursor || snapshot.State.Slug != market {
		t.Fatalf("snapshot = %+v", snapshot)
	}
	var cursors []string
	for seq := int64(2); seq < 6; seq++ {
		ana.trade(t, market, buyTen)
		e := w.next("event")
		if e.Seq != seq || e.Prev != seq-1 || e.Kind != "trade" || e.Trade.Account != "ana" || e.At.IsZero() || e.Prices.Of("yes") == "" {
			t.Fatalf("event = %+v", e)
		}
		cursors = append(cursors, e.Cursor)
	}

	// Another connection goes on behind a cursor, also from where nothing follows.
	resumed := s.dial(t)
	resumed.subscribe(market, cursors[1], "")
	for seq := int64(4); seq < 6; seq++ {
		if e := resumed.next("event"); e.Seq != seq {
			t.Fatalf("event = %+v, want seq %d", e, seq)
		}
	}
	resumed.subscribe(market, cursors[3], "")
	if ack := resumed.next("subscribed"); ack.Seq != 5 || ack.Cursor != cursors[3] {
		t.Fatalf("subscribed = %+v", ack)
	}
	resumed.subscribe(market, "2.0123456789abcdef", "")
	if snapshot := resumed.next("snapshot"); snapshot.Seq != 5 {
		t.Fatalf("of another history: %+v", snapshot)
	}
}

func TestATradeInSQLReachesTheSocket(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, bo := s.Market(t), s.Account(t, "100")
	s.follow(t)
	w := s.dial(t)
	w.subscribe(market, "", "quote")
	w.next("snapshot")
	s.Exec(t, "select pgtape.trade($1, 'no', 'buy', shares => 5, max_cost => 5, account => $2)", market, bo)
	if q := w.next("quote"); q.Seq != 2 || q.Prices.Of("no") != "0.512497396484" || q.Cursor != "" {
		t.Errorf("quote = %+v", q)
	}
}

func TestHandlersDoNotPush(t *testing.T) {
	t.Parallel()
	s := open(t) // no reader runs
	market, ana := s.Market(t), s.signIn(t, "ana")
	w := s.dial(t)
	w.subscribe(market, "", "")
	w.next("snapshot")
	ana.trade(t, market, buyTen)
	w.send(`{"op":"fence"}`)
	w.next("error") // and nothing of the trade before
}

func TestUnsubscribingEndsAMarket(t *testing.T) {
	t.Parallel()
	s := open(t)
	left, kept, ana := s.Market(t), s.Market(t), s.signIn(t, "ana")
	s.follow(t)
	w := s.dial(t)
	w.subscribe(left, "", "")
	w.next("snapshot")
	w.subscribe(kept, "", "")
	w.next("snapshot")
	w.send(`{"op":"unsubscribe","market":"` + left + `"}`)
	w.send(`{"op":"fence"}`)
	w.next("error")
	ana.trade(t, left, buyTen)
	ana.trade(t, kept, buyTen)
	if e := w.next("event"); e.Market != kept {
		t.Errorf("event = %+v", e)
	}
}

func TestHeartbeatsTellHeadsAndSource(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.Hub.Heartbeat = 50 * time.Millisecond })
	market := s.Market(t)
	w := s.dial(t)
	w.subscribe(market, "", "")
	w.next("snapshot")
	until := func(source string) {
		t.Helper()
		for {
			beat := w.next("heartbeat")
			if beat.Source == source && beat.Heads[market] == 1 && !beat.At.IsZero() {
				return
			}
		}
	}
	until("catching_up")
	for _, state := range []tape.State{tape.Live, tape.Lost} {
		s.server.Sink().SetState(state)
		until(string(state))
	}
}

func TestBadFramesAreAnsweredAndTheSocketLives(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	before := s.written(t)
	w := s.dial(t)
	for _, tt := range []struct {
		message string
		code    db.Code
		market  string
	}{
		{``, db.InvalidRequest, ""},
		{`{`, db.InvalidRequest, ""},
		{`null`, db.InvalidRequest, ""},
		{`[]`, db.InvalidRequest, ""},
		{`{} {}`, db.InvalidRequest, ""},
		{"\xff\xfe", db.InvalidRequest, ""},
		{`{"op":"trade","market":"rain"}`, db.InvalidRequest, "rain"},
		{`{"op":"subscribe"}`, db.InvalidRequest, ""},
		{`{"op":"subscribe","market":5}`, db.InvalidRequest, ""},
		{`{"op":"subscribe","market":"rain","mode":"loud"}`, db.InvalidRequest, "rain"},
		{`{"op":"subscribe","market":"` + market + `","after":"here"}`, db.InvalidRequest, market},
		{`{"op":"subscribe","market":"nosuch"}`, db.NotFound, "nosuch"},
		{`{"op":"subscribe","market":"nosuch","after":"1.0123456789abcdef"}`, db.NotFound, "nosuch"},
		{`{"op":"subscribe","market":"\u0000"}`, db.NotFound, "\x00"},
		{`{"op":"subscribe","market":"` + strings.Repeat("m", 4000) + `"}`, db.NotFound, strings.Repeat("m", 4000)},
	} {
		w.send(tt.message)
		if e := w.next("error"); e.Code != tt.code || e.Market != tt.market || e.Message == "" {
			t.Errorf("%.80q: %+v", tt.message, e)
		}
	}
	w.send(`{"op":"subscribe","market":"` + market + `","colour":"blue"}`) // tolerated
	w.next("snapshot")
	if after := s.written(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
}

func TestWhatIsNoMessageClosesTheSocket(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct {
		name string
		kind int
		size int
		code int
	}{
		{"a binary frame", websocket.BinaryMessage, 1, 4002},
		{"a message above 4 KiB", websocket.TextMessage, 4<<10 + 1, 4002},
		{"a message of 1 MiB", websocket.TextMessage, 1 << 20, websocket.CloseMessageTooBig},
	} {
		w := s.dial(t)
		_ = w.conn.WriteMessage(tt.kind, bytes.Repeat([]byte("x"), tt.size)) // which may be cut off
		if code := w.closed(); code != tt.code {
			t.Errorf("%s: closed with %d", tt.name, code)
		}
	}
	if got := s.nobody().get(t, "/healthz"); got.status != http.StatusOK {
		t.Errorf("alive? %s", got)
	}
}

func TestOnlyOurOwnPagesOpenSockets(t *testing.T) {
	t.Parallel()
	s := open(t)
	address := "ws" + strings.TrimPrefix(s.url, "http") + "/ws"
	_, response, err := websocket.DefaultDialer.Dial(address, http.Header{"Origin": {"https://evil.example"}})
	if err == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %v", response)
	}
	conn, _, err := websocket.DefaultDialer.Dial(address, http.Header{"Origin": {s.url}})
	must(t, err)
	conn.Close()
	if got := s.nobody().get(t, "/ws"); got.status != http.StatusBadRequest || got.code() != db.InvalidRequest {
		t.Errorf("without an upgrade: %s", got)
	}
}

// fat is an event that fills a good part of a frame.
func fat(market string, seq int64) tape.Event {
	return tape.Event{
		Market: market, Seq: seq, At: time.Unix(seq, 0), Kind: "test",
		Body: `{"pad":"` + strings.Repeat("x", 50<<10) + `","prices":{}}`, Hash: fmt.Appendf(nil, "%032d", seq),
	}
}

func TestASlowSocketIsClosedAndNobodyElseNotices(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.Hub.RingSize = 8 })
	market := s.Market(t)
	sink := s.server.Sink()
	sink.Reset(market, tape.Head{})

	small := *websocket.DefaultDialer
	small.NetDial = func(network, address string) (net.Conn, error) {
		conn, err := net.Dial(network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(256 << 10)
		}
		return conn, err
	}
	conn, _, err := small.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/ws", nil)
	must(t, err)
	defer conn.Close()
	slow, quick := &wire{t: t, conn: conn}, s.dial(t)
	for _, w := range []*wire{slow, quick} {
		w.subscribe(market, "", "")
		w.next("snapshot")
	}

	seq := int64(1)
	for s.slowCloses(t) == "0" {
		for range 10 { // slow does not read
			seq++
			sink.Publish(fat(market, seq))
			if e := quick.next("event"); e.Seq != seq {
				t.Fatalf("quick has %d, want %d", e.Seq, seq)
			}
		}
		if seq > 5000 {
			t.Fatal("slow is never closed")
		}
	}

	var got []int64
	for {
		f, err := slow.any()
		if websocket.IsCloseError(err, 4001) {
			break
		}
		must(t, err)
		if f.Op == "event" {
			got = append(got, f.Seq)
		}
	}
	for i, seq := range got {
		if seq != int64(i)+2 {
			t.Fatalf("slow has a hole: %v", got)
		}
	}
	if int64(len(got)) >= seq {
		t.Errorf("slow has all %d events", len(got))
	}
}

func (s *site) slowCloses(t *testing.T) string {
	t.Helper()
	metrics := string(s.nobody().get(t, "/metrics").body)
	return strings.TrimPrefix(grep(metrics, "pgtape_slow_closes_total"), "pgtape_slow_closes_total ")
}

// Whoever leaves a message unfinished in each of many sockets has little memory kept for it.
func TestMessagesThatAreNotFinishedCostLittle(t *testing.T) {
	t.Parallel()
	s := open(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const sockets = 60
	part := bytes.Repeat([]byte("x"), 15<<10)
	for range sockets {
		w := s.dial(t)
		frame, err := w.conn.NextWriter(websocket.TextMessage)
		must(t, err)
		_, err = frame.Write(part) // no more: a message without an end
		must(t, err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > sockets*(256<<10) {
		t.Errorf("%d unfinished messages keep %d KiB", sockets, grown>>10)
	}
}
