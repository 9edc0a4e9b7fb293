package bench

import (
	"sync"
	"time"

	"github.com/pgtape/pgtape/client"
)

// storm is all sockets being cut at once, and what then happens until the last one is live again.
type storm struct {
	mu      sync.Mutex
	began   time.Time // zero: not yet
	waiting int       // sockets that are not live again
	report  StormReport
	took    latencies
}

// StormReport is what became of the sockets that were cut.
type StormReport struct {
	Sockets   int     `json:"sockets"`
	LiveAgain Latency `json:"live_again"` // from the cut to when a socket had heard of all its markets
	// How subscriptions went on, each market of each socket: with the events they had missed, with
	// nothing as there was nothing to miss, or with a snapshot.
	Replayed  int `json:"replayed"`
	Current   int `json:"current"`
	Snapshots int `json:"snapshots"`
	NotLive   int `json:"not_live"` // sockets that were not live again when the run ended
}

// begin cuts all sockets.
func (s *storm) begin(all []*listener) {
	s.mu.Lock()
	s.began, s.waiting, s.report.Sockets = time.Now(), len(all), len(all)
	s.mu.Unlock()
	for _, l := range all {
		l.cut()
	}
}

// heard notes what a socket's subscription goes on with.
func (s *storm) heard(l *listener, op string, received time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() { // all joined before it: what comes first on a connection now is of a new one
		return
	}
	switch op {
	case client.OpSnapshot:
		s.report.Snapshots++
	case client.OpSubscribed:
		s.report.Current++
	default:
		s.report.Replayed++
	}
	if l.waiting == 0 && !l.live {
		l.live = true
		s.took.record(received.Sub(s.began))
		s.waiting--
	}
}

// cutOff says whether the storm came over a connection that was begun at that time.
func (s *storm) cutOff(connected time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return connected.Before(s.began)
}

func (s *storm) result() *StormReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() {
		return nil
	}
	report := s.report
	report.LiveAgain, report.NotLive = s.took.latency(), s.waiting
	return &report
}
