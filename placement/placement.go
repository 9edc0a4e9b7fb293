// Package placement says where the code of a request should run: at an edge near its user, near the
// database, or near the database behind an edge that forwards it. It measures the ways there are, and
// knows what the product's own requests ask for.
package placement

import (
	"cmp"
	"slices"
)

// Ways are round trips, in milliseconds.
type Ways struct {
	UserEdge     float64 `json:"user_edge_ms"`     // a
	EdgeDatabase float64 `json:"edge_database_ms"` // b
	UserDatabase float64 `json:"user_database_ms"` // c: to a server beside the database
	Local        float64 `json:"local_ms"`         // e: from that server to the database
}

// Place is where the code of a request runs, and who asks the database.
type Place string

// The places, with what a request takes there: s are the user's round trips, those that make the
// connection too; q are the queries that wait for each other.
const (
	AtEdge   Place = "queries at the edge"    // s·a + q·b
	Near     Place = "all near the database"  // s·c + q·e
	Forwards Place = "edge forwards requests" // s·a + b + q·e
)

// Places are all of them, Formulas what a request takes there.
var (
	Places   = []Place{AtEdge, Near, Forwards}
	Formulas = map[Place]string{AtEdge: "s·a + q·b", Near: "s·c + q·e", Forwards: "s·a + b + q·e"}
)

// Time is how long a request takes, in milliseconds.
func (w Ways) Time(place Place, userTrips, queries int) float64 {
	s, q := float64(userTrips), float64(queries)
	switch place {
	case AtEdge:
		return s*w.UserEdge + q*w.EdgeDatabase
	case Near:
		return s*w.UserDatabase + q*w.Local
	case Forwards:
		return s*w.UserEdge + w.EdgeDatabase + q*w.Local
	}
	return 0
}

// Verdict is where a request is fastest.
type Verdict struct {
	Request string            `json:"request"`
	User    string            `json:"user"` // warm or new
	Trips   int               `json:"user_trips"`
	Queries int               `json:"queries"`
	Times   map[Place]float64 `json:"times_ms"`
	Fastest Place             `json:"fastest"`
	Tie     bool              `json:"tie"` // the next is within 5 %

	// BreakEven is the number of queries from which on asking from the edge is no longer the fastest.
	// Nil: more queries change nothing, since the edge is as near to the database as anything.
	BreakEven *float64 `json:"break_even_queries"`
}

const tie = 1.05

// Judge compares the places for a request.
func (w Ways) Judge(userTrips, queries int) Verdict {
	v := Verdict{Trips: userTrips, Queries: queries, Times: make(map[Place]float64, len(Places)), BreakEven: w.breakEven(userTrips)}
	for _, p := range Places {
		v.Times[p] = w.Time(p, userTrips, queries)
	}
	order := slices.SortedStableFunc(slices.Values(Places), func(a, b Place) int { return cmp.Compare(v.Times[a], v.Times[b]) })
	v.Fastest, v.Tie = order[0], v.Times[order[1]] <= tie*v.Times[order[0]]
	return v
}

// breakEven solves s·a + q·b = s·c + q·e and s·a + q·b = s·a + b + q·e for q, and takes the lower.
func (w Ways) breakEven(userTrips int) *float64 {
	gain := w.EdgeDatabase - w.Local
	if gain <= 0 {
		return nil
	}
	near := float64(userTrips) * (w.UserDatabase - w.UserEdge) / gain
	q := max(0, min(near, w.EdgeDatabase/gain))
	return &q
}

// Request is something that the product does for a user.
type Request struct {
	Name       string
	Queries    int // of a user whose session the server has seen within 10 s
	NewQueries int // of one it has not
	Trips      int // the user's, on a connection that stands
	NewTrips   int // besides those that make the connection
}

// Requests are the product's own. The queries are counted on the wire by a test (package server). A
// page's scripts and styles come in one more round trip for who has none of them yet.
var Requests = []Request{
	{"page of a market", 2, 2, 1, 2},
	{"quote", 0, 0, 1, 1},
	{"trade", 1, 2, 1, 1},
	{"history", 0, 0, 1, 1},
	{"portfolio", 1, 2, 1, 1},
}

// Report says of each request where it is fastest, for a user with a connection and one without.
type Report struct {
	Ways
	SetupTrips int       `json:"setup_trips"` // that make a user's connection: TCP, TLS
	Verdicts   []Verdict `json:"verdicts"`
}

// Compare judges all of the product's requests.
func Compare(w Ways, setupTrips int) *Report {
	r := &Report{Ways: w, SetupTrips: setupTrips}
	for _, request := range Requests {
		warm, fresh := w.Judge(request.Trips, request.Queries), w.Judge(setupTrips+request.NewTrips, request.NewQueries)
		warm.Request, warm.User = request.Name, "warm"
		fresh.Request, fresh.User = request.Name, "new"
		r.Verdicts = append(r.Verdicts, warm, fresh)
	}
	return r
}
