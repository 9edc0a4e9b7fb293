package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// With the filled ticket the page shows the state that the order made, though its socket is dead.
func TestWritersSeeTheirOwnWrites(t *testing.T) {
	t.Parallel()
	desk := &desk{}
	s := open(t, siteOptions{around: desk.around})
	market, other := s.Market(t), s.Account(t, "1000")
	behind, g := s.behindGateway(t)
	p := behind.page(t)
	p.faults.allow(blocked...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	before := s.price(t, market, "yes")

	// The socket falls silent in the instant before the order, behind which others trade, too.
	desk.next(func() {
		g.sockets.Freeze()
		s.buy(t, other, market, "yes", "1")
	})
	p.do(fmt.Sprintf(`globalThis.atFilledForTest = new Promise((filled) => {
		const watch = new MutationObserver(() => {
			if (%s.dataset.state !== "filled") return;
			watch.disconnect();
			requestAnimationFrame(() => setTimeout(() => filled([%s.textContent, %s.textContent])));
		});
		watch.observe(document.querySelector("trade-ticket"), { subtree: true, childList: true, attributes: true });
	})`, find(hook("ticket-state")), find(hook("version")), find(hook("price", "outcome", "yes"))))
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	seen := get[[]string](p, "atFilledForTest")
	made := s.lastTrade(t, "ana")
	now := percent(s.price(t, market, "yes"))
	if want := []string{fmt.Sprintf("v%d", made.Version), now}; made.Version != 3 || now == percent(before) || seen[0] != want[0] || plain(seen[1]) != want[1] {
		t.Errorf("with the receipt the page shows %q, want %q", seen, want)
	}
	p.showsReceipt(made)
	p.showsBalance("ana")
	p.says(hook("position", "outcome", "yes"), held(made.Shares))
	p.agreesWith(market)

	// The socket comes back with what is known already.
	g.sockets.Mend()
	p.untilLive()
	s.buy(t, other, market, "no", "1")
	p.agreesWith(market)
	s.Verify(t)
}

// A browser may show a page as it was, from its cache, when its reader goes back to it.
func TestAPageThatIsOlderThanItsReadersTrades(t *testing.T) {
	t.Parallel()
	var cache pageCache
	s := open(t, siteOptions{around: cache.around})
	market := s.Market(t)
	behind, g := s.behindGateway(t)
	p := behind.page(t)
	p.faults.allow(blocked...)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	p.says(hook("version"), "v2")

	g.rule.Store(swallowed)
	cache.replays.Store(true)
	p.reload()
	p.says(hook("version"), "v2")
	if get[bool](p, `document.body.dataset.feed === "live"`) || !get[bool](p, `JSON.parse(document.getElementById("state").textContent).market.version === 1`) {
		t.Error("the page was not old, or its feed has told it of the trade")
	}
	p.agreesWith(market)
	s.Verify(t)
}

// pageCache keeps the first page of a market, and gives it again when told to.
type pageCache struct {
	replays atomic.Bool
	first   atomic.Pointer[httptest.ResponseRecorder]
}

func (c *pageCache) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/m/") {
			next.ServeHTTP(w, r)
			return
		}
		page := c.first.Load()
		if page == nil || !c.replays.Load() {
			page = httptest.NewRecorder()
			next.ServeHTTP(page, r)
			c.first.CompareAndSwap(nil, page)
		}
		maps.Copy(w.Header(), page.Header())
		w.WriteHeader(page.Code)
		_, _ = w.Write(page.Body.Bytes()) // an error: the browser is gone
	})
}
