package bench

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgtape/pgtape/client"
)

// Options of a run. URL is required.
type Options struct {
	Scenario string // for the report
	URL      string
	Clients  int           // who trade, each on its own connection and account; 0: 16; negative: none
	Markets  int           // that they trade on; 0: 4
	Sockets  int           // that listen; 0: 16; negative: none
	Stalled  int           // of the sockets, that stop reading once they have joined; what the others hear is measured
	OneEach  bool          // a socket listens to one market instead of all
	Mode     string        // of the sockets: client.Tape, the default, or client.Latest
	Duration time.Duration // of trading; 0: 10 s
	Rate     float64       // orders per second of all clients together; 0: as fast as they are answered
	OneByOne bool          // a client trades again when the first socket has heard of its trade
	Storm    bool          // all sockets are cut at once, after a third of the duration
	Readers  int           // who get the markets' states, each on its own connection
	ReadRate float64       // gets per second of all readers together; 0: as fast as they are answered
	// SlippageBps makes each order bound to the price that its client saw last, with this much
	// tolerance, so that orders are refused as stale under contention. 0: bounds that always hold.
	SlippageBps int
	Processes   Processes // whose cost is told
	Progress    io.Writer // a line each second; nil: none
}

// scenarios are runs by name.
var scenarios = map[string]Options{
	"mixed": {},
	"hot":   {Clients: 64, Markets: 1, Sockets: 1},
	"wide":  {Clients: 64, Markets: 100, Sockets: 16, OneEach: true},
	"crowd": {Clients: 16, Markets: 1, Sockets: 1000, Rate: 100},
	"lone":  {Clients: 1, Markets: 1, Sockets: 1, OneByOne: true},
	"storm": {Clients: 4, Markets: 1, Sockets: 1000, Rate: 50, Storm: true},
	"reads": {Clients: -1, Markets: 1, Sockets: -1, Readers: 16},
}

// Scenarios are the names that ScenarioOf knows.
func Scenarios() []string { return slices.Sorted(maps.Keys(scenarios)) }

// ScenarioOf gives the options of a scenario: mixed, many clients on a few markets; hot, one market
// that all trade on; wide, a hundred; crowd, a thousand sockets that hear every trade; lone, one
// trade at a time, the next when a socket has heard of it; storm, a thousand sockets that all come
// back at once; reads, of a market's state.
func ScenarioOf(name string) (Options, error) {
	o, ok := scenarios[name]
	if !ok {
		return Options{}, fmt.Errorf("scenario %q: want one of %s", name, strings.Join(Scenarios(), ", "))
	}
	o.Scenario = name
	return o, nil
}

func (o Options) withDefaults() (Options, error) {
	o.Clients = max(cmp.Or(o.Clients, 16), 0)
	o.Markets = cmp.Or(o.Markets, 4)
	o.Sockets = max(cmp.Or(o.Sockets, 16), 0)
	o.Duration = cmp.Or(o.Duration, 10*time.Second)
	o.Mode = cmp.Or(o.Mode, client.Tape)
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	switch {
	case o.Markets < 0 || o.Duration < 0 || o.Readers < 0:
		return o, errors.New("markets, readers and duration must be positive")
	case !(o.Rate >= 0 && o.Rate < 1e6) || !(o.ReadRate >= 0 && o.ReadRate < 1e6):
		return o, errors.New("rate must be from 0 to a million per second")
	case o.Stalled < 0 || o.Stalled > o.Sockets:
		return o, errors.New("stalled must be from 0 to the number of sockets")
	case o.Mode != client.Tape && o.Mode != client.Latest:
		return o, fmt.Errorf("mode %q: want %s or %s", o.Mode, client.Tape, client.Latest)
	case o.SlippageBps < 0 || o.SlippageBps > 10000:
		return o, errors.New("slippage must be from 0 to 10000 basis points")
	}
	return o, nil
}
