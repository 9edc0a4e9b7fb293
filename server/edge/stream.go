package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

const (
	silence    = 2500 * time.Millisecond // a heartbeat is due each second
	sendWithin = 10 * time.Second
	maxMessage = 16 << 20

	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
	goodAfter  = 3 * time.Second // a socket that lasted so long was none that fails at once

	// An origin lets one socket send 100 messages a second, after a thousand at once.
	messages = 80
	burst    = 900

	sweepEvery = time.Second
)

// Run keeps the link until ctx ends, and delivers the markets that are followed. Watched says whether
// somebody watches one. The Sink is called from this goroutine alone.
func (o *Origin) Run(ctx context.Context, sink tape.Sink, watched func(market string) bool) error {
	o.tasks.Go(func() { o.link.keepWarm(ctx, o.log) })
	defer o.tasks.Wait()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		began := time.Now()
		err := o.follow(ctx, sink, watched)
		if ctx.Err() != nil {
			return nil
		}
		o.tell(sink, tape.CatchingUp)
		if time.Since(began) > goodAfter {
			pause = firstPause
		}
		o.log.Warn("origin lost", "err", err, "retry_in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

func (o *Origin) tell(sink tape.Sink, state tape.State) {
	o.mu.Lock()
	changed := o.state != state
	o.state = state
	o.mu.Unlock()
	if changed {
		sink.SetState(state)
	}
}

// socket is one connection.
type socket struct {
	*Origin
	sink     tape.Sink
	watched  func(market string) bool
	conn     *websocket.Conn
	messages *rate.Limiter
	behind   map[string]bool // markets that were followed before, and are not known to be current yet
}

// follow delivers from one socket until it ends or is given up; never nil.
func (o *Origin) follow(ctx context.Context, sink tape.Sink, watched func(string) bool) error {
	conn, err := o.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	o.connects.Add(1)
	o.log.Info("origin found", "url", o.link.base.String())
	o.link.warm()
	s := &socket{Origin: o, sink: sink, watched: watched, conn: conn, messages: rate.NewLimiter(messages, burst), behind: map[string]bool{}}
	s.resume()
	heard := make(chan []byte, 16)
	ended := make(chan error, 1)
	gone := make(chan struct{})
	defer func() { // the reader ends with the connection
		close(gone)
		conn.Close()
		<-ended
	}()
	go func() { ended <- read(conn, heard, gone) }()
	return s.run(ctx, heard, ended)
}

// read passes messages on.
func read(conn *websocket.Conn, heard chan<- []byte, gone <-chan struct{}) error {
	defer close(heard)
	conn.SetReadLimit(maxMessage)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		_, message, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		select {
		case heard <- message:
		case <-gone:
			return nil
		}
	}
}

func (o *Origin) dial(ctx context.Context) (*websocket.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: dialWithin, TLSClientConfig: o.link.tls.Clone(), ReadBufferSize: 64 << 10}
	conn, response, err := dialer.DialContext(ctx, "ws"+o.link.base.String()[len("http"):]+"/ws", nil)
	if response != nil {
		defer response.Body.Close()
	}
	if errors.Is(err, websocket.ErrBadHandshake) {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // what there is of it
		return nil, fmt.Errorf("the origin gives no socket (%s): %w", response.Status, refusal(response.StatusCode, text))
	}
	return conn, err
}

// resume makes all markets ones to ask for.
func (s *socket) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = time.Now()
	for slug, m := range s.markets {
		m.asked = false
		if m.followed {
			s.behind[slug] = true
		}
	}
}

func (s *socket) run(ctx context.Context, heard <-chan []byte, ended chan error) error {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		if err := s.place(); err != nil {
			return err
		}
		more, err := s.ask()
		if err != nil {
			return err
		}
		var later <-chan time.Time
		if more {
			later = time.After(time.Second / messages)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case message, open := <-heard:
			if !open {
				err := <-ended
				ended <- err
				return err
			}
			if err := s.take(message); err != nil {
				return err
			}
		case <-s.wake:
		case <-later:
		case now := <-sweep.C:
			if err := s.sweep(now); err != nil {
				return err
			}
		}
	}
}

// ask subscribes to what it has not been asked for yet; more says that some has to wait.
func (s *socket) ask() (more bool, err error) {
	s.mu.Lock()
	var slugs, cursors []string
	for slug, m := range s.markets {
		if m.asked || m.head.Seq == 0 {
			continue
		}
		if !m.placed {
			more = true
			continue
		}
		if more = !s.messages.Allow(); more {
			break
		}
		m.asked = true
		slugs, cursors = append(slugs, slug), append(cursors, m.head.String())
	}
	s.mu.Unlock()
	for i, slug := range slugs {
		if err := s.send(map[string]string{"op": "subscribe", "market": slug, "after": cursors[i]}); err != nil {
			return false, err
		}
	}
	return more, nil
}

func (s *socket) send(request map[string]string) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	return s.conn.WriteJSON(request)
}

// sweep gives up what nobody has wanted for a while.
func (s *socket) sweep(now time.Time) error {
	s.mu.Lock()
	var quiet []string
	for slug, m := range s.markets {
		if m.followed && now.Sub(m.wanted) > s.linger {
			quiet = append(quiet, slug)
		}
	}
	s.mu.Unlock()
	for _, slug := range quiet {
		if s.watched(slug) || !s.messages.Allow() {
			continue
		}
		if err := s.unfollow(slug); err != nil {
			return err
		}
	}
	return nil
}

// unfollow gives up a market, and has the origin send no more of it.
func (s *socket) unfollow(slug string) error {
	s.giveUp(slug, nil)
	return s.send(map[string]string{"op": "unsubscribe", "market": slug})
}

// giveUp ends a market. Whoever has come to watch it meanwhile begins it anew.
func (s *socket) giveUp(slug string, why error) {
	s.mu.Lock()
	m := s.markets[slug]
	if m == nil {
		s.mu.Unlock()
		return
	}
	s.drop(slug, m, why)
	followed := m.followed
	s.mu.Unlock()
	delete(s.behind, slug)
	if followed {
		s.sink.Reset(slug, tape.Head{})
	}
}

// take does what a message says: one frame; an origin of an earlier version joins several, one a line.
func (s *socket) take(message []byte) error {
	s.mu.Lock()
	s.Origin.heard = time.Now()
	s.mu.Unlock()
	for text := range bytes.SplitSeq(message, []byte{'\n'}) {
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			return fmt.Errorf("malformed frame: %w", err)
		}
		if err := s.accept(f, text); err != nil {
			return err
		}
	}
	return nil
}

func (s *socket) accept(f frame, text []byte) error {
	if f.Op == "heartbeat" {
		s.beat(f)
		return nil
	}
	if f.Op == "error" && f.Market == "" {
		return fmt.Errorf("the origin says %s: %s", f.Code, f.Message)
	}
	s.mu.Lock()
	m := s.markets[f.Market]
	asked := m != nil && m.asked
	s.mu.Unlock()
	if !asked {
		return nil // given up meanwhile
	}
	switch f.Op {
	case "event":
		return s.event(m, f, text)
	case "snapshot", "subscribed":
		head, err := tape.ParseCursor(f.Cursor)
		if err != nil || f.Op == "subscribed" && head != m.head {
			return fmt.Errorf("%s was to go on behind %s, and goes on behind %q", f.Market, m.head, f.Cursor)
		}
		s.settle(f.Market, m, head)
	case "error":
		s.log.Warn("market not followed", "market", f.Market, "code", f.Code, "err", f.Message)
		s.giveUp(f.Market, refused(f))
	}
	return nil
}

// settle says where a market stands, unless that is known.
func (s *socket) settle(slug string, m *market, head tape.Head) {
	s.mu.Lock()
	known, again := m.followed && m.head == head, m.followed
	m.head = head
	s.mu.Unlock()
	if known {
		return
	}
	if again {
		s.resets.Add(1)
	}
	s.sink.Reset(slug, head) // before anybody is told that it is followed
	s.mu.Lock()
	defer s.mu.Unlock()
	m.followed = true
	if !m.isSettled() {
		close(m.settled)
	}
}

// event delivers the next event of a market. One that is known can come from a subscription that was
// given up and taken up again.
func (s *socket) event(m *market, f frame, text []byte) error {
	switch {
	case f.Seq <= m.head.Seq:
		return nil
	case f.Prev != m.head.Seq:
		return fmt.Errorf("event %d of %s came after %d", f.Seq, f.Market, m.head.Seq)
	}
	e, err := eventOf(f, text, m.head)
	if err != nil {
		return err
	}
	s.settle(f.Market, m, m.head)
	s.mu.Lock()
	m.head, m.known = e.Head(), nil
	s.mu.Unlock()
	s.events.Add(1)
	s.sink.Publish(e)
	return nil
}

// beat draws from a heartbeat what the tape is like here: as at the origin, once all that was followed
// before has arrived.
func (s *socket) beat(f frame) {
	for slug := range s.behind {
		if _, current := f.Heads[slug]; current {
			delete(s.behind, slug)
		}
	}
	state := f.Source
	switch state {
	case tape.Lost, tape.CatchingUp:
	case tape.Live:
		if len(s.behind) > 0 {
			state = tape.CatchingUp
		}
	default:
		state = tape.CatchingUp
	}
	s.tell(s.sink, state)
}

// refused is why the origin does not let a market be followed.
func refused(f frame) error {
	if code := db.Code(f.Code); code == db.NotFound {
		return db.Errorf(code, "%s", f.Message)
	}
	return db.Errorf(db.Unavailable, "the server behind this one: %s", f.Message)
}
