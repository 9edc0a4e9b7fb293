package state

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

const (
	keepFor  = time.Minute // an entry that nobody asks for
	keepMost = 4096        // entries

	sweepEvery = 10 * time.Second
)

// Read reads a market and its holders from the database.
type Read func(ctx context.Context, slug string) (db.MarketState, error)

// Tail reads the events of a market behind a cursor, at most limit.
type Tail func(ctx context.Context, slug, after string, limit int) ([]tape.Event, error)

// Markets is safe for concurrent use, but Publish, Reset and SetState come from one goroutine.
//
// Locks are taken in the order Markets.mu, market.mu, Markets.keptMu; none is held while reading.
type Markets struct {
	read  Read
	tail  Tail
	pasts atomic.Int32 // that are remembered

	mu      sync.RWMutex
	markets map[string]*market // that the tape has brought, or somebody asks for

	keptMu sync.Mutex
	live   bool
	kept   map[*market]struct{} // who has an entry
	swept  time.Time
}

// market is what is known of one. Most are quiet: what a read needs is apart.
type market struct {
	slug string

	mu     sync.Mutex
	dead   bool // no longer in Markets: look it up again
	head   point
	epoch  int32 // counts the resets
	askers int32 // calls that wait for a read
	entry  *entry
	reads  *reads // nil: none under way

	filling bool // its past is being read
}

// New keeps markets that read finds, and tail their past. It is not live until SetState says so.
func New(read Read, tail Tail) *Markets {
	return &Markets{read: read, tail: tail, markets: make(map[string]*market), kept: make(map[*market]struct{})}
}

// Publish takes the next event of a market.
func (s *Markets) Publish(e tape.Event) {
	m := s.locked(e.Market)
	defer m.mu.Unlock()
	m.head = pointOf(e)
	m.reads.arrived(e)
	if m.entry == nil {
		return
	}
	if now := time.Now(); now.Sub(m.entry.asked) > keepFor || !m.entry.take(e) {
		s.drop(m)
	}
}

// Reset says where the tape of a market stands now, without the events between.
func (s *Markets) Reset(slug string, head tape.Head) {
	m := s.locked(slug)
	m.head = pointAt(head)
	m.epoch++
	s.drop(m)
	m.mu.Unlock()
	s.forget(m)
}

// SetState says whether the tape is live. What is not is not remembered: an entry may be ahead of
// the tape, of events that a failover then takes back.
func (s *Markets) SetState(state tape.State) {
	s.keptMu.Lock()
	s.live = state == tape.Live
	var all []*market
	if !s.live {
		for m := range s.kept {
			all = append(all, m)
		}
	}
	s.keptMu.Unlock()
	for _, m := range all {
		m.mu.Lock()
		s.drop(m)
		m.mu.Unlock()
	}
}

// Remembers says whether the past of a market is in memory: then History asks nobody.
func (s *Markets) Remembers(slug string) bool {
	s.mu.RLock()
	m := s.markets[slug]
	s.mu.RUnlock()
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.entry != nil && m.entry.past != nil
}

// peek returns a market from memory, as of the last event that the tape has brought or later; nil
// if it is not there. Called with m.mu held.
func (s *Markets) peek(m *market) *View {
	if m.entry == nil {
		return nil
	}
	view := m.entry.view()
	if view == nil {
		s.drop(m)
	}
	return view
}

// keep makes what was read an entry, if it may be. Called with m.mu held.
func (s *Markets) keep(m *market, e *entry) {
	s.keptMu.Lock()
	defer s.keptMu.Unlock()
	if s.live {
		m.entry = e
		s.kept[m] = struct{}{}
	}
}

// drop forgets an entry. Called with m.mu held.
func (s *Markets) drop(m *market) {
	if m.entry == nil {
		return
	}
	if m.entry.past != nil {
		s.pasts.Add(-1)
	}
	m.entry = nil
	s.keptMu.Lock()
	delete(s.kept, m)
	s.keptMu.Unlock()
}

// sweep drops entries that nobody has asked for lately, and if there are too many, any. There are
// no more of them without a read, so the reads see to it.
func (s *Markets) sweep(now time.Time) {
	s.keptMu.Lock()
	over := len(s.kept) - keepMost
	if over < 0 && now.Sub(s.swept) < sweepEvery {
		s.keptMu.Unlock()
		return
	}
	s.swept = now
	all := make([]*market, 0, len(s.kept))
	for m := range s.kept {
		all = append(all, m)
	}
	s.keptMu.Unlock()
	for _, m := range all {
		m.mu.Lock()
		if m.entry != nil && (over >= 0 || now.Sub(m.entry.asked) > keepFor) {
			s.drop(m)
			over--
		}
		m.mu.Unlock()
	}
}

// locked returns a market with its lock held, making one if there is none.
func (s *Markets) locked(slug string) *market {
	for {
		s.mu.RLock()
		m := s.markets[slug]
		s.mu.RUnlock()
		if m == nil {
			s.mu.Lock()
			if m = s.markets[slug]; m == nil {
				m = &market{slug: slug}
				s.markets[slug] = m
			}
			s.mu.Unlock()
		}
		m.mu.Lock()
		if !m.dead {
			return m
		}
		m.mu.Unlock()
	}
}

// forget drops a market that was asked for and the tape has never brought.
func (s *Markets) forget(m *market) {
	m.mu.Lock()
	unused := m.unused()
	m.mu.Unlock()
	if !unused {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dead && m.unused() {
		m.dead = true
		delete(s.markets, m.slug)
	}
}

// unused is called with m.mu held.
func (m *market) unused() bool { return m.head == point{} && m.entry == nil && m.askers == 0 }
