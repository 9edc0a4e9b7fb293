package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// What a browser says of a server that is not there.
var gone = []string{"ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "WebSocket connection to", "answer 503", "status of 503"}

func TestAServerThatGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	p := s.page(t)
	p.faults.allow(gone...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	s.buy(t, other, market, "yes", "10")
	p.agreesWith(market)
	p.untilTicket("ready")
	p.showsFresh(true)

	s.stop()
	p.says(hook("badge"), "Reconnecting (")
	p.showsAging("Reconnecting (")
	p.showsFresh(false)
	p.says(hook("ticket-submit"), "Waits: reconnecting")
	for _, outcome := range []string{"yes", "no", "yes"} {
		s.buy(t, other, market, outcome, "20")
	}

	s.restart(t)
	p.untilLive()
	p.agreesWith(market)
	p.showsFresh(true)
	p.says(hook("ticket-state"), "Quoted at v5")
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	p.agreesWith(market)
	s.Verify(t)
}

func TestATapeReaderThatLosesItsDatabase(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	p := s.page(t)
	p.faults.allow(gone...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")

	// Its connections are cut: it comes back by itself, and nothing is missing.
	for range 3 {
		s.cutReader(t)
		s.buy(t, other, market, "yes", "5")
		p.says(hook("version"), fmt.Sprintf("v%d", s.market(t, market).Version))
		p.untilLive()
		p.agreesWith(market)
	}

	// It cannot come back: the page does not pretend.
	s.Exec(t, "alter role "+s.login+" nologin")
	s.cutReader(t)
	p.says(hook("badge"), "Stale (")
	p.showsAging("Stale (")
	p.showsFresh(false)
	p.says(hook("ticket-submit"), "Waits: prices are")
	s.buy(t, other, market, "no", "5")

	// It can again.
	s.Exec(t, "alter role "+s.login+" login")
	p.untilLive()
	p.agreesWith(market)
	p.showsFresh(true)
	s.Verify(t)
}

func TestAnOrderWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	t.Parallel()
	desk := &desk{}
	s := open(t, siteOptions{around: desk.around})
	market := s.Market(t)
	p := s.page(t)
	p.faults.allow(gone...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")

	// The order is committed, and its answer lost, until the page has noticed.
	desk.answers(func(int) verdict { return drop })
	p.click(hook("ticket-submit"))
	p.untilTicket("unknown")
	p.says("trade-ticket", "The connection broke while sending")
	p.poll("the trade", func() bool { return s.tradesOf(t, "ana") == 1 })

	// A reload does not forget it.
	p.reload()
	p.untilTicket("unknown")
	desk.answers(func(int) verdict { return pass })
	p.untilTicket("filled")
	p.showsReceipt(s.lastTrade(t, "ana"))
	p.says(hook("ticket-receipt"), "made before, not again")
	p.showsBalance("ana")
	p.untilLive()
	p.agreesWith(market)
	if n := s.tradesOf(t, "ana"); n != 1 {
		t.Errorf("ana has %d trades, want 1", n)
	}
	orders := desk.arrived()
	for _, o := range orders {
		if o != orders[0] {
			t.Errorf("asked again with %+v, want %+v", o, orders[0])
		}
	}
	if len(orders) < 2 {
		t.Errorf("%d orders arrived, want the page to have asked again", len(orders))
	}
	s.Verify(t)
}

// cutReader ends the connections of the tape reader, and returns when they are gone.
func (s *site) cutReader(t *testing.T) {
	t.Helper()
	cut := value[int](t, s, `
		select count(*) filter (where pg_terminate_backend(pid, 10000))
		from pg_stat_activity where usename = $1 and application_name = 'pgtape reader'`, s.login)
	if cut == 0 {
		t.Fatal("the reader had no connection to cut")
	}
}

// showsAging waits until prices are said to be stale, in some words, with an age, in seconds, that grows.
func (p *page) showsAging(words string) {
	p.t.Helper()
	badge := find(hook("badge"))
	age := fmt.Sprintf(`Number(/\((\d+)\s*s\)/.exec(%s.innerText)[1])`, badge)
	p.until("the badge shows an age", fmt.Sprintf(`%s.dataset.state === "stale" && %s >= 0`, badge, age))
	before := get[int](p, age)
	p.until("the age grows", fmt.Sprintf("%s > %d", age, before))
	if text := p.text(hook("badge")); !strings.HasPrefix(text, words) {
		p.t.Errorf("the badge says %q, want %q", text, words)
	}
}

// showsFresh compares how prices look, and whether there is trading, with what should be.
func (p *page) showsFresh(fresh bool) {
	p.t.Helper()
	for _, selector := range []string{hook("price", "outcome", "yes"), hook("ticket-quote")} {
		p.until(fmt.Sprintf("%s is dimmed: %v", selector, !fresh), fmt.Sprintf(`((e) => {
			let opacity = 1;
			for (; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
			return (opacity > 0.95) === %v && (opacity < 0.75) === %v;
		})(%s)`, fresh, !fresh, find(selector)))
	}
	p.until(fmt.Sprintf("the order can be sent: %v", fresh), fmt.Sprintf("%s.disabled === %v", find(hook("ticket-submit")), !fresh))
}
