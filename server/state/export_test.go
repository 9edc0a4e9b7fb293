package state

import "github.com/pgtape/pgtape/db/tape"

// Head is where the tape of a market stands.
func (s *Markets) Head(slug string) int64 {
	m := s.locked(slug)
	defer m.mu.Unlock()
	return m.head.seq
}

// Forget makes the next who asks read.
func (s *Markets) Forget(slug string) {
	m := s.locked(slug)
	defer m.mu.Unlock()
	s.drop(m)
}

// Sizes are how many markets are known, and kept.
func (s *Markets) Sizes() (known, kept int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.keptMu.Lock()
	defer s.keptMu.Unlock()
	return len(s.markets), len(s.kept)
}

// Waiting is how many wait for a read of a market.
func (s *Markets) Waiting(slug string) int {
	m := s.locked(slug)
	defer m.mu.Unlock()
	return int(m.askers)
}

// SetPasts leaves room for so many pasts.
func (s *Markets) SetPasts(n int32) { s.pasts.Store(maxPasts - n) }

const KeepMost = keepMost

func tapeEvent(kind, body string) tape.Event {
	return tape.Event{Market: "rain", Seq: 1, Kind: kind, Body: body, Hash: make([]byte, 32)}
}
