package server

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/olahol/melody"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/hub"
)

const (
	maxMessage = 4 << 10 // of a client

	// readAtMost is where reading a message stops. What lies between is read to be answered with
	// our close code; it is what net/http takes of headers, too.
	readAtMost = 1<<20 + 64<<10

	// pongWithin and pingEvery let a peer that is dead be gone within half a minute.
	pongWithin = 25 * time.Second
	pingEvery  = 10 * time.Second

	// sendWithin is how long one frame may take; then the connection is cut.
	sendWithin = 10 * time.Second

	// queueLength has room for all that is ever there: one frame in flight and a close.
	queueLength = 4

	// Buffers of a socket, in bytes: a request of a client mostly fits the one, an event the other,
	// which only those have who are being written to. What is longer goes around them.
	readBuffer  = 256
	writeBuffer = 1024
)

// sockets is the door for WebSockets. Melody runs the connections; whom a frame goes to, when, and
// what becomes of a client that is slow is the hub's: it hands over one frame at a time, so that
// melody's queue, which drops what it has no room for, never fills.
type sockets struct {
	hub    *hub.Hub
	gate   *gate
	log    *slog.Logger
	melody *melody.Melody
	storm  storm
}

func newSockets(h *hub.Hub, g *gate, log *slog.Logger) *sockets {
	m := melody.New()
	m.Config.MaxMessageSize = readAtMost
	m.Config.MessageBufferSize = queueLength
	m.Config.PongWait = pongWithin
	m.Config.PingPeriod = pingEvery
	m.Config.WriteWait = sendWithin
	m.Upgrader.ReadBufferSize = readBuffer
	m.Upgrader.WriteBufferSize = writeBuffer
	m.Upgrader.WriteBufferPool = &sync.Pool{} // an idle socket needs none
	m.Upgrader.Error = refuseUpgrade

	s := &sockets{hub: h, gate: g, log: log, melody: m, storm: storm{over: debug.FreeOSMemory}}
	m.HandleConnect(s.connected)
	m.HandleDisconnect(func(session *melody.Session) { socketOf(session).client.Close() })
	m.HandleSentMessage(func(session *melody.Session, _ []byte) { socketOf(session).client.Sent() })
	m.HandleMessage(func(session *melody.Session, message []byte) {
		elsewhere(func() { socketOf(session).receive(message) })
	})
	m.HandleMessageBinary(func(session *melody.Session, _ []byte) {
		socketOf(session).end(hub.CloseProtocol, "frames are text")
	})
	m.HandleError(s.failed)
	return s
}

// openSocket handles GET /ws. The socket lives on without its request, whose buffers, headers and
// deep stack would stay as long as its goroutine does: most of what an idle socket would cost.
func (s *Server) openSocket(c echo.Context) error {
	if !sameOrigin(c.Request()) {
		return otherOrigin()
	}
	if !s.gate.enter() {
		return restarting()
	}
	opened := make(chan error, 1)
	go func() {
		defer s.gate.leave()
		s.sockets.run(c.Response(), c.Request(), opened)
	}()
	if err := <-opened; err != nil {
		s.log.Debug("no socket", "request", requestID(c), "err", err) // refuseUpgrade has answered
	}
	return nil
}

// run upgrades a request, says whether that went well, and serves the socket until it ends. What it
// is given is not used after opened has been told.
func (s *sockets) run(w http.ResponseWriter, r *http.Request, opened chan<- error) {
	socket := &socket{opened: opened}
	defer func() {
		if p := recover(); p != nil { // what goes wrong in one socket is that socket's
			s.log.Error("socket failed", "panic", p, "stack", string(debug.Stack()))
			socket.fail()
		}
	}()
	if err := s.melody.HandleRequestWithKeys(wired{w}, r, map[string]any{socketKey: socket}); err != nil {
		opened <- err
	}
}

var errFailed = errors.New("the socket failed")

// refuseUpgrade answers a request that is none for a socket.
func refuseUpgrade(w http.ResponseWriter, _ *http.Request, status int, reason error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Sec-WebSocket-Version", "13")
	w.WriteHeader(status)
	_, _ = w.Write(problem(status, db.Errorf(db.InvalidRequest, "%w", reason)))
}

// connected runs before anything is read or written.
func (s *sockets) connected(session *melody.Session) {
	socket := socketOf(session)
	socket.session = session
	socket.wire = session.WebsocketConnection().NetConn().(*wire)
	session.Request = nil
	s.gate.connect(s.hub, func(client *hub.Client) hub.Conn {
		socket.client = client
		return socket
	})
	socket.opened <- nil
	socket.opened = nil
	s.storm.arrive()
}

// failed hears of every connection that ends. A frame that melody had no room for would be lost
// without a trace: rather its client is.
func (s *sockets) failed(session *melody.Session, err error) {
	if errors.Is(err, melody.ErrMessageBufferFull) {
		s.log.Error("socket cut: its queue was full")
		session.WebsocketConnection().Close()
	}
}

func (s *sockets) count() int { return s.melody.Len() }

// cut ends the connections without a word.
func (s *sockets) cut() {
	sessions, err := s.melody.Sessions()
	if err != nil {
		return // melody is never closed
	}
	for _, session := range sessions {
		session.WebsocketConnection().Close()
	}
}

const socketKey = "socket"

func socketOf(session *melody.Session) *socket {
	return session.MustGet(socketKey).(*socket)
}

// socket is one connection, a hub.Conn.
type socket struct {
	session *melody.Session
	wire    *wire
	client  *hub.Client
	opened  chan<- error // nil once that is told
}

// Write sends a frame, or queues it; melody calls client.Sent when it has left.
func (s *socket) Write(frame []byte) error {
	if s.wire.sendNow(frame) {
		s.client.Sent()
		return nil
	}
	return s.session.Write(frame)
}

// Close queues the close behind the frame in flight, which sendWithin bounds: the client hears the
// code, or is cut.
func (s *socket) Close(code int, reason string) {
	_ = s.session.CloseWithMsg(melody.FormatCloseMessage(code, reason)) // an error: closed already
}

// end closes the connection from our side of the hub.
func (s *socket) end(code int, reason string) {
	s.client.Close()
	s.Close(code, reason)
}

// fail cuts the connection, or says that there is none.
func (s *socket) fail() {
	if s.opened != nil {
		s.opened <- errFailed
		return
	}
	s.client.Close()
	s.session.WebsocketConnection().Close()
}

// elsewhere calls f on a goroutine of its own. Decoding what a client asks for takes a deep stack,
// which the socket's goroutine would keep as long as it lives: most of what an idle socket costs.
func elsewhere(f func()) {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	if failed := <-done; failed != nil {
		panic(failed)
	}
}

// receive does what a client asks for. Members that it does not know it ignores.
func (s *socket) receive(message []byte) {
	if len(message) > maxMessage {
		s.end(hub.CloseProtocol, "the message is longer than 4 KiB")
		return
	}
	var request struct {
		Op     string `json:"op"`
		Market string `json:"market"`
		After  string `json:"after"`
		Mode   string `json:"mode"`
	}
	if err := json.Unmarshal(message, &request); err != nil {
		s.refuse("malformed message: want one JSON object", "")
		return
	}
	mode, known := modes[request.Mode]
	switch {
	case request.Op != "subscribe" && request.Op != "unsubscribe":
		s.refuse("unknown op: want subscribe or unsubscribe", request.Market)
	case request.Market == "":
		s.refuse("market is missing", "")
	case request.Op == "unsubscribe":
		s.client.Unsubscribe(request.Market)
	case !known:
		s.refuse("unknown mode: want tape or quote", request.Market)
	default:
		s.client.Subscribe(request.Market, request.After, mode)
	}
}

func (s *socket) refuse(message, market string) {
	s.client.Reply(errorFrame(db.InvalidRequest, message, market))
}

var modes = map[string]hub.Mode{"": hub.Tape, "tape": hub.Tape, "quote": hub.Quote}
