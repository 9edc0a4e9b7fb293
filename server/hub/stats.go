package hub

import "sync/atomic"

// Stats are a hub's numbers since it was made; the first three are those of the moment.
type Stats struct {
	Clients       int64
	Subscriptions int64
	Joins         int64 // subscriptions that read from History, or wait to
	Frames        int64 // written
	Events        int64 // in those frames, quotes included, snapshots and heartbeats not
	Snapshots     int64 // read from History for a subscriber
	SlowCloses    int64 // connections closed with CloseTooSlow
	Gaps          int64 // holes that Publish was handed; should be 0
}

type counters struct {
	clients, subscriptions, joins               atomic.Int64
	frames, events, snapshots, slowCloses, gaps atomic.Int64
}

// Stats returns the numbers, each read by itself.
func (h *Hub) Stats() Stats {
	return Stats{
		Clients:       h.counts.clients.Load(),
		Subscriptions: h.counts.subscriptions.Load(),
		Joins:         h.counts.joins.Load(),
		Frames:        h.counts.frames.Load(),
		Events:        h.counts.events.Load(),
		Snapshots:     h.counts.snapshots.Load(),
		SlowCloses:    h.counts.slowCloses.Load(),
		Gaps:          h.counts.gaps.Load(),
	}
}
