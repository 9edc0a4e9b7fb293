// Package hub carries committed events from the tape reader to everyone who watches a market.
//
//	tape reader ── Publish(event) ──► topic ── wakes who waits ──► client ── one write ──► Conn
//	                                  │ head: seq, cursor          │ queue: whose turn     │
//	                                  │ ring: newest events        │                       │
//	                                  │   ▲ position of            ◄──────── Sent() ───────┘
//	                                  │   │ each subscriber
//	History (the table) ── join ──────┴───┘
//
// A topic is one market. It keeps the market's head and, while somebody follows the tape, a ring
// of its newest events as the bytes that go out. A subscription is a position in that ring and
// nothing else: what a client has not been sent yet is the part of the ring behind its position,
// so a backlog costs no memory, and every client at the same place is written the same bytes.
//
// What goes out are whole WebSocket messages, each of one JSON object; a write has one or several of
// them. A client has at most one write in flight. An event for a client that has none is written from
// within Publish, without a timer; what gathers during a flight goes out in one write when it has ended.
// More than a few subscribers of a market are a crowd, which workers write to, turn after turn: the
// first event after a quiet moment at once, those that come during a turn joined in the next. Turns
// of who watches quotes have a rest behind them, the longer the more they took, so that watching
// does not keep others from trading.
//
// A tape subscriber who is overtaken by the end of the ring loses its connection (4001), never
// single events, and nobody else notices. A quote subscriber is sent the newest quote whenever
// it can take one.
//
// A join brings a new subscriber to a position inside the ring: at once if its cursor is there,
// else by pages or a snapshot from History, read by a goroutine of the hub while trading goes on.
// The table may be ahead of the head (a commit is visible before the stream delivers it): what
// the stream then brings again is skipped by its seq. It may also be behind (a commit can reach
// the stream before other sessions see it): the ring covers the difference, or the join reads
// again a little later. A join whose position has another hash in the ring than in the table has
// met a database that went back to another history, and waits for the Reset that says so. After a
// Reset everybody joins again with the cursor of what he has been sent: who is of the history goes
// on, the others start from a snapshot.
//
// Reads of History are done by turns among clients (fairqueue), of whom each may have many connections:
// what one of them subscribes to does not hold up another. Of one client so many may wait and no more;
// beyond that a subscription is refused (too_many_requests).
//
// What cannot be read is not invented: while History fails, the join tries again with growing
// pauses, heartbeats leave the market out and say what the reader's state is. Only if History
// keeps failing although the reader is live does the client get an error frame of code
// "internal", and the subscription ends.
//
// Locks are taken in the order hub, topic, client. None is held while Conn or History is called,
// so Conn.Write may call Client.Sent before it returns.
//
//   - Hub.mu guards which topics and clients there are.
//   - topic.mu guards the head, the ring and each subscriber's position.
//   - Client.mu guards the client's queue and what waits in it.
//   - Hub.waitingMu guards how many of each client wait to be read; it is taken last.
//   - fanOut.mu guards whose turn it is; none of the others is held with it.
package hub
