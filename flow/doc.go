// Package flow makes order flow: it plays recorded trades back, and its bots trade on their own.
//
// A recording (recording.go, read.go) says who moved which market by how much, and when. The plan
// (plan.go) turns that into orders: a trader who held the other outcome sold it. The player
// (player.go) carries them out through the function that all trades go through, so that a replay
// is real order flow; outcome.go resolves the markets by what happened and scores their last
// prices. Bots (bots.go, personas.go) keep the markets of the demo (demo.go) alive.
//
// The folder replication holds a recording of 40 real markets, embedded.
package flow
