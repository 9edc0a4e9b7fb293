package server

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/olahol/melody"
	"golang.org/x/time/rate"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

const (
	maxMessage = 4 << 10 // of a client

	// readAtMost is where reading a message stops, with WebSocket's own code (1009). What lies between is
	// read to be answered with ours. It is little: a message that is not finished is kept, and whoever
	// opens many sockets can leave one unfinished in each.
	readAtMost = 4 * maxMessage

	// pongWithin and pingEvery let a peer that is dead be gone within half a minute.
	pongWithin = 25 * time.Second
	pingEvery  = 10 * time.Second

	// sendWithin is how long one write may take; then the connection is cut.
	sendWithin = 10 * time.Second

	// queueLength has room for all that is ever there: one write in flight and a close.
	queueLength = 4

	// Buffers of a socket, in bytes: a request of a client mostly fits the one, an event the other,
	// which only those have who are being written to. What is longer goes around them.
	readBuffer  = 256
	writeBuffer = 1024
)

// sockets is the door for WebSockets. Melody runs the connections; whom a frame goes to, when, and
// what becomes of a client that is slow is the hub's: it hands over one write at a time, so that
// melody's queue, which drops what it has no room for, never fills.
type sockets struct {
	hub    *hub.Hub
	gate   *gate
	limits *limits
	log    *slog.Logger
	melody *melody.Melody
	storm  storm
}

func newSockets(h *hub.Hub, g *gate, l *limits, log *slog.Logger) *sockets {
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

	s := &sockets{hub: h, gate: g, limits: l, log: log, melody: m, storm: storm{over: debug.FreeOSMemory}}
	m.HandleConnect(s.connected)
	m.HandleDisconnect(func(session *melody.Session) { socketOf(session).client.Close() })
	m.HandleSentMessage(func(session *melody.Session, _ []byte) { socketOf(session).client.Sent() })
	m.HandleMessage(func(session *melody.Session, message []byte) {
		if socket := socketOf(session); socket.maySend() {
			elsewhere(func() { socket.receive(message) })
		}
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
	opening := c.Request().WithContext(c.Request().Context())
	opening.Method = http.MethodPost // as a GET it would pass unseen
	if !s.mayAsk(opening) {
		return s.otherOrigin(c.Request())
	}
	leave, err := s.seat(c)
	if err != nil {
		return err
	}
	if !s.gate.enter() {
		leave()
		return restarting()
	}
	opened, from := make(chan error, 1), s.watcherOf(c)
	go func() {
		defer s.gate.leave()
		defer leave()
		s.sockets.run(c.Response(), c.Request(), from, opened)
	}()
	if err := <-opened; err != nil {
		s.log.Debug("no socket", "request", requestID(c), "err", err) // refuseUpgrade has answered
	}
	return nil
}

// run upgrades a request, says whether that went well, and serves the socket until it ends. What it
// is given is not used after opened has been told.
func (s *sockets) run(w http.ResponseWriter, r *http.Request, from fairqueue.Client, opened chan<- error) {
	socket := &socket{from: from, opened: opened}
	defer func() {
		if p := recover(); p != nil { // what goes wrong in one socket is that socket's
			s.log.Error("socket failed", "panic", p, "stack", string(debug.Stack()))
			socket.fail()
		}
	}()
	if err := s.melody.HandleRequestWithKeys(wired{w}, r, map[string]any{socketKey: socket}); err != nil {
		opened <- err
		return
	}
	socket.wire.Close()
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
	socket.limit(s.limits)
	session.Request = nil
	s.gate.connect(s.hub, socket.from, func(client *hub.Client) hub.Conn {
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
	from    fairqueue.Client
	opened  chan<- error // nil once that is told

	messages *rate.Limiter // nil: as many as it likes
	tooMany  func()        // hears of those above
	over     bool          // closed from our side; for those who read
}

// limit counts what the client sends: messages, and pings, which are answered too.
func (s *socket) limit(l *limits) {
	if s.messages = l.newMessages(); s.messages == nil {
		return
	}
	s.tooMany = func() { l.turnedAway("messages") }
	conn := s.session.WebsocketConnection()
	pong := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		if !s.maySend() {
			return nil
		}
		return pong(data)
	})
}

// maySend is false for what is too much, and for all that comes when the socket is being closed.
func (s *socket) maySend() bool {
	if s.over {
		return false
	}
	if s.messages == nil || s.messages.Allow() {
		return true
	}
	s.tooMany()
	s.end(hub.CloseProtocol, "too many messages")
	return false
}

// Write sends frames, or queues them as one message of melody's, of which the wire writes the inside;
// melody calls client.Sent when they have left.
func (s *socket) Write(frames hub.Messages) error {
	if s.wire.sendNow(frames) {
		s.client.Sent()
		return nil
	}
	return s.session.Write(frames)
}

// Close queues the close behind the frame in flight, which sendWithin bounds: the client hears the
// code, or is cut.
func (s *socket) Close(code int, reason string) {
	_ = s.session.CloseWithMsg(melody.FormatCloseMessage(code, reason)) // an error: closed already
}

// end closes the connection from our side of the hub. Those who read call it.
func (s *socket) end(code int, reason string) {
	if s.over {
		return
	}
	s.over = true
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
	asked, fault := parseRequest(message)
	switch {
	case fault != "":
		s.refuse(fault, asked.Market)
	case asked.Op == "unsubscribe":
		s.client.Unsubscribe(asked.Market)
	case !slugForm.MatchString(asked.Market):
		s.client.Reply(errorFrame(db.NotFound, "no such market", asked.Market)) // and nobody need look for it
	default:
		s.client.Subscribe(asked.Market, asked.After, modes[asked.Mode])
	}
}

// slugForm is what a market's slug looks like.
var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// request is what a client may send on a socket.
type request struct {
	Op     string `json:"op"`
	Market string `json:"market"`
	After  string `json:"after"`
	Mode   string `json:"mode"`
}

// parseRequest reads one, and tells what is wrong with it.
func parseRequest(message []byte) (r request, fault string) {
	if err := json.Unmarshal(message, &r); err != nil {
		return request{}, "malformed message: want one JSON object"
	}
	_, known := modes[r.Mode]
	switch {
	case r.Op != "subscribe" && r.Op != "unsubscribe":
		fault = "unknown op: want subscribe or unsubscribe"
	case r.Market == "":
		fault = "market is missing"
	case r.Op == "subscribe" && !known:
		fault = "unknown mode: want tape or quote"
	}
	return r, fault
}

func (s *socket) refuse(message, market string) {
	s.client.Reply(errorFrame(db.InvalidRequest, message, market))
}

var modes = map[string]hub.Mode{"": hub.Tape, "tape": hub.Tape, "quote": hub.Quote}
