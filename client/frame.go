package client

import "time"

// The ops of frames. The last two are the client's own: OpReconnecting says that the connection is
// gone, for the reason in Code and Message, and is made again; OpState that what has been delivered
// is now Live, CatchingUp or Stale.
const (
	OpSnapshot     = "snapshot"
	OpSubscribed   = "subscribed"
	OpEvent        = "event"
	OpQuote        = "quote"
	OpHeartbeat    = "heartbeat"
	OpError        = "error"
	OpReconnecting = "reconnecting"
	OpState        = "state"
)

// The codes of OpState.
const (
	Live       = "live"        // all that is committed has been delivered, to within a heartbeat
	CatchingUp = "catching_up" // something is heard, but not yet all that there is
	Stale      = "stale"       // nothing is heard, or the server has lost its database
)

// The codes of OpReconnecting.
const (
	LostConnection = "connection" // it could not be made, or ended
	LostHeartbeat  = "heartbeat"  // nothing was heard for longer than a heartbeat may take
	LostGap        = "gap"        // the server left events out
	LostDuplicate  = "duplicate"  // the server sent an event again
	LostSlow       = "slow"       // frames were taken too slowly
)

// Frame is what a server says on a socket. Which members are set depends on Op:
//
//	snapshot      Market, Seq, Cursor, State
//	subscribed    Market, Seq, Cursor
//	event         Market, Seq, Prev, Cursor, At, Kind, Prices; Trade for trades, Status for changes of it
//	quote         Market, Seq, Prices
//	heartbeat     At, Heads, Source
//	error         Code, Message, Market if it is about one
//	reconnecting  Code, Message, Market if it is about one
//	state         Code, At: when all was last known to be delivered, by this clock; zero if never
type Frame struct {
	Op string `json:"op"`
	Event
	State   *Market          `json:"state"`
	Heads   map[string]int64 `json:"heads"`  // the seq of each subscribed market's last event
	Source  string           `json:"source"` // live, catching_up, lost: the node's tape reader
	Code    string           `json:"code"`
	Message string           `json:"message"`

	Received time.Time `json:"-"` // when the message that it came in had arrived
	Raw      []byte    `json:"-"` // as it came; nil for what the client itself has made
}
