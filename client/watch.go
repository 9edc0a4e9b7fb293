package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// silence is how long a server may say nothing: a heartbeat is due each second.
	silence = 2500 * time.Millisecond

	dialWithin = 8 * time.Second
	sendWithin = 10 * time.Second
	maxMessage = 16 << 20

	firstPause = 100 * time.Millisecond
	longPause  = 10 * time.Second
	goodAfter  = 3 * time.Second // a connection that lasted so long was none that fails at once

	// barredAfter is how many sockets in a row must have reached somebody and brought nothing
	// before it is taken that they are not let through.
	barredAfter = 2
)

// Close codes of the server.
const (
	closeTooSlow      = 4001
	closeProtocol     = 4002
	closeNotPermitted = 4003
)

// Watch calls deliver for each frame of the subscriptions until ctx ends; then it returns nil. It
// calls from one goroutine, in order; the server cuts off who takes too long for too long.
//
// A connection that is lost, silent for 2.5 s, or brings an event that does not follow the one
// before, is made again after a jittered pause, and each tape goes on from the last event that was
// delivered: no event is delivered twice or left out. If the server cannot go on from there, since
// the gap is too wide or its history is another now, a snapshot is delivered in between.
//
// Where sockets are refused or swallowed on the way, the tapes are read by HTTP about once a
// second, with the same frames and the same promises, until a socket gets through.
//
// Errors: *Error when the server refuses for good: the connection, or every subscription (those
// that it refuses alone are delivered as error frames).
func (c *Client) Watch(ctx context.Context, subscriptions []Subscription, deliver func(Frame)) error {
	if c.err != nil {
		return c.err
	}
	tracks, err := newTracks(subscriptions)
	if err != nil {
		return err
	}
	w := &watch{client: c, tracks: tracks, deliver: deliver}
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		began := time.Now()
		err := w.attempt(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var refused *Error
		if errors.As(err, &refused) {
			return refused
		}
		deliver(reconnecting(err))
		w.tell(Stale)
		if time.Since(began) > goodAfter {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// watch is a set of subscriptions through all its connections.
type watch struct {
	client  *Client
	tracks  map[string]*track
	deliver func(Frame)

	barred int       // sockets in a row that brought nothing
	state  string    // told last
	fresh  time.Time // when everything was known to be up to date
}

// attempt delivers, through a socket or by polling, until that fails; never nil.
func (w *watch) attempt(ctx context.Context) error {
	if w.barred < barredAfter {
		conn, reached, err := w.client.dial(ctx)
		if err != nil {
			if reached {
				w.barred++
			}
			return err
		}
		return w.follow(ctx, conn)
	}
	conn, err := w.poll(ctx)
	if err != nil {
		w.barred = barredAfter - 1 // the fault may be another by now
		return err
	}
	return w.follow(ctx, conn)
}

// tell delivers a change of state.
func (w *watch) tell(state string) {
	if state != w.state {
		w.state = state
		w.deliver(Frame{Op: OpState, Code: state, Event: Event{At: w.fresh}, Received: time.Now()})
	}
}

// beat draws from a heartbeat what state the watch is in.
func (w *watch) beat(f Frame) {
	state := CatchingUp
	switch f.Source {
	case "lost":
		state = Stale
	case "live":
		if w.hasAll(f.Heads) {
			state, w.fresh = Live, f.Received
		}
	}
	w.tell(state)
}

func (w *watch) hasAll(heads map[string]int64) bool {
	for market, t := range w.tracks {
		if _, ok := heads[market]; !ok && !t.ended {
			return false
		}
	}
	return true
}

// lost is why a connection is given up.
type lost struct {
	code, market, message string
}

func (l *lost) Error() string { return l.message }

func reconnecting(err error) Frame {
	f := Frame{Op: OpReconnecting, Code: LostConnection, Message: err.Error(), Received: time.Now()}
	var l *lost
	if errors.As(err, &l) {
		f.Code, f.Market = l.code, l.market
	}
	return f
}

// follow subscribes on a socket and delivers until that ends or is given up; never nil.
func (w *watch) follow(ctx context.Context, conn *websocket.Conn) error {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetReadLimit(maxMessage)
	if err := w.subscribe(conn); err != nil {
		return err
	}
	for heard := false; ; heard = true {
		if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		_, message, err := conn.ReadMessage()
		received := time.Now()
		if err != nil {
			if !heard && !closedByServer(err) {
				w.barred++
			}
			return ended(err)
		}
		if !heard {
			w.barred = 0
			w.resumed()
		}
		for line := range bytes.SplitSeq(message, []byte{'\n'}) { // an earlier server joins several frames
			if err := w.take(line, received); err != nil {
				return err
			}
		}
	}
}

// resumed says that something is heard again.
func (w *watch) resumed() {
	if w.state != Live {
		w.tell(CatchingUp)
	}
}

// closedByServer says whether somebody said why it ended, as only a server of ours does.
func closedByServer(err error) bool {
	var closed *websocket.CloseError
	return errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure
}

// dial opens a socket; reached says whether somebody was asked who may let none through. What a server of
// ours refuses for good is an *Error; what anything else on the way says of sockets is not final.
func (c *Client) dial(ctx context.Context) (conn *websocket.Conn, reached bool, err error) {
	address := *c.base
	address.Scheme = "ws" + address.Scheme[len("http"):]
	var wire net.Dialer
	dialer := websocket.Dialer{
		HandshakeTimeout: dialWithin, Jar: c.http.Jar, Proxy: http.ProxyFromEnvironment,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := wire.DialContext(ctx, network, address)
			reached = err == nil
			return conn, err
		},
	}
	conn, response, err := dialer.DialContext(ctx, address.String()+"/ws", nil)
	if response != nil {
		defer response.Body.Close()
	}
	if errors.Is(err, websocket.ErrBadHandshake) {
		answer, _ := io.ReadAll(response.Body) // what there is of it
		e := refusal(response.StatusCode, answer)
		if e.final() && e.Code != "" && e.Code != CodeInvalidRequest {
			return nil, reached, e
		}
		// A server of ours that has no room now, or is about to restart, keeps no socket from getting through.
		busy := e.Code == CodeUnavailable || e.Code == CodeTooManyRequests
		return nil, reached && !busy, errors.New(e.Message)
	}
	if err != nil {
		return nil, reached, fmt.Errorf("connecting: %w", err)
	}
	return conn, reached, nil
}

func (w *watch) subscribe(conn *websocket.Conn) error {
	if err := conn.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	for market, t := range w.tracks {
		if t.ended {
			continue
		}
		request := map[string]string{"op": "subscribe", "market": market, "mode": t.mode}
		if after := t.resume(); after != "" {
			request["after"] = after
		}
		if err := conn.WriteJSON(request); err != nil {
			return err
		}
	}
	return nil
}

// take reads one frame.
func (w *watch) take(line []byte, received time.Time) error {
	f := Frame{Received: received, Raw: line}
	if err := json.Unmarshal(line, &f); err != nil {
		return &lost{code: LostConnection, message: fmt.Sprintf("malformed frame: %v", err)}
	}
	return w.accept(f)
}

// accept delivers a frame, if it follows what came before.
func (w *watch) accept(f Frame) error {
	t := w.tracks[f.Market]
	if t == nil {
		w.deliver(f)
		if f.Op == OpHeartbeat {
			w.beat(f)
		}
		return nil
	}
	ok, lapse := t.take(f)
	if lapse != nil {
		return lapse
	}
	if ok {
		w.deliver(f)
	}
	if f.Op == OpError {
		return w.refused(t, f)
	}
	return nil
}

// refused ends one subscription, unless it is only for now that the server does not read the market.
func (w *watch) refused(t *track, f Frame) error {
	if f.Code == CodeInternal || f.Code == CodeUnavailable || f.Code == CodeTooManyRequests {
		return &lost{code: LostConnection, market: f.Market, message: f.Message}
	}
	t.ended = true
	for _, other := range w.tracks {
		if !other.ended {
			return nil
		}
	}
	return &Error{Code: f.Code, Message: f.Message}
}

// ended is why reading has ended: a refusal for good, or a loss.
func ended(err error) error {
	var timeout net.Error
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return &lost{code: LostHeartbeat, message: fmt.Sprintf("nothing was heard for %v", silence)}
	case !errors.As(err, &closed):
		return err
	}
	message := fmt.Sprintf("the server closed the connection (%d): %s", closed.Code, closed.Text)
	switch closed.Code {
	case closeProtocol:
		return &Error{Code: CodeInvalidRequest, Message: message}
	case closeNotPermitted:
		return &Error{Code: CodeNotPermitted, Message: message}
	case closeTooSlow:
		return &lost{code: LostSlow, message: message}
	}
	return &lost{code: LostConnection, message: message}
}
