package audit

import (
	"fmt"
	"slices"
	"strings"
)

// most is how many findings of one invariant in one stream are listed; more are counted. One wrong
// number early in a market can make every later price wrong.
const most = 20

// findings gathers what is wrong with one stream of events.
type findings struct {
	stream string
	list   []Finding
	counts map[string]int
}

// at reports an event.
func (f *findings) at(e Event, invariant, problem string, args ...any) {
	f.add(invariant, fmt.Sprintf("market %s, seq %d", e.Market, e.Seq), problem, args...)
}

func (f *findings) add(invariant, subject, problem string, args ...any) {
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[invariant]++
	if f.counts[invariant] <= most {
		f.list = append(f.list, Finding{invariant, subject, fmt.Sprintf(problem, args...)})
	}
}

// all lists the findings, and for each invariant how many more there are.
func (f *findings) all() []Finding {
	list := slices.Clone(f.list)
	for invariant, n := range f.counts {
		if n > most {
			list = append(list, Finding{invariant, "market " + f.stream, fmt.Sprintf("and %d more", n-most)})
		}
	}
	slices.SortStableFunc(list, func(a, b Finding) int { return strings.Compare(a.Invariant, b.Invariant) })
	return list
}
