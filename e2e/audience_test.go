package e2e_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// audience is everybody who watches a market from outside: sockets and streams, read by clients
// that forgive nothing.
type audience struct {
	site     *site
	market   string
	watchers []*watcher
}

// mostCuts is how often the server may end a connection as too slow, on a machine that is busy
// with other things.
const mostCuts = 2

// watcher is one subscription. Its frames are read by one goroutine, and by others once it is over.
type watcher struct {
	name   string
	dial   func(ctx context.Context, after string) (connection, error)
	after  int64 // the seq behind which every event is due; -1 until acknowledged
	cursor string
	events [][]byte
	seen   *count // the seq up to which it has all
	joined chan struct{}
	once   sync.Once
	cuts   []error // connections that the server has ended
	fault  error   // the first thing that was wrong
	leave  func()
	over   chan struct{}
}

// connection gives one message after the other, a frame each.
type connection struct {
	next  func() ([]byte, error)
	close func() error
}

// joinSocket subscribes on a WebSocket, behind a cursor if there is one, and waits for the answer.
func (a *audience) joinSocket(t *testing.T, after string) {
	t.Helper()
	a.join(t, "socket", after, a.dialSocket)
}

// joinStream opens an SSE stream, resuming from a cursor if there is one.
func (a *audience) joinStream(t *testing.T, after string) {
	t.Helper()
	a.join(t, "stream", after, a.dialStream)
}

func (a *audience) dialSocket(ctx context.Context, after string) (connection, error) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(a.site.url, "http")+"/ws", nil)
	if err != nil {
		return connection{}, err
	}
	request := map[string]string{"op": "subscribe", "market": a.market}
	if after != "" {
		request["after"] = after
	}
	next := func() ([]byte, error) {
		_, message, err := conn.ReadMessage()
		return message, err
	}
	return connection{next, conn.Close}, conn.WriteJSON(request)
}

func (a *audience) dialStream(ctx context.Context, after string) (connection, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.site.url+"/api/v1/markets/"+a.market+"/stream", nil)
	if err != nil {
		return connection{}, err
	}
	if after != "" {
		request.Header.Set("Last-Event-ID", after)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return connection{}, err
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	next := func() ([]byte, error) {
		for lines.Scan() {
			if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
				return bytes.Clone(data), nil
			}
		}
		return nil, cmp.Or(lines.Err(), io.EOF)
	}
	return connection{next, response.Body.Close}, nil
}

func (a *audience) join(t *testing.T, kind, after string, dial func(context.Context, string) (connection, error)) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	w := &watcher{
		name: fmt.Sprintf("%s %d (after %q)", kind, len(a.watchers)+1, after), dial: dial,
		after: -1, cursor: after, seen: newCount(), joined: make(chan struct{}), over: make(chan struct{}), leave: leave,
	}
	if after != "" {
		_, err := fmt.Sscanf(after, "%d.", &w.after)
		must(t, err)
		w.seen.set(w.after)
	}
	a.watchers = append(a.watchers, w)
	go w.run(ctx)
	t.Cleanup(func() {
		leave()
		<-w.over
	})
	within(t, "the answer to "+w.name, w.joined)
}

// run reads until the watcher leaves. Whom the server cuts off, for being too slow, resumes from
// its cursor.
func (w *watcher) run(ctx context.Context) {
	defer close(w.over)
	for ctx.Err() == nil {
		conn, err := w.dial(ctx, w.cursor)
		if err != nil {
			w.wrong("connecting: %w", err)
			return
		}
		stop := context.AfterFunc(ctx, func() { conn.close() })
		for err == nil {
			var message []byte
			if message, err = conn.next(); err == nil {
				w.take(message)
			}
		}
		stop()
		conn.close()
		if ctx.Err() == nil {
			w.cuts = append(w.cuts, err)
		}
	}
}

// take reads one frame.
func (w *watcher) take(frame []byte) {
	var head struct {
		Op, Cursor string
		Seq, Prev  int64
	}
	if err := json.Unmarshal(frame, &head); err != nil {
		w.wrong("%w: %s", err, frame)
		return
	}
	switch head.Op {
	case "heartbeat":
		return
	case "event":
		if head.Prev != w.seen.n.Load() || head.Seq != head.Prev+1 {
			w.wrong("event %d behind %d came after %d", head.Seq, head.Prev, w.seen.n.Load())
		}
		w.events = append(w.events, frame)
		w.cursor = head.Cursor
		w.seen.set(head.Seq)
	case "snapshot":
		if w.after != -1 {
			w.wrong("a snapshot for one who needs none: %s", frame)
		}
		w.after, w.cursor = head.Seq, head.Cursor
		w.seen.set(head.Seq)
	case "subscribed":
		if head.Seq != w.seen.n.Load() {
			w.wrong("subscribed at %d, want %d", head.Seq, w.seen.n.Load())
		}
	default:
		w.wrong("unexpected: %s", frame)
	}
	w.once.Do(func() { close(w.joined) })
}

func (w *watcher) wrong(format string, args ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf(format, args...)
	}
}

// sawItAll waits until everybody has seen the last event, and compares what each has got with the
// table: every event due, once, in order, with everything in it.
func (a *audience) sawItAll(t *testing.T, last int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, w := range a.watchers {
		if !w.seen.reach(ctx, last) {
			t.Errorf("%s has seen v%d, want v%d", w.name, w.seen.n.Load(), last)
		}
	}
	table := a.table(t)
	if int64(len(table)) != last {
		t.Errorf("the table has %d events, want %d without a gap", len(table), last)
	}
	checked := map[string]int64{} // frames that are right, and their seq: most watchers get the same bytes
	for _, w := range a.watchers {
		w.leave()
		within(t, "the end of "+w.name, w.over)
		if w.fault != nil {
			t.Errorf("%s: %v", w.name, w.fault)
		}
		if len(w.cuts) > 0 {
			t.Logf("%s was cut off and resumed: %v", w.name, w.cuts)
		}
		if len(w.cuts) > mostCuts {
			t.Errorf("%s was cut off %d times, want at most %d", w.name, len(w.cuts), mostCuts)
		}
		if int64(len(w.events)) != last-w.after {
			t.Errorf("%s got %d events, want the %d after v%d", w.name, len(w.events), last-w.after, w.after)
			continue
		}
		for i, frame := range w.events {
			seq := w.after + int64(i) + 1
			if checked[string(frame)] == seq {
				continue
			}
			var got map[string]any
			must(t, json.Unmarshal(frame, &got))
			if !reflect.DeepEqual(got, table[seq-1]) {
				t.Fatalf("%s got %v, the table has %v", w.name, got, table[seq-1])
			}
			checked[string(frame)] = seq
		}
	}
}

// table is the market's tape as frames should have it.
func (a *audience) table(t *testing.T) []map[string]any {
	t.Helper()
	rows, err := a.site.Pool().Query(t.Context(), "select seq, cursor, at, kind, body from pgtape.tape where market = $1 order by seq", a.market)
	must(t, err)
	defer rows.Close()
	var frames []map[string]any
	for rows.Next() {
		var (
			seq                int64
			cursor, kind, body string
			at                 time.Time
		)
		must(t, rows.Scan(&seq, &cursor, &at, &kind, &body))
		frame := map[string]any{}
		must(t, json.Unmarshal([]byte(body), &frame))
		frame["op"], frame["market"], frame["seq"], frame["prev"] = "event", a.market, float64(seq), float64(seq-1)
		frame["cursor"], frame["kind"], frame["at"] = cursor, kind, at.UTC().Format("2006-01-02T15:04:05.000000Z")
		frames = append(frames, frame)
	}
	must(t, rows.Err())
	return frames
}
