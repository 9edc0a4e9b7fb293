package server_test

import (
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/e2e/lag"
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
