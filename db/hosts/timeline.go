package hosts

import (
	"errors"
	"fmt"
	"time"
)

// ErrOld is wrapped by what is said of a server whose timeline is older than the one in use.
var ErrOld = errors.New("a primary of before")

// forgiven is how long a newer timeline must not have been in use for an older one to be taken: the
// newer server may be gone for good, and the database restored from a backup of before.
const forgiven = time.Minute

// Fit tells whether a server on a timeline will do; 0 is unknown, and does.
// Errors: ErrOld.
func (s *Servers) Fit(timeline uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fit(timeline)
}

// fit is Fit with s.mu held.
func (s *Servers) fit(timeline uint32) error {
	if timeline == 0 || timeline >= s.current || time.Since(s.seen) > forgiven {
		return nil
	}
	return fmt.Errorf("%w: its timeline %d is older than %d, which was in use until %v ago",
		ErrOld, timeline, s.current, time.Since(s.seen).Round(time.Second))
}

// Use is Fit for a connection that is made, and notes the timeline as the one in use. When it is a
// new one, a standby has been promoted: then all who asked for it are told.
func (s *Servers) Use(timeline uint32) error {
	s.mu.Lock()
	if err := s.fit(timeline); err != nil {
		s.chosen = ""
		s.mu.Unlock()
		return err
	}
	if timeline == 0 {
		s.mu.Unlock()
		return nil
	}
	promoted := timeline > s.current && s.current != 0
	s.current, s.seen = timeline, time.Now()
	told := s.replaced
	s.mu.Unlock()
	if promoted {
		for _, tell := range told {
			tell(timeline)
		}
	}
	return nil
}

// Alive notes that the server on the timeline in use has just answered.
func (s *Servers) Alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = time.Now()
}

// WhenReplaced calls tell with the new timeline when another server has taken over: what is
// connected to the old one waits in vain.
func (s *Servers) WhenReplaced(tell func(timeline uint32)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replaced = append(s.replaced, tell)
}

// Lost is called when the database was lost. The server is found anew, and who has asked for it is told.
func (s *Servers) Lost() {
	s.mu.Lock()
	s.chosen = ""
	told := s.lost
	s.mu.Unlock()
	for _, tell := range told {
		tell()
	}
}

// WhenLost calls tell each time that the database was lost.
func (s *Servers) WhenLost(tell func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = append(s.lost, tell)
}

// Follow has s hear what other servers hear: that the database was lost, that another server has taken
// over, and whether commits wait. It is for a pool that reaches the same database through a pooler, while
// the tape reader goes past it.
func (s *Servers) Follow(other *Servers) {
	other.WhenLost(s.Lost)
	other.WhenReplaced(s.takeOver)
	other.mu.Lock()
	other.followers = append(other.followers, s)
	other.mu.Unlock()
	s.SetSynchronous(s.Synchronous() || other.Synchronous())
}

// takeOver notes a newer timeline that others have found.
func (s *Servers) takeOver(timeline uint32) {
	s.mu.Lock()
	promoted := timeline > s.current
	if promoted {
		s.chosen, s.current, s.seen = "", timeline, time.Now()
	}
	told := s.replaced
	s.mu.Unlock()
	if promoted {
		for _, tell := range told {
			tell(timeline)
		}
	}
}

// SetSynchronous notes whether the server has commits wait for standbys (synchronous_standby_names).
func (s *Servers) SetSynchronous(on bool) {
	s.synchronous.Store(on)
	s.mu.Lock()
	followers := s.followers
	s.mu.Unlock()
	for _, f := range followers {
		f.SetSynchronous(on)
	}
}

// Synchronous is whether it has, as far as is known.
func (s *Servers) Synchronous() bool { return s.synchronous.Load() }
