package server_test

import (
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/edge"
)

// TestPlacesOfAnEdgeAreShared: markets that are not there take none; one client, however many sockets it
// opens, leaves some to others; what nobody watches any more makes room at once.
func TestPlacesOfAnEdgeAreShared(t *testing.T) {
	t.Parallel()
	s := open(t)
	var markets []string
	for range 12 {
		markets = append(markets, s.Market(t))
	}
	s.follow(t)
	e := s.edge(t, func(o *edge.Options, c *server.EdgeConfig) {
		believing(o, c)
		o.MaxMarkets = 8
	})
	greedy := e.dialFrom(t, "192.0.2.1", "")
	for i := range 40 {
		greedy.subscribe(fmt.Sprint("nothing-", i), "", "tape")
	}
	for range 40 {
		if f := greedy.next("error"); f.Code != "not_found" {
			t.Fatalf("a market that is not there: %+v", f)
		}
	}
	if n := e.origin.Status().Markets; n != 0 {
		t.Errorf("%d places are taken by markets that are not there", n)
	}
	for _, market := range markets[:6] {
		greedy.subscribe(market, "", "tape")
		greedy.next("snapshot")
	}
	for i, w := range []*wire{greedy, e.dialFrom(t, "192.0.2.1", "")} { // the socket makes no difference
		w.subscribe(markets[6+i], "", "tape")
		if f := w.next("error"); f.Code != "too_many_requests" || f.Market != markets[6+i] {
			t.Errorf("over its share: %+v", f)
		}
	}
	second := e.dialFrom(t, "192.0.2.2", "")
	second.subscribe(markets[8], "", "tape")
	second.next("snapshot")
	third := e.dialFrom(t, "2001:db8:1:2::1", "")
	third.subscribe(markets[9], "", "quote")
	third.next("snapshot")
	fourth := e.dialFrom(t, "2001:db8:1:3::1", "") // of the same /48, which is one client
	fourth.subscribe(markets[10], "", "tape")
	if f := fourth.next("error"); f.Code != "too_many_requests" {
		t.Errorf("all places taken: %+v", f)
	}
	fifth := e.dialFrom(t, "192.0.2.5", "")
	fifth.subscribe(markets[10], "", "tape")
	if f := fifth.next("error"); f.Code != "unavailable" {
		t.Errorf("all places taken: %+v", f)
	}
	fifth.subscribe(markets[0], "", "tape") // what is followed needs no place
	fifth.next("snapshot")

	greedy.send(`{"op":"unsubscribe","market":"` + markets[1] + `"}`)
	greedy.send(`{"op":"unsubscribe","market":"` + markets[2] + `"}`)
	greedy.subscribe(markets[3], "", "quote") // and when that is answered, they are unwatched
	greedy.next("snapshot")
	fifth.subscribe(markets[11], "", "tape")
	fifth.next("snapshot")
	if e.origin.Follows(markets[1]) || !e.origin.Follows(markets[2]) {
		t.Errorf("the market that was wanted longest ago does not go first")
	}
	fifth.subscribe(markets[1], "", "tape") // again, in the place of the other
	fifth.next("snapshot")
	ana := s.Account(t, "100")
	s.buyOne(t, ana, markets[1])
	if f := fifth.next("event"); f.Market != markets[1] || f.Seq != 2 {
		t.Errorf("the market that came back: %+v", f)
	}
}
