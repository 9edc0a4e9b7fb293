package hub_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/server/hub"
)

// Somebody with many connections who subscribes to very much holds up others for one read of his.
func TestReadsGoRoundAmongClients(t *testing.T) {
	t.Parallel()
	heads := map[string]int64{"rain": 3, "snow": 3}
	withHub(t, heads, hub.Options{Reads: 2, MaxWaiting: 300}, func(t *testing.T, h *hub.Hub, db *table) {
		crowd, known, stranger := fairqueue.Client{Name: "crowd"}, fairqueue.Client{Name: "ana", Known: true}, fairqueue.Client{Name: "stranger"}
		release := db.holdReads()
		var many []*socket
		for i := range 100 {
			s := connectFrom(h, crowd)
			many = append(many, s)
			for k := range 4 {
				s.client.Subscribe(fmt.Sprintf("none-%d-%d", i, k), "", hub.Tape)
			}
		}
		synctest.Wait()
		refused := 0
		for _, s := range many {
			for _, m := range s.got(t) {
				if m.Code == "too_many_requests" && strings.Contains(m.Message, "300 subscriptions") {
					refused++
				}
			}
		}
		if refused != 100 {
			t.Errorf("%d of 400 were refused, want all but 300", refused)
		}
		mine, other, late := connectFrom(h, known), connectFrom(h, stranger), connectFrom(h, crowd)
		late.client.Subscribe("snow", "", hub.Quote)
		late.expect(t, "error too_many_requests snow")
		mine.client.Subscribe("rain", "", hub.Tape)
		other.client.Subscribe("snow", "", hub.Tape)
		synctest.Wait()
		before := len(db.asked())
		release()
		mine.expect(t, "snapshot rain 3")
		other.expect(t, "snapshot snow 3")
		asked := db.asked()[before:]
		for _, market := range []string{"rain", "snow"} {
			if others := slices.Index(asked, "snapshot "+market); others < 0 || others > 4 {
				t.Errorf("%s was read after %d others: %v", market, others, asked[:min(20, len(asked))])
			}
		}
		many[0].client.Subscribe("rain", "", hub.Tape) // when they have been answered there is room again
		synctest.Wait()
		if got := many[0].got(t); len(got) == 0 || got[len(got)-1].String() != "snapshot rain 3" {
			t.Errorf("afterwards: %v", got)
		}
	})
}

// A client that leaves, or wants something else, waits no more.
func TestWhoLeavesIsNotCountedAsWaiting(t *testing.T) {
	t.Parallel()
	withHub(t, map[string]int64{"rain": 3}, hub.Options{Reads: 1, MaxWaiting: 3}, func(t *testing.T, h *hub.Hub, db *table) {
		release := db.holdReads()
		for range 20 {
			s := connect(h)
			for _, market := range []string{"a", "b", "c"} {
				s.client.Subscribe(market, "", hub.Tape)
				s.client.Subscribe(market, "", hub.Quote)
				s.client.Unsubscribe(market)
				s.client.Subscribe(market, "", hub.Tape)
			}
			s.expect(t)
			s.client.Close()
		}
		release()
		s := connect(h)
		s.client.Subscribe("rain", "", hub.Tape)
		s.expect(t, "snapshot rain 3")
	})
}
