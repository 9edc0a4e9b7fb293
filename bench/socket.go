package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/client"
)

const (
	dialWithin = 30 * time.Second
	sendWithin = 10 * time.Second
	// silence is long: a bench that is itself short of breath must not take the server for dead.
	silence    = 10 * time.Second
	firstPause = 50 * time.Millisecond
	longPause  = time.Second
)

// buffers are for messages while they are taken apart; writes are the sockets' to write with.
var (
	buffers = sync.Pool{New: func() any { return new(make([]byte, 64<<10)) }}
	writes  sync.Pool
)

// listen holds the socket open until ctx ends: whatever ends it, it is made again and goes on from
// the last event. client.Watch does the same with all its checks and frames as they are; here there
// may be ten thousand in a process that shares its cores with what it measures.
// Errors: what the server refuses for good.
func (l *listener) listen(ctx context.Context) error {
	address := "ws" + strings.TrimPrefix(l.run.URL, "http") + "/ws"
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		began := time.Now()
		err := l.attempt(ctx, address)
		if ctx.Err() != nil {
			return nil
		}
		var refused *client.Error
		if errors.As(err, &refused) {
			return refused
		}
		l.reconnects++
		if l.run.storm.cutOff(began) {
			continue // that they all come at once is what a storm is
		}
		if time.Since(began) > time.Second {
			pause = firstPause
		}
		if !wait(ctx, pause/2+rand.N(pause)) {
			return nil
		}
	}
}

// attempt listens on one connection until that ends; never nil.
func (l *listener) attempt(ctx context.Context, address string) error {
	conn, err := dial(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	l.connected(conn)
	for market, h := range l.heard {
		request := map[string]string{"op": "subscribe", "market": market, "mode": l.run.Mode}
		if h.cursor != "" && l.run.Mode == client.Tape {
			request["after"] = h.cursor
		}
		if err := conn.WriteJSON(request); err != nil {
			return err
		}
	}
	return receive(conn, func(message []byte, received time.Time) error {
		err := l.take(message, received)
		if l.stalls && l.joined() {
			<-ctx.Done()
		}
		return err
	})
}

// Watch opens sockets at an address, and calls hear for each message, from one goroutine per socket,
// until ctx ends or a socket does. The message's bytes are good until hear returns. opened is called
// when all are open.
func Watch(ctx context.Context, address string, sockets int, opened func(), hear func(who int, message []byte, received time.Time)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var watching sync.WaitGroup
	defer watching.Wait()
	for who := range sockets {
		conn, err := dial(ctx, address)
		if err != nil {
			cancel(err)
			return err
		}
		watching.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			cancel(receive(conn, func(message []byte, received time.Time) error {
				hear(who, message, received)
				return nil
			}))
		})
	}
	opened()
	<-ctx.Done()
	return context.Cause(ctx)
}

// dial opens a socket that costs little: small buffers, those to write with shared.
func dial(ctx context.Context, address string) (*websocket.Conn, error) {
	if _, err := url.Parse(address); err != nil {
		return nil, err
	}
	dialer := websocket.Dialer{HandshakeTimeout: dialWithin, ReadBufferSize: 4 << 10, WriteBufferSize: 1 << 10, WriteBufferPool: &writes}
	conn, response, err := dialer.DialContext(ctx, address, nil)
	if response != nil {
		defer response.Body.Close()
	}
	if errors.Is(err, websocket.ErrBadHandshake) && response.StatusCode/100 == 4 {
		return nil, &client.Error{Status: response.StatusCode, Message: "the server refuses sockets: " + response.Status}
	}
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return conn, conn.SetWriteDeadline(time.Now().Add(sendWithin))
}

// receive hands on each message, whose bytes are then used again, until reading fails; never nil.
func receive(conn *websocket.Conn, take func(message []byte, received time.Time) error) error {
	var watched time.Time
	for {
		if now := time.Now(); now.Sub(watched) > silence/10 { // moving a deadline each time costs
			watched = now
			if err := conn.SetReadDeadline(now.Add(silence)); err != nil {
				return err
			}
		}
		_, message, err := conn.NextReader()
		if err != nil {
			return closedBy(err)
		}
		buffer := buffers.Get().(*[]byte)
		text, err := readInto(*buffer, message)
		if err == nil {
			err = take(text, time.Now())
		}
		*buffer = text[:cap(text)]
		buffers.Put(buffer)
		if err != nil {
			return err
		}
	}
}

func readInto(buffer []byte, from io.Reader) ([]byte, error) {
	n := 0
	for {
		if n == len(buffer) {
			buffer = append(buffer, make([]byte, len(buffer))...)
		}
		got, err := from.Read(buffer[n:])
		n += got
		if errors.Is(err, io.EOF) {
			return buffer[:n], nil
		}
		if err != nil {
			return buffer[:n], err
		}
	}
}

func closedBy(err error) error {
	const protocol, notPermitted = 4002, 4003
	if websocket.IsCloseError(err, protocol, notPermitted) {
		return &client.Error{Message: err.Error()}
	}
	return err
}

// take takes a message: one frame.
func (l *listener) take(message []byte, received time.Time) error {
	f, err := parseFrame(message)
	if err != nil {
		return err
	}
	return l.hear(f, received)
}

// refusedFrame is an error frame: that one market cannot be had ends the run.
func refusedFrame(f frame) error {
	if f.code == client.CodeInternal || f.code == client.CodeUnavailable {
		return errors.New(f.text)
	}
	return &client.Error{Code: f.code, Message: f.text}
}

// jsonText is for what cannot fail to encode.
func jsonText(v any) []byte {
	text, _ := json.Marshal(v)
	return text
}
