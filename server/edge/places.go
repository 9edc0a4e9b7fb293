package edge

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pgtape/pgtape/db"
)

// perFree is how many places one client may have for each that is free: with 3, somebody alone gets three
// quarters of all, two get three sevenths each, and one is left for whoever comes next.
const perFree = 3

// NoPlace is why a market is not followed that could be: its client has its share, or all are taken.
type NoPlace struct{ refusal *db.Error }

func (n *NoPlace) Error() string { return n.refusal.Message }
func (n *NoPlace) Unwrap() error { return n.refusal }

func full() error {
	return &NoPlace{&db.Error{
		Code: db.Unavailable, Message: "this server follows as many markets as it may",
		Hint: "raise --max-markets here, and --max-subscriptions of its origin",
	}}
}

func overShare(own int) error {
	return &NoPlace{&db.Error{
		Code: db.TooManyRequests, Message: fmt.Sprintf("your share of the markets that this server can follow is used up: %d are watched from your address", own),
		Hint: "watch fewer at a time; to read a market by HTTP works",
	}}
}

// errNoneFree: the client may have a place, once there is one.
var errNoneFree = errors.New("no place is free")

// place gives places to the markets that are wanted, now that they are known to exist. Those that nobody
// watches make room, the one that was wanted longest ago first. What gets no place is dropped.
func (s *socket) place() error {
	for _, slug := range s.placeless() {
		err := s.grant(slug, nil)
		if err == nil {
			continue
		}
		unwatched := s.unwatched()
		if err = s.grant(slug, unwatched); errors.Is(err, errNoneFree) {
			if !s.messages.Allow() {
				return nil // ask comes back to it
			}
			if err := s.unfollow(unwatched[0]); err != nil {
				return err
			}
			err = s.grant(slug, unwatched[1:])
		}
		if err != nil {
			s.giveUp(slug, err)
		}
	}
	return nil
}

// placeless are the markets that are known to exist and have no place yet.
func (s *socket) placeless() (slugs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for slug, m := range s.markets {
		if !m.placed && m.head.Seq > 0 {
			slugs = append(slugs, slug)
		}
	}
	return slugs
}

// unwatched are the markets that are followed and that nobody watches, the longest unwanted first.
func (s *socket) unwatched() []string {
	s.mu.Lock()
	wanted := make(map[string]time.Time, len(s.markets))
	slugs := make([]string, 0, len(s.markets))
	for slug, m := range s.markets {
		if m.followed {
			wanted[slug] = m.wanted
			slugs = append(slugs, slug)
		}
	}
	s.mu.Unlock()
	slugs = slices.DeleteFunc(slugs, s.watched)
	slices.SortFunc(slugs, func(a, b string) int { return wanted[a].Compare(wanted[b]) })
	return slugs
}

// grant gives a market a place, if its client has a right to one and one is free. Those that are unwatched
// are nobody's, and as good as free.
// Errors: errNoneFree, NoPlace.
func (s *socket) grant(slug string, unwatched []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.markets[slug]
	if m == nil || m.placed {
		return nil
	}
	own := 0
	for _, other := range s.markets {
		if other.placed && other.of == m.of {
			own++
		}
	}
	for _, quiet := range unwatched {
		if other := s.markets[quiet]; other != nil && other.of == m.of {
			own--
		}
	}
	free := s.most - s.places + len(unwatched)
	switch {
	case own < perFree*free && s.places < s.most:
		m.placed = true
		s.places++
		return nil
	case own < perFree*free:
		return errNoneFree
	case own == 0:
		return full()
	}
	return overShare(own)
}
