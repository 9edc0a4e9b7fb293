package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/olahol/melody"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

const (
	fanOutSockets = 1000
	// fanOutWindow is how many events the slowest socket may be behind the newest: melody drops what
	// its queue of 256 has no room for.
	fanOutWindow = 64
)

// BenchmarkFanOut sends events to a thousand real sockets, as fast as the slowest takes them: from
// the tape's sink through the hub, and by melody's own broadcast. An operation is one event.
func BenchmarkFanOut(b *testing.B) {
	b.Run("hub", func(b *testing.B) {
		d := dbtest.New(b)
		s := server.New(server.Config{DB: d.AsServer(b), Reader: tape.NewReader(tape.Options{URL: d.URL()}), SignUp: server.Handle})
		web := httptest.NewServer(s.Handler())
		b.Cleanup(web.Close)
		sink, events := s.Sink(), fanOutEvents()
		sink.Reset("rain", tape.Head{Seq: 1, Hash: strings.Repeat("0", 16)})
		sink.SetState(tape.Live)
		hello := `{"op":"subscribe","market":"rain","after":"1.` + strings.Repeat("0", 16) + `"}`
		listening := listen(b, web.URL+"/ws", hello, `{"op":"subscribed"`)
		listening.measure(b, func() { sink.Publish(events()) })
	})
	b.Run("melody", func(b *testing.B) {
		m := melody.New()
		var dropped atomic.Int64
		m.HandleError(func(_ *melody.Session, err error) {
			if errors.Is(err, melody.ErrMessageBufferFull) {
				dropped.Add(1)
			}
		})
		m.HandleMessage(func(s *melody.Session, _ []byte) { _ = s.Write([]byte(`{"op":"subscribed"}`)) })
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = m.HandleRequest(w, r) }))
		b.Cleanup(web.Close)
		events := fanOutEvents()
		listening := listen(b, web.URL, "hello", `{"op":"subscribed"`)
		listening.measure(b, func() {
			e := events()
			frame := fmt.Appendf(nil, `{"op":"event","market":"rain","seq":%d,"prev":%d,"cursor":"%s","at":"%s","kind":"trade",%s`,
				e.Seq, e.Seq-1, e.Head(), e.At.Format("2006-01-02T15:04:05.000000Z"), e.Body[1:])
			if err := m.Broadcast(frame); err != nil {
				b.Error(err)
			}
		})
		if n := dropped.Load(); n > 0 {
			b.Errorf("melody has dropped %d frames", n)
		}
	})
}

// fanOutEvents makes trades of a market, one behind the other.
func fanOutEvents() func() tape.Event {
	seq := int64(1)
	return func() tape.Event {
		seq++
		return tape.Event{
			Market: "rain", Seq: seq, At: time.Now().UTC(), Kind: "trade", Prev: make([]byte, 32), Hash: make([]byte, 32),
			Body: `{"trade":{"id":1234567,"account":"ana","outcome":"yes","side":"buy","shares":"1.000000","amount":"0.501250","avg_price":"0.501250"},"prices":{"yes":"0.502499979167","no":"0.497500020833"}}`,
		}
	}
}

// listening is sockets that count events.
type listening []*atomic.Int64

// listen opens sockets; each says hello and waits for the acknowledgement.
func listen(b *testing.B, url, hello, acknowledged string) listening {
	b.Helper()
	var all listening
	var reading sync.WaitGroup
	b.Cleanup(reading.Wait)
	dialer := websocket.Dialer{ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}
	for range fanOutSockets {
		conn, _, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http"), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		if err := conn.WriteMessage(websocket.TextMessage, []byte(hello)); err != nil {
			b.Fatal(err)
		}
		if _, answer, err := conn.ReadMessage(); err != nil || !bytes.HasPrefix(answer, []byte(acknowledged)) {
			b.Fatalf("acknowledgement %s (%v)", answer, err)
		}
		count := new(atomic.Int64)
		all = append(all, count)
		reading.Go(func() {
			var message bytes.Buffer
			for {
				_, reader, err := conn.NextReader()
				if err != nil {
					return
				}
				message.Reset()
				if _, err := message.ReadFrom(reader); err != nil {
					return
				}
				count.Add(int64(bytes.Count(message.Bytes(), []byte(`{"op":"event"`))))
			}
		})
	}
	return all
}

// measure publishes until the benchmark has enough, and all sockets have it.
func (l listening) measure(b *testing.B, publish func()) {
	b.Helper()
	began := time.Now()
	sent := int64(0)
	for b.Loop() {
		publish()
		sent++
		l.await(b, sent-fanOutWindow)
	}
	l.await(b, sent)
	b.ReportMetric(float64(sent)*float64(len(l))/time.Since(began).Seconds(), "events/s")
}

// await waits until every socket has had so many events.
func (l listening) await(b *testing.B, n int64) {
	b.Helper()
	deadline := time.Now().Add(10 * time.Minute)
	for _, count := range l {
		for count.Load() < n {
			if time.Now().After(deadline) {
				b.Fatalf("a socket has had %d events, not yet %d", count.Load(), n)
			}
			time.Sleep(50 * time.Microsecond)
		}
	}
}
