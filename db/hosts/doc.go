// Package hosts decides to which of the servers of a database URL a connection is made, and which
// servers are refused.
//
// A URL may name several servers, or one name or proxy behind which the server changes. Any of them
// may be hung, a standby, or a primary of before that has come back. So:
//
//   - each server has a time limit of its own (2 s, or connect_timeout), and all are asked at once:
//     one that hangs holds up nobody (find.go);
//   - a server in recovery is refused, whatever the URL says, unless it says so itself:
//     target_session_attrs=any, or another of libpq's words (fit.go);
//   - a server on an older timeline than the one in use is refused: each promotion begins a new one,
//     so that is a primary of before (timeline.go);
//   - a server that has answered last is asked alone, until it fails (servers.go);
//   - passwords and certificates are read again for each connection, so that rotated ones hold
//     without a restart (servers.go);
//   - connections to a peer that is gone end by themselves (socket.go).
package hosts
