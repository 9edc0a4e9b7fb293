package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

// setClock has the device's clock go wrong by so much, in all further documents.
func (p *page) setClock(off time.Duration) {
	p.t.Helper()
	p.beforeLoad(fmt.Sprintf(`{
		const real = Date, off = %d;
		globalThis.Date = class extends real {
			constructor(...a) { super(...(a.length ? a : [real.now() + off])); }
			static now() { return real.now() + off; }
		};
	}`, off.Milliseconds()))
}

// What is open, and when something was, is the server's to say.
func TestADeviceWhoseClockIsWrong(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	soon, past := time.Now().Add(100*time.Minute), time.Now().Add(3*time.Second)
	for slug, closes := range map[string]time.Time{"soon": soon, "past": past} {
		_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Which?", ClosesAt: &closes})
		must(t, err)
	}
	other := s.Account(t, "1000")
	s.buy(t, other, "past", "yes", "5")
	for _, off := range []time.Duration{2 * time.Hour, -2 * time.Hour, 26 * time.Hour} {
		p := s.page(t)
		p.setClock(off)
		p.openMarket("soon")
		p.signIn("ana")
		p.untilTicket("ready")
		p.says("market-summary", "Closes in 1 h")
		p.click(hook("ticket-submit"))
		p.untilTicket("filled")
		p.says(hook("badge"), "Live")
		_, err := s.Comment(t.Context(), db.NewComment{Market: "soon", Account: "ana", Body: "well"})
		must(t, err)
		p.goTo("/m/soon/comments")
		p.says(hook("comment"), "now")
		p.goTo("/")
		p.untilLive()
		p.says(hook("market-card", "market", "soon"), "closes in 1 h")

		time.Sleep(time.Until(past)) // the market's time, which nothing else tells
		p.openMarket("past")
		p.says("trade-ticket", "This market takes no orders now")
		p.says("market-summary", "Trading is over")
		p.goTo("/")
		p.says(hook("market-card", "market", "past"), "Closed")
	}
	s.Verify(t)
}

// A market that closes while one looks takes its ticket along.
func TestATicketGoesWhenTradingEnds(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	closes := time.Now().Add(8 * time.Second)
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "brief", Question: "Which?", ClosesAt: &closes})
	must(t, err)
	p := s.page(t)
	p.setClock(-2 * time.Hour)
	p.openMarket("brief")
	p.says("trade-ticket", "This market takes no orders now")
	if time.Now().Before(closes) {
		t.Errorf("the ticket went %v early", time.Until(closes))
	}
}
