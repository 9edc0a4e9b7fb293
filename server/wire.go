package server

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/server/hub"
)

// wire is the connection under a socket. Frames that the kernel has room for are handed to it at once,
// by the goroutine that has them: waking another one for each costs half as much again as the frame.
// What finds no room takes the long way, through melody, which waits for the peer.
//
// The hub's messages are whole frames already. Melody sends them as if they were one text: the wire
// drops the header that gorilla has put before that, and the frames inside go out as they are. Frames
// do not mix, as each is written under mu: melody's and gorilla's whole ones, and those of sendNow.
// What sendNow has left is the next text that melody writes.
type wire struct {
	net.Conn
	raw  syscall.RawConn // nil: frames never go at once
	once func(fd uintptr)

	mu       sync.Mutex
	deadline time.Time // of writes that wait
	kind     byte      // of the frame of gorilla's that is being written
	rest     int       // bytes of it to come
	begun    int       // bytes of the next text that have been written
	trying   []byte    // what once writes,
	tried    int       // and how much of it went

	closed  atomic.Bool // a close was written: nothing may follow
	parting atomic.Bool // and the peer has a while to hear it
}

// partsWithin is how long a peer may go on sending when it is told that the socket closes. The
// kernel resets a connection that is closed with something unread, and the peer may lose the close.
const partsWithin = time.Second

// final is the bit of a frame that is the last of its message; all of ours are.
const final = 0x80

func newWire(conn net.Conn) *wire {
	w := &wire{Conn: conn}
	if tcp, ok := conn.(*net.TCPConn); ok {
		w.raw, _ = tcp.SyscallConn()
		w.once = func(fd uintptr) { w.tried = writeNow(fd, w.trying) }
	}
	return w
}

// SetWriteDeadline is for the writes that wait: a deadline of one that did not is no reason to
// arm a timer.
func (w *wire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	return nil
}

// Write takes a frame of gorilla, or a part of one; no other part comes between.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	length := len(p)
	if p = w.frame(p); len(p) == 0 {
		return length, nil
	}
	if p = p[w.try(p):]; len(p) == 0 {
		return length, nil
	}
	if err := w.Conn.SetWriteDeadline(w.deadline); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	return length - len(p) + n, err
}

// frame follows gorilla's frames and returns what of p is to be written. Called with w.mu held.
func (w *wire) frame(p []byte) []byte {
	length := len(p)
	if w.rest == 0 && length > 0 {
		if w.kind = p[0]; w.kind&final == 0 {
			return p // the answer to the upgrade: all frames here are whole messages
		}
		header, text := headerOf(p)
		w.rest = header + text
		if w.kind == final|websocket.TextMessage {
			p = p[header:]
		}
	}
	w.rest -= length
	if w.begun > 0 {
		if w.kind != final|websocket.TextMessage {
			return nil // nothing may come between: a peer this slow does without a ping
		}
		skip := min(w.begun, len(p))
		w.begun -= skip
		p = p[skip:]
	}
	if w.kind == final|websocket.CloseMessage {
		w.closed.Store(true)
	}
	return p
}

// headerOf returns the length of a frame's header and of what it announces. Gorilla writes a header
// whole, and a server's is not masked.
func headerOf(frame []byte) (header, text int) {
	switch {
	case len(frame) >= 4 && frame[1] == 126:
		return 4, int(binary.BigEndian.Uint16(frame[2:]))
	case len(frame) >= 10 && frame[1] == 127:
		return 10, int(binary.BigEndian.Uint64(frame[2:]))
	case len(frame) >= 2:
		return 2, int(frame[1])
	}
	return len(frame), 0
}

// Close closes the connection: behind a close frame for writing only, for partsWithin or until it is
// called again, which is when nobody reads any more.
func (w *wire) Close() error {
	half, ok := w.Conn.(interface{ CloseWrite() error })
	if !ok || !w.closed.Load() || !w.parting.CompareAndSwap(false, true) {
		return w.Conn.Close()
	}
	time.AfterFunc(partsWithin, func() { w.Conn.Close() })
	return half.CloseWrite()
}

// sendNow sends frames if that is possible without waiting.
func (w *wire) sendNow(frames hub.Messages) bool {
	if w.raw == nil || !w.mu.TryLock() {
		return false
	}
	defer w.mu.Unlock()
	if w.closed.Load() || w.begun > 0 || w.rest > 0 {
		return false
	}
	n := w.try(frames)
	if n < len(frames) {
		w.begun = n
	}
	return n == len(frames)
}

// try writes what the kernel takes. An error is told by the write that goes on.
func (w *wire) try(p []byte) int {
	if w.raw == nil || len(p) == 0 {
		return 0
	}
	w.trying, w.tried = p, 0
	_ = w.raw.Control(w.once)
	w.trying = nil
	return w.tried
}

// wired is a response whose connection is taken over as a wire.
type wired struct{ http.ResponseWriter }

func (w wired) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return newWire(conn), buffered, nil
}
