package audit

import (
	"maps"
	"slices"
)

// Book is what a tape comes to.
type Book struct {
	stats    Stats
	house    *house
	markets  map[string]*market
	balances map[string]total // of persons, by handle, and of the house
	found    []Finding
}

// assemble adds up what the workers have replayed.
func assemble(workers []*worker) *Book {
	b := &Book{house: newHouse(), markets: map[string]*market{}, balances: map[string]total{}}
	for _, w := range workers {
		if w.house != nil {
			b.house = w.house
		}
		maps.Copy(b.markets, w.markets)
	}
	b.stats.Markets = len(b.markets)
	b.found = b.house.found.all()
	for handle, a := range b.house.accounts {
		b.balances[handle] = a.granted
	}
	b.balances[houseStream] = b.house.issued.negated()
	for _, slug := range slices.Sorted(maps.Keys(b.markets)) {
		b.include(b.markets[slug])
	}
	b.checkTimelines()
	return b
}

// include adds a market's findings, and its credits to the balances.
func (b *Book) include(m *market) {
	if m.maker != nil {
		b.stats.Fallbacks += m.maker.Fallbacks()
	}
	b.balances[houseStream] = b.balances[houseStream].plus(m.house)
	for _, handle := range slices.Sorted(maps.Keys(m.holders)) {
		if b.house.accounts[handle] == nil {
			m.found.add(knownAccounts, "market "+m.slug, "%.40q, whom the house's tape does not know", handle)
		}
		b.balances[handle] = b.balances[handle].plus(m.holders[handle].net)
	}
	b.found = append(b.found, m.found.all()...)
}

func (b *Book) report(invariant, subject, problem string) {
	b.found = append(b.found, Finding{invariant, subject, problem})
}

// Findings are what is wrong with the tape in itself.
func (b *Book) Findings() []Finding { return b.found }

// Stats tell what the replay did.
func (b *Book) Stats() Stats { return b.stats }

// Heads are the last events of all streams.
func (b *Book) Heads() Heads {
	heads := Heads{}
	if b.house.chain.seq > 0 {
		heads[houseStream] = b.house.chain.head()
	}
	for slug, m := range b.markets {
		heads[slug] = m.chain.head()
	}
	return heads
}
