package server

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/server/hub"
)

// wirePair returns both ends of a socket; little fits between them.
func wirePair(t *testing.T) (w *wire, server, client *websocket.Conn) {
	t.Helper()
	const buffer = 32 << 10
	conns := make(chan *websocket.Conn, 1)
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(response http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{WriteBufferSize: writeBuffer}).Upgrade(wired{response}, r, nil)
		if err != nil {
			t.Error(err)
		}
		conns <- conn
	}))
	web.Config.ConnContext = minded
	web.Start()
	t.Cleanup(web.Close)
	dialer := websocket.Dialer{NetDial: func(network, address string) (net.Conn, error) {
		conn, err := net.Dial(network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(buffer)
		}
		return conn, err
	}}
	client, _, err := dialer.Dial("ws"+strings.TrimPrefix(web.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server = <-conns
	t.Cleanup(func() { server.Close() })
	return server.NetConn().(*wire), server, client
}

func TestAFrameThatFindsNoRoomGoesOnTheLongWay(t *testing.T) {
	t.Parallel()
	w, server, client := wirePair(t)
	if w.raw == nil {
		t.Skip("frames never go at once here")
	}
	texts := [][]byte{[]byte("short"), bytes.Repeat([]byte("b"), 1000)}
	for _, text := range texts {
		if !w.sendNow(hub.Message(text)) {
			t.Fatal("a frame did not go at once")
		}
	}
	var many hub.Messages
	for i := range 100 { // of which gorilla's buffer ends within one, and the kernel's within another
		text := bytes.Repeat([]byte{final | websocket.CloseMessage, byte(i)}, 50<<10)
		texts, many = append(texts, text), append(many, hub.Message(text)...)
	}
	texts = append(texts, []byte("last"))
	if w.sendNow(many) || w.begun == 0 {
		t.Fatalf("%d bytes of %d went", w.begun, len(many))
	}
	if w.sendNow(hub.Message(texts[0])) {
		t.Fatal("a frame went in the middle of another")
	}
	// Nor does a ping, which does not wait for room either.
	if err := server.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- server.WriteMessage(websocket.TextMessage, many) }()
	for i, text := range texts {
		if i == len(texts)-1 {
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
			if !w.sendNow(hub.Message(text)) {
				t.Fatal("frames do not go at once any more")
			}
		}
		if _, got, err := client.ReadMessage(); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("message %d: %d bytes, want %d (%v)", i, len(got), len(text), err)
		}
	}

	if err := server.WriteControl(websocket.CloseMessage, nil, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if w.sendNow(hub.Message(texts[0])) {
		t.Error("a frame was sent behind a close")
	}
}

func TestAWriteThatWaitsHasItsDeadline(t *testing.T) {
	t.Parallel()
	_, server, _ := wirePair(t)
	_ = server.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	if err := server.WriteMessage(websocket.TextMessage, make([]byte, 16<<20)); err == nil {
		t.Error("it was written though nobody reads")
	}
}

func TestFramesAreThoseOfTheLibrary(t *testing.T) {
	t.Parallel()
	w, _, client := wirePair(t)
	for _, length := range []int{0, 1, 125, 126, 65535, 65536, 70000} {
		text := bytes.Repeat([]byte("x"), length)
		done := make(chan bool, 1)
		go func() { done <- w.sendNow(hub.Message(text)) }()
		if sent := <-done; !sent {
			t.Skip("no room")
		}
		if kind, got, err := client.ReadMessage(); err != nil || kind != websocket.TextMessage || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes, want %d (%v)", len(got), length, err)
		}
	}
}

// A connection that is closed with something unread in it is reset, and what is under way is lost.
func TestAPeerThatGoesOnSendingHearsWhyItIsClosed(t *testing.T) {
	t.Parallel()
	w, server, client := wirePair(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(server.SetWriteDeadline(time.Now().Add(time.Minute)))
	must(server.WriteMessage(websocket.TextMessage, hub.Message(bytes.Repeat([]byte("x"), 128<<10)))) // more than the peer has room for
	must(server.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4002, "why")))
	must(client.WriteMessage(websocket.TextMessage, []byte("unread")))
	must(server.Close())
	done := make(chan struct{})
	go func() { // as melody does
		defer close(done)
		for {
			if _, _, err := server.ReadMessage(); err != nil {
				return
			}
		}
	}()

	_, _, err := client.ReadMessage()
	must(err)
	if _, _, err = client.ReadMessage(); !websocket.IsCloseError(err, 4002) {
		t.Errorf("error = %v, want 4002", err)
	}
	<-done // the peer's answer
	must(w.Close())
	if _, err := w.Conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error = %v, want a closed connection", err)
	}
}

func TestAPeerThatSendsOnAndOnIsCut(t *testing.T) {
	t.Parallel()
	_, server, client := wirePair(t)
	if err := server.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4002, "why")); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	go func() {
		for client.WriteMessage(websocket.TextMessage, []byte("on and on")) == nil {
		}
	}()
	for {
		_, _, err := server.ReadMessage()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			t.Fatalf("error = %v, want a closed connection", err)
		}
	}
}
