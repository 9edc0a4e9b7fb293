package server_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/e2e/lag"
	"github.com/pgtape/pgtape/placement"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/servertest"
)

// A trade on the page costs one round trip to the database, whatever becomes of it.
func TestATradeByHTTPIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	world, way := servertest.Far(t, server.Open, 5*time.Millisecond)
	market, closed := world.Market(t), world.Market(t, dbtest.Closed)
	ana := (&site{url: world.URL}).signIn(t, "ana")
	ana.trade(t, market, buyTen) // who she is, is known for the next 10 s
	tests := []struct {
		name, market, order string
		want                db.Code
	}{
		{"accepted", market, buyTen, ""},
		{"accepted again", market, buyTen, ""},
		{"stale", market, `{"outcome":"yes","side":"buy","shares":"10","max_cost":"1"}`, db.StaleQuote},
		{"too dear", market, `{"outcome":"yes","side":"buy","shares":"100000","max_cost":"1000000"}`, db.InsufficientFunds},
		{"closed", closed, buyTen, db.MarketNotOpen},
		{"malformed", market, `{"outcome":"yes","side":"buy","shares":"-1","max_cost":"1"}`, db.InvalidOrder},
	}
	for _, tt := range tests {
		before := way.Count()
		got := ana.post(t, "/api/v1/markets/"+tt.market+"/trades", tt.order, "Idempotency-Key", newKey())
		if got.code() != tt.want {
			t.Fatalf("%s: %s, want code %q", tt.name, got, tt.want)
		}
		if trips := way.Count().Since(before); trips != (lag.Count{Trips: 1}) {
			t.Errorf("%s: %+v, want one round trip", tt.name, trips)
		}
	}
	world.Verify(t)
}

// What pgtape placement reckons with is what the product's requests ask for.
func TestQueriesOfTheProductsRequests(t *testing.T) {
	t.Parallel()
	world, way := servertest.Far(t, server.Open, 2*time.Millisecond)
	s := &site{url: world.URL}
	market := world.Market(t)
	requests := map[string]func(user) answer{
		"page of a market": func(u user) answer { return u.get(t, "/m/"+market) },
		"quote": func(u user) answer {
			return u.get(t, "/api/v1/markets/"+market+"/quote?outcome=yes&side=buy&shares=1")
		},
		"trade": func(u user) answer {
			return u.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey())
		},
		"history":   func(u user) answer { return u.get(t, "/api/v1/markets/"+market+"/history") },
		"portfolio": func(u user) answer { return u.get(t, "/api/v1/portfolio") },
	}
	for i, r := range placement.Requests {
		do := requests[r.Name]
		if do == nil {
			t.Fatalf("%s is not tried here", r.Name)
		}
		do(s.signIn(t, fmt.Sprint("before", i))) // the market is in memory now
		fresh := s.signIn(t, fmt.Sprint("ana", i))
		for _, visit := range []struct {
			user string
			want int
		}{{"new", r.NewQueries}, {"warm", r.Queries}} {
			before := way.Count()
			if got := do(fresh); got.status >= 400 {
				t.Fatalf("%s: %s", r.Name, got)
			}
			if got := way.Count().Since(before); got != (lag.Count{Trips: visit.want}) {
				t.Errorf("%s of a %s user: %+v, want %d queries", r.Name, visit.user, got, visit.want)
			}
		}
	}
}
