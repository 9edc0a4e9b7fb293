// Package client speaks to a pgtape server: HTTP calls, and subscriptions that resume.
//
//	c := client.New("http://127.0.0.1:8080")
//	_, err := c.SignIn(ctx, "ana")
//	quote, err := c.Quote(ctx, "rain", client.Question{Outcome: "yes", Side: "buy", Shares: "10"})
//	receipt, err := c.Trade(ctx, "rain", quote.Order(50), client.NewKey())
//	err = c.Watch(ctx, []client.Subscription{{Market: "rain"}}, func(f client.Frame) { … })
//
// Numbers are text, as on the wire: credits and shares with 6 decimals, prices with 12. A float
// cannot hold them all.
//
// What a server refuses is an *Error with a code. After any other error of Trade nobody knows
// whether the trade was made: send it again with the same key, and it is made once.
//
// # What Watch promises
//
// Of a market in mode Tape: a snapshot at S (or, with After, nothing), then every event behind it,
// in order, once each, whatever becomes of the connections. When the server cannot go on from
// where the client is, because the gap is too wide for it or its history is another now (a
// restored database), another snapshot is delivered, and events go on from there: who keeps a
// state of his own replaces it by the snapshot's. In mode Latest: a snapshot, then the newest
// prices, which skip versions and never go back within a history.
//
// To go on after a restart of the program, keep the Cursor of the last frame that had one, and
// give it as After.
//
// OpState frames say how much that is worth at the moment. Live: all that is committed has been
// delivered, to within a heartbeat (1 s). CatchingUp: there is a connection, but more to come.
// Stale: nothing is heard, for longer than 2.5 s or since the connection broke, or the server has
// no database; the age is that of the frame's At, and goes on growing until the next OpState.
//
// It goes on by a socket, or where sockets do not get through, by reading the tape over HTTP about
// once a second; then Source is "live" in its heartbeats, since what is read is the table itself.
package client
