package e2e_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

func TestANetworkThatIsCutAndRestored(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, l := s.linked(t)
	p := behind.page(t)
	p.faults.allow(blocked...)
	p.openMarket(market)
	p.signIn("ana")
	p.listenIn(market)
	for range 2 {
		l.Cut()
		p.showsAging("Reconnecting (")
		p.showsFresh(false)
		p.says(hook("ticket-submit"), "Waits: reconnecting")
		for range 3 {
			s.buy(t, other, market, "yes", "2")
		}
		l.Mend()
		p.untilLive()
		p.showsFresh(true)
		p.heardAll(market)
	}
	// It is a socket again, whatever was in between.
	p.untilFeed("live", "")
	s.buy(t, other, market, "no", "2")
	p.heardAll(market)
	s.Verify(t)
}

func TestANetworkThatFallsSilent(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, l := s.linked(t)
	p := behind.page(t)
	p.faults.allow(blocked...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	p.listenIn(market)

	// The page notices by itself, from its last heartbeat: within 2.5 s, and a tick.
	p.do(`new MutationObserver(() => { globalThis.staleForTest ??= Date.now(); }).observe(document.body, { attributeFilter: ["data-feed"] })`)
	frozen := get[int64](p, "Date.now()")
	l.Freeze()
	p.showsAging("Stale (")
	p.says(hook("ticket-submit"), "Waits: prices are")
	p.showsFresh(false)
	if took := time.Duration(get[int64](p, "staleForTest")-frozen) * time.Millisecond; took > 6*time.Second {
		t.Errorf("silence was noticed after %v", took)
	} else {
		t.Logf("silence was noticed after %v", took)
	}
	for range 5 {
		s.buy(t, other, market, "yes", "2")
	}
	l.Mend()
	p.untilLive()
	p.showsFresh(true)
	p.heardAll(market)

	// Too long for any of the connections.
	l.Freeze()
	p.untilFeed("stale", "reconnecting")
	for range 5 {
		s.buy(t, other, market, "no", "2")
	}
	l.Reset()
	l.Mend()
	p.untilFeed("live", "")
	p.heardAll(market)
	s.Verify(t)
}

func TestANetworkThatIsSlowAndNarrow(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, l := s.linked(t)
	p := behind.page(t)
	p.openMarket(market)
	p.listenIn(market)
	l.Delay(200*time.Millisecond, 200*time.Millisecond)
	l.Limit(50_000)
	for i := range 100 {
		outcome := []string{"yes", "no"}[i%2]
		s.buy(t, other, market, outcome, db.Decimal(fmt.Sprintf("%d", 1+i%5)))
	}
	p.says(hook("version"), "v101")
	p.untilFeed("live", "")
	if states := p.states(); slices.Contains(states, "stale reconnecting") {
		t.Errorf("a slow connection was given up: %v", states)
	}
	l.Mend()
	p.clickWords("market-tape", "Older")
	p.until("the whole tape is there", `document.querySelectorAll("[data-testid=tape-row]").length === 101`)
	p.heardAll(market)
	s.Verify(t)
}
