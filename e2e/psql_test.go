package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// promise is how soon after its commit a trade is on every page.
const promise = time.Second

func TestATradeInPsqlShowsOnEveryPageWithinASecond(t *testing.T) {
	shareBrowser(t) // for both modes
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		t.Run(string(mode), func(t *testing.T) {
			s := open(t, siteOptions{mode: mode})
			market := s.Market(t)
			anaInPsql := s.trader(t, s.Account(t, "1000"))
			pages := map[string]*page{"one": s.page(t), "the other": s.page(t)}
			for _, p := range pages {
				p.openMarket(market)
				p.until("the first event is shown", find(hook("tape-row", "seq", "1"))+" !== null")
			}

			for _, order := range []string{
				"'yes', 'buy', shares => 25, max_cost => 20",
				"'no', 'buy', spend => 10, max_cost => 10",
				"'yes', 'sell', shares => 7.5, min_proceeds => 1",
			} {
				before := s.market(t, market)
				for _, p := range pages {
					p.watchFor(before.Version+1, s.price(t, market, "yes"))
				}
				printed := s.psql(t, anaInPsql, fmt.Sprintf("select version from pgtape.trade('%s', %s)", market, order))
				if want := fmt.Sprint(before.Version + 1); printed != want {
					t.Fatalf("psql printed version %s, want %s", printed, want)
				}
				// The event's time is that of the trade under its lock: before the commit, by the clock
				// that the pages read too.
				traded := value[time.Time](t, s, "select at from pgtape.tape where market = $1 and seq = $2", market, before.Version+1)
				for name, p := range pages {
					took := time.UnixMilli(get[int64](p, "globalThis.shownForTest")).Sub(traded)
					t.Logf("%s page showed v%d after %v", name, before.Version+1, took)
					if took > promise {
						t.Errorf("%s page showed v%d %v after its commit, want at most %v", name, before.Version+1, took, promise)
					}
					p.agreesWith(market)
				}
			}
			s.Verify(t)
		})
	}
}

// watchFor notes, in the page, when an event is on the tape, its version in the corner, and the
// price another than before.
func (p *page) watchFor(version int64, was db.Decimal) {
	p.t.Helper()
	p.says(hook("price", "outcome", "yes"), percent(was))
	p.do(fmt.Sprintf(`globalThis.shownForTest = new Promise((shown) => {
		const price = %s, before = price.textContent;
		const look = () => {
			if (!%s || %s.textContent !== "v%d" || price.textContent === before) return;
			watch.disconnect();
			shown(Date.now());
		};
		const watch = new MutationObserver(look);
		watch.observe(document.body, { subtree: true, childList: true, characterData: true });
	})`, find(hook("price", "outcome", "yes")), find(hook("tape-row", "seq", fmt.Sprint(version))), find(hook("version")), version))
}

// agreesWith compares a market's page with the database: prices, version, and the whole tape.
func (p *page) agreesWith(market string) {
	p.t.Helper()
	m := p.site.market(p.t, market)
	p.says(hook("version"), fmt.Sprintf("v%d", m.Version))
	for i, outcome := range m.Outcomes {
		p.says(hook("price", "outcome", outcome), percent(m.Prices[i]))
	}
	want := make([]int64, m.Version)
	for i := range want {
		want[i] = m.Version - int64(i)
	}
	if got := p.seqs(); fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Errorf("the page's tape is %v, the database's %v", got, want)
	}
}
