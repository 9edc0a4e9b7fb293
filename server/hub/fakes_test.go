package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

// event makes the event that a history has at seq; histories differ in every hash.
func event(history, market string, seq int64) hub.Event {
	c := cursor(history, market, seq)
	return hub.Event{
		Market: market,
		Seq:    seq,
		Cursor: c,
		Frame:  fmt.Appendf(nil, `{"op":"event","market":%q,"seq":%d,"prev":%d,"cursor":%q}`, market, seq, seq-1, c),
		Quote:  fmt.Appendf(nil, `{"op":"quote","market":%q,"seq":%d}`, market, seq),
	}
}

func cursor(history, market string, seq int64) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s/%d", history, market, seq)
	return fmt.Sprintf("%d.%016x", seq, h.Sum64())
}

// table is what a database has committed, as far as other sessions see it.
type table struct {
	mu      sync.Mutex
	history string
	heads   map[string]int64
	err     error
	hold    chan struct{} // if set, reads wait until it is closed, after they have read
	reads   []string
}

func newTable(heads map[string]int64) *table { return &table{history: "a", heads: heads} }

func (t *table) set(market string, head int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heads[market] = head
}

func (t *table) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
}

// rewind replaces the history by another one.
func (t *table) rewind(history string, heads map[string]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.history, t.heads = history, heads
}

// holdReads makes reads that have their answer wait for the returned function.
func (t *table) holdReads() (release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	hold := make(chan struct{})
	t.hold = hold
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.hold = nil
		close(hold)
	}
}

func (t *table) asked() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.reads)
}

func (t *table) head(question, market string) (history string, head int64, hold chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads = append(t.reads, question)
	head, ok := t.heads[market]
	if t.err != nil {
		return "", 0, t.hold, t.err
	}
	if !ok {
		return "", 0, t.hold, hub.ErrNoMarket
	}
	return t.history, head, t.hold, nil
}

func wait(ctx context.Context, hold chan struct{}) error {
	if hold == nil {
		return ctx.Err()
	}
	select {
	case <-hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *table) Snapshot(ctx context.Context, market string) (hub.Snapshot, error) {
	history, head, hold, err := t.head("snapshot "+market, market)
	if held := wait(ctx, hold); held != nil {
		return hub.Snapshot{}, held
	}
	if err != nil {
		return hub.Snapshot{}, err
	}
	c := cursor(history, market, head)
	return hub.Snapshot{
		Market: market, Seq: head, Cursor: c,
		Message: hub.Message(fmt.Appendf(nil, `{"op":"snapshot","market":%q,"seq":%d,"cursor":%q}`, market, head, c)),
	}, nil
}

func (t *table) Since(ctx context.Context, market, after string, limit int) ([]hub.Event, error) {
	number, _, _ := strings.Cut(after, ".")
	history, head, hold, err := t.head("since "+number, market)
	if held := wait(ctx, hold); held != nil {
		return nil, held
	}
	if err != nil {
		return nil, err
	}
	var seq int64
	fmt.Sscan(number, &seq)
	if seq > head || cursor(history, market, seq) != after {
		return nil, hub.ErrCursorUnknown
	}
	var events []hub.Event
	for seq < head && len(events) < limit {
		seq++
		events = append(events, event(history, market, seq))
	}
	return events, nil
}

// message is any frame of the hub.
type message struct {
	Op      string           `json:"op"`
	Market  string           `json:"market"`
	Seq     int64            `json:"seq"`
	Prev    int64            `json:"prev"`
	Cursor  string           `json:"cursor"`
	Code    string           `json:"code"`
	Message string           `json:"message"`
	At      string           `json:"at"`
	Heads   map[string]int64 `json:"heads"`
	Source  string           `json:"source"`
}

func (m message) String() string {
	switch m.Op {
	case "error":
		return fmt.Sprintf("error %s %s", m.Code, m.Market)
	case "heartbeat":
		return fmt.Sprintf("heartbeat %v %s", m.Heads, m.Source)
	default:
		return fmt.Sprintf("%s %s %d", m.Op, m.Market, m.Seq)
	}
}

// socket records what it is written. An open one sends at once, from within Write; another holds
// each frame until send is called.
type socket struct {
	client *hub.Client

	mu        sync.Mutex
	open      bool
	flying    bool
	err       error
	frames    []hub.Messages
	violation string
	closed    int
}

func connect(h *hub.Hub) *socket { return connectFrom(h, fairqueue.Client{}) }

// connectFrom is a connection of somebody's.
func connectFrom(h *hub.Hub, from fairqueue.Client) *socket {
	s := &socket{open: true}
	h.Connect(from, s.attach)
	return s
}

// connectStalled returns a socket that lets nothing through until it is told to.
func connectStalled(h *hub.Hub) *socket {
	s := &socket{}
	h.Connect(fairqueue.Client{}, s.attach)
	return s
}

func (s *socket) attach(c *hub.Client) hub.Conn {
	s.client = c
	return s
}

func (s *socket) Write(frame hub.Messages) error {
	s.mu.Lock()
	if s.flying {
		s.violation = "written while a frame was in flight"
	}
	if s.closed != 0 {
		s.violation = "written after close"
	}
	if s.err != nil {
		s.mu.Unlock()
		return s.err
	}
	s.frames = append(s.frames, frame)
	s.flying = !s.open
	open := s.open
	s.mu.Unlock()
	if open {
		s.client.Sent()
	}
	return nil
}

func (s *socket) Close(code int, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = code
}

// send lets the frame in flight go, if there is one.
func (s *socket) send() (sent bool) {
	s.mu.Lock()
	sent, s.flying = s.flying, false
	s.mu.Unlock()
	if sent {
		s.client.Sent()
	}
	return sent
}

// unstall lets everything through from now on.
func (s *socket) unstall() {
	s.mu.Lock()
	s.open = true
	s.mu.Unlock()
	s.send()
}

func (s *socket) closeCode() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// written returns the writes since the last call, and fails the test if the hub broke the
// contract of Conn.
func (s *socket) written(t *testing.T) []hub.Messages {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.violation != "" {
		t.Error(s.violation)
	}
	frames := s.frames
	s.frames = nil
	return frames
}

// got returns the messages in the frames since the last call.
func (s *socket) got(t *testing.T) []message {
	t.Helper()
	var messages []message
	for _, frame := range s.written(t) {
		messages = append(messages, parse(t, frame)...)
	}
	return messages
}

func parse(t *testing.T, written hub.Messages) []message {
	t.Helper()
	var messages []message
	for text := range written.Texts() {
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%v in message %q", err, text)
		}
		messages = append(messages, m)
	}
	return messages
}

// expect waits until the hub has nothing to do any more and compares what the socket was written
// since the last call.
func (s *socket) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for _, m := range s.got(t) {
		got = append(got, m.String())
	}
	if !slices.Equal(got, want) {
		t.Fatalf("written:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// run is a line for each event from first to last.
func run(market string, first, last int64) []string {
	var lines []string
	for seq := first; seq <= last; seq++ {
		lines = append(lines, fmt.Sprintf("event %s %d", market, seq))
	}
	return lines
}

// publish commits events of history "a" up to head in the table, and publishes those from first.
func publish(h *hub.Hub, market string, first, last int64) {
	for seq := first; seq <= last; seq++ {
		h.Publish(event("a", market, seq))
	}
}

// withHub runs a test in a bubble, with a hub that knows the heads of the table.
func withHub(t *testing.T, heads map[string]int64, o hub.Options, test func(t *testing.T, h *hub.Hub, db *table)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db := newTable(heads)
		h := hub.New(db, o)
		for market, head := range heads {
			h.Reset(market, cursor("a", market, head), head)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		defer h.Run(ctx) // ends the joins
		test(t, h, db)
	})
}
