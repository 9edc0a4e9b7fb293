package e2e_test

import (
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/db"
)

func TestWhereSocketsAreBlockedThePageAsks(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]int32{"403": refused, "never answered": swallowed, "opened but mute": mute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, siteOptions{})
			market, other := s.Market(t), s.Account(t, "1000")
			for range 5 {
				s.Market(t) // for the strip of trades: so many are asked about together
			}
			behind, g := s.behindGateway(t)
			g.rule.Store(rule)
			p := behind.page(t)
			p.faults.allow(blocked...)
			p.openMarket(market)
			p.untilFeed("live", "polling")
			p.says(hook("badge"), "Live, polling")
			p.listenIn(market)
			p.signIn("ana")
			for i := range 5 {
				s.buy(t, other, market, []string{"yes", "no"}[i%2], "10")
				p.says(hook("version"), fmt.Sprintf("v%d", i+2))
			}
			p.says(hook("ticket-state"), "Quoted at v6")
			p.showsFresh(true)
			p.click(hook("ticket-submit"))
			p.untilTicket("filled")
			p.says(hook("version"), "v7")
			p.heardAll(market)

			// They are let through: the page finds out, and loses nothing on the way.
			g.rule.Store(passed)
			for i := range 10 {
				s.buy(t, other, market, []string{"yes", "no"}[i%2], "1")
			}
			p.do(`dispatchEvent(new Event("online"))`) // else it may be half a minute until the next try
			p.untilFeed("live", "")
			s.buy(t, other, market, "yes", "1")
			p.heardAll(market)

			// And blocked again, with every connection lost.
			g.rule.Store(rule)
			g.sockets.Reset()
			s.buy(t, other, market, "yes", "1")
			p.untilFeed("live", "polling")
			p.heardAll(market)
			s.Verify(t)
		})
	}
}

func TestAListWithoutSockets(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	other := s.Account(t, "1000")
	for i := range 12 {
		_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprintf("m%d", i), Question: fmt.Sprintf("Will it be %d?", i)})
		must(t, err)
	}
	behind, g := s.behindGateway(t)
	g.rule.Store(refused)
	p := behind.page(t)
	p.faults.allow(blocked...)
	p.goTo("/")
	p.untilFeed("live", "polling")
	for _, slug := range []string{"m0", "m7", "m0", "m11"} {
		s.buy(t, other, slug, "yes", "30")
		p.says(hook("market-card", "market", slug)+" [data-testid=price]", percent(s.price(t, slug, "yes")))
	}
	p.says(hook("market-card", "market", "m0"), "2 trades")
	p.says(".ticker", "m11")
	if tries := g.tries.Load(); tries > 20 {
		t.Errorf("%d sockets were tried: they are blocked", tries)
	}
}

func TestAPolledServerThatGoesAway(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, g := s.behindGateway(t)
	g.rule.Store(refused)
	p := behind.page(t)
	p.faults.allow(append(blocked, gone...)...)
	p.openMarket(market)
	p.untilFeed("live", "polling")
	p.listenIn(market)
	s.stop()
	p.showsAging("Reconnecting (")
	for range 3 {
		s.buy(t, other, market, "yes", "10")
	}
	s.restart(t)
	p.untilFeed("live", "polling")
	p.heardAll(market)
	s.Verify(t)
}
