package state

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pgtape/pgtape/db"
)

const (
	// Of one market's past, in numbers of 8 bytes: tens of thousands of events of a few outcomes. A
	// longer one is the database's to thin.
	maxNumbers = 200_000
	maxPasts   = 64 // markets

	pastPage = 5000 // events of one read
)

// past is when each event of a market was, and the prices after it; the first is the event of seq 1.
// What is there never changes, so a copy is a past too.
type past struct {
	at     []int64 // in microseconds since 1970
	prices []int64 // in pico-units, for each event one of each outcome
}

// add adds the next event; false if its prices cannot be read, or there are too many.
func (p *past) add(at time.Time, prices []db.Decimal) bool {
	if (len(p.at)+1)*(1+len(prices)) > maxNumbers {
		return false
	}
	for _, text := range prices {
		n, ok := units(string(text), priceDecimals)
		if !ok {
			return false
		}
		p.prices = append(p.prices, n)
	}
	p.at = append(p.at, at.UnixMicro())
	return true
}

// cut is the past of so many events.
func (p *past) cut(events, outcomes int) *past {
	return &past{at: p.at[:events:events], prices: p.prices[: events*outcomes : events*outcomes]}
}

// thinned is what pgtape.history returns of it.
func (p *past) thinned(since, until int64, points int) []int {
	first := 0 // the last event up to since, whose prices held then
	for i, at := range p.at {
		if at < since {
			first = i
		}
	}
	last := map[int64]int{} // event of a span
	for i := first; i < len(p.at); i++ {
		span := int64(-1)
		if at := p.at[i]; at > until {
			continue
		} else if at > since {
			span = int64(points) * (at - since) / max(until-since, 1)
		}
		last[span] = i
	}
	events := make([]int, 0, len(last))
	for _, span := range slices.Sorted(maps.Keys(last)) {
		events = append(events, last[span])
	}
	return events
}

// History gives the prices of a market that somebody has just got over time, as the database would,
// thinned to about so many points; ok is false if they are not remembered: then the database has to
// be asked. Nil since and until are the market's whole life.
func (s *Markets) History(ctx context.Context, m *db.Market, since, until *time.Time, points int) (list []db.Point, ok bool) {
	p := s.pastOf(ctx, m.Slug)
	if p == nil {
		return nil, false
	}
	from, to := m.CreatedAt.UnixMicro(), time.Now().UnixMicro()
	if since != nil {
		from = max(from, since.UnixMicro())
	}
	if until != nil {
		to = until.UnixMicro()
	}
	n := len(m.Outcomes)
	list = []db.Point{}
	for _, i := range p.thinned(from, to, points) {
		point := db.Point{At: time.UnixMicro(p.at[i]).In(m.CreatedAt.Location()), Seq: int64(i) + 1}
		for _, price := range p.prices[i*n : (i+1)*n] {
			point.Prices = append(point.Prices, fixed(price, priceDecimals))
		}
		list = append(list, point)
	}
	return list, true
}

// pastOf returns the past up to what the tape has brought, reading it if nobody else does; nil if it
// is not to be had.
func (s *Markets) pastOf(ctx context.Context, slug string) *past {
	m := s.locked(slug)
	defer s.forget(m)
	defer m.mu.Unlock()
	if s.peek(m) == nil || m.filling {
		return nil
	}
	n := len(m.entry.market.Outcomes)
	if m.entry.past == nil {
		if (m.entry.tip.seq+1)*int64(1+n) > maxNumbers || !s.admit() {
			return nil
		}
		m.filling = true
		p := s.readPast(ctx, m)
		m.filling = false
		if p == nil {
			s.pasts.Add(-1)
			return nil
		}
		m.entry.past = p
	}
	if m.entry.past.at == nil { // it has become too long
		return nil
	}
	return m.entry.past.cut(len(m.entry.past.at), n)
}

// readPast reads the events of a market until it has those of its entry; nil if the table is behind
// it, or of another history. Called with m.mu held, which it lets go of while it reads.
func (s *Markets) readPast(ctx context.Context, m *market) *past {
	p, cursor, outcomes := &past{}, "", m.entry.market.Outcomes
	for {
		m.mu.Unlock()
		events, err := s.tail(ctx, m.slug, cursor, pastPage)
		ok := err == nil && len(events) > 0
		for i := 0; ok && i < len(events); i++ {
			var b body
			b, ok = readBody(events[i].Kind, events[i].Body, outcomes)
			ok = ok && p.add(events[i].At, b.Prices.Numbers)
		}
		m.mu.Lock()
		if !ok || s.peek(m) == nil {
			return nil
		}
		tip := m.entry.tip
		if at := tip.seq - events[0].Seq; at < int64(len(events)) {
			if at < 0 || pointOf(events[at]) != tip {
				return nil
			}
			return p.cut(int(tip.seq), len(outcomes))
		}
		cursor = events[len(events)-1].Head().String()
	}
}

// admit counts one more past, if there may be.
func (s *Markets) admit() bool {
	if s.pasts.Add(1) > maxPasts {
		s.pasts.Add(-1)
		return false
	}
	return true
}
