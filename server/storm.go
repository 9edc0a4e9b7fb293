package server

import (
	"sync"
	"time"
)

const (
	stormSize = 1000
	stormCalm = time.Second
)

// storm notices when very many have come, and now nobody does: then what their coming has cost in
// memory is garbage, which the collector, left alone, would keep until the heap has doubled.
type storm struct {
	over func()

	mu   sync.Mutex
	came int // since the last time
	calm *time.Timer
}

// arrive notes that somebody has come.
func (s *storm) arrive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.came++; s.came < stormSize {
		return
	}
	if s.calm == nil {
		s.calm = time.AfterFunc(stormCalm, s.end)
		return
	}
	s.calm.Reset(stormCalm)
}

func (s *storm) end() {
	s.mu.Lock()
	s.came = 0
	s.mu.Unlock()
	s.over()
}
