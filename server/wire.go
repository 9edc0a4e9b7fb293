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
)

// wire is the connection under a socket. A frame that the kernel has room for is handed to it at
// once, by the goroutine that has it: waking another one for each frame costs half as much again as
// the frame. What finds no room takes the long way, through melody, which waits for the peer.
//
// Frames do not mix, as each is written under mu: melody's and gorilla's whole ones, and those of
// sendNow. What sendNow has left of one is the next text frame that melody writes.
type wire struct {
	net.Conn
	raw  syscall.RawConn // nil: frames never go at once
	once func(fd uintptr)

	mu       sync.Mutex
	deadline time.Time // of writes that wait
	begun    int       // bytes of the next text frame that have been written
	resumed  bool      // that frame is being written
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
	if len(p) == 0 {
		return 0, nil
	}
	length, kind := len(p), p[0]
	if w.begun > 0 {
		if !w.resumed && kind != final|websocket.TextMessage {
			return length, nil // nothing may come between: a peer this slow does without a ping
		}
		w.resumed = true
		skip := min(w.begun, len(p))
		w.begun -= skip
		w.resumed = w.begun > 0
		p = p[skip:]
	}
	if kind == final|websocket.CloseMessage {
		w.closed.Store(true)
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

// sendNow sends a text frame if that is possible without waiting.
func (w *wire) sendNow(text []byte) bool {
	if w.raw == nil || !w.mu.TryLock() {
		return false
	}
	defer w.mu.Unlock()
	if w.closed.Load() || w.begun > 0 {
		return false
	}
	buffer := frames.Get().(*[]byte)
	defer frames.Put(buffer)
	*buffer = appendTextFrame((*buffer)[:0], text)
	n := w.try(*buffer)
	if n < len(*buffer) {
		w.begun = n
	}
	return n == len(*buffer)
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

var frames = sync.Pool{New: func() any { return new(make([]byte, 0, 4<<10)) }}

// appendTextFrame makes the frame that gorilla makes of a text: of a server, whole, not compressed.
func appendTextFrame(b, text []byte) []byte {
	b = append(b, final|websocket.TextMessage)
	switch n := len(text); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, text...)
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
