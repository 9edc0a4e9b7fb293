package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func TestOfflineAndOnline(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, l := s.linked(t)
	p := behind.page(t)
	p.faults.allow(append(blocked, "ERR_INTERNET_DISCONNECTED")...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	p.listenIn(market)
	for range 2 {
		l.Cut()
		p.offline(true)
		p.untilFeed("stale", "offline")
		p.showsAging("Offline (")
		p.says(hook("ticket-submit"), "Waits: you are offline")
		p.showsFresh(false)
		s.buy(t, other, market, "yes", "10")
		l.Mend()
		p.offline(false)
		p.untilLive()
		p.showsFresh(true)
		p.heardAll(market)
	}
	p.untilFeed("live", "")

	// A browser that calls itself offline and hears heartbeats is not.
	p.offline(true)
	p.untilLive()
	s.buy(t, other, market, "no", "10")
	p.heardAll(market)
	p.offline(false)
	s.Verify(t)
}

func TestAPageThatSleeps(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, l := s.linked(t)
	p := behind.page(t)
	p.faults.allow(blocked...)
	p.openMarket(market)
	p.listenIn(market)
	for name, meanwhile := range map[string]func(){
		"its connection lives on":       func() {},
		"its connection is cut":         l.Reset,
		"its connection dies unnoticed": l.Freeze,
	} {
		t.Log(name)
		p.lifecycle(cdppage.SetWebLifecycleStateStateFrozen)
		meanwhile()
		s.buy(t, other, market, "yes", "3")
		time.Sleep(4 * time.Second) // it is to wake later than a heartbeat may be
		s.buy(t, other, market, "no", "3")
		p.lifecycle(cdppage.SetWebLifecycleStateStateActive)
		if name == "its connection dies unnoticed" {
			p.until("the page says so", `document.body.dataset.feed === "stale"`)
			l.Reset()
			l.Mend()
		}
		p.untilLive()
		p.heardAll(market)
	}
	s.Verify(t)
}

// The clock is all that a page has to tell a night by.
func TestALaptopThatWakesUp(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, g := s.behindGateway(t)
	p := behind.page(t)
	p.faults.allow(blocked...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	p.listenIn(market)
	sockets := g.tries.Load()
	g.sockets.Freeze()
	s.buy(t, other, market, "yes", "3")
	p.do(`{ const now = Date.now; Date.now = () => now() + 8 * 3_600_000; }`)
	p.showsAsleepFor(8 * time.Hour)
	g.sockets.Mend()
	p.untilLive()
	p.heardAll(market)
	if g.tries.Load() == sockets {
		t.Error("the old socket was believed")
	}

	// A clock that is wrong does not keep anybody from trading.
	p.says(hook("ticket-state"), "Quoted at v2")
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	p.showsReceipt(s.lastTrade(t, "ana"))
	p.heardAll(market)
	s.Verify(t)
}

// showsAsleepFor waits until prices are said to be that old.
func (p *page) showsAsleepFor(age time.Duration) {
	p.t.Helper()
	p.until("the page is stale", `document.body.dataset.feed === "stale"`)
	get[bool](p, importLive+`.then(({ store }) => { globalThis.ageForTest = store.state.feed.age; return true; })`)
	if got := time.Duration(get[float64](p, "ageForTest")) * time.Millisecond; got < age || got > age+time.Minute {
		p.t.Errorf("the prices are said to be %v old, want %v", got, age)
	}
}

// offline is what the browser believes of its network.
func (p *page) offline(off bool) {
	p.t.Helper()
	p.act("going offline, or online", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
		return err
	})
}

func (p *page) lifecycle(state cdppage.SetWebLifecycleStateState) {
	p.t.Helper()
	p.act("becoming "+string(state), func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, cdppage.SetWebLifecycleState, cdppage.SetWebLifecycleStateParams{State: state})
		return err
	})
}
