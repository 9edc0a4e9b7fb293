// Package edge is a server's link to another one, its origin, which stands beside the database. With
// it a server near its users needs no database: it forwards requests, never queries, and has its
// tape from the origin.
//
//	who asks    ── Forward ─────────────────── link ── HTTP/2, kept warm ──► origin
//	state       ── MarketState, TapeAfter ──────┘
//	state, hub  ◄── Sink ◄── Run ◄── one WebSocket, all markets followed ◄── origin
//
// # One stream
//
// Follow begins a market: its state is read, and the socket is told to go on behind that state's
// cursor. From then on the market's events are delivered to the Sink, each once and in order, as
// the tape reader beside a database would deliver them, whatever becomes of the socket: a new one
// goes on behind the last event. Where the origin sends a snapshot instead (its history is another,
// or the gap too wide) the Sink is told by Reset. A market that nobody has wanted for a while is
// given up, and the Sink told by a Reset to nothing.
//
// The Sink hears that the tape is live when the origin says so and its heartbeat names every market
// that was followed before the socket was made: then nothing of what was missed is still to come.
//
// # What is trusted
//
// The origin, and nobody else. Requests go to its address only. It has the last word on who may do
// what; an edge has no rights of its own, so what is taken over with it is what its users send.
package edge
