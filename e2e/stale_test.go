package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
)

func TestAStaleQuoteIsRefusedAndQuotedAgain(t *testing.T) {
	t.Parallel()
	desk := &desk{}
	s := open(t, siteOptions{around: desk.around})
	market, other := s.Market(t), s.Account(t, "1000")
	p := s.page(t)
	p.faults.allow("409")
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	quoted, err := s.Quote(t.Context(), db.Order{Market: market, Outcome: "yes", Side: "buy", Spend: "10"})
	must(t, err)

	// The price moves in the instant between the quote and the order.
	desk.next(func() {
		_, err := s.Trade(t.Context(), db.Order{Account: other, Market: market, Outcome: "yes", Side: "buy", Shares: "40", MaxCost: "40"})
		if err != nil {
			t.Error(err)
		}
	})
	p.click(hook("ticket-submit"))
	p.untilTicket("stale")
	moved, err := s.Quote(t.Context(), db.Order{Market: market, Outcome: "yes", Side: "buy", Spend: "10"})
	must(t, err)
	p.says("trade-ticket", fmt.Sprintf("It was %s a share and is %s now", cents(quoted.AvgPrice), cents(moved.AvgPrice)))
	p.says("trade-ticket", "Nothing was traded")
	p.says(hook("ticket-requote"), "Buy at "+cents(moved.AvgPrice))

	// Nothing is sent again by itself, whatever else happens in the market.
	for range 3 {
		version := s.buy(t, other, market, "no", "0.1").Version
		p.says(hook("version"), fmt.Sprintf("v%d", version))
	}
	p.untilTicket("stale")
	if n := len(desk.arrived()); n != 1 {
		t.Fatalf("%d orders were sent, want the refused one only", n)
	}
	if n := s.tradesOf(t, "ana"); n != 0 {
		t.Fatalf("ana has %d trades after a refused order", n)
	}

	// One tap buys at the new price.
	p.click(hook("ticket-requote"))
	p.untilTicket("filled")
	orders := desk.arrived()
	if len(orders) != 2 || orders[0].key == orders[1].key {
		t.Errorf("orders %+v, want two with a key each", orders)
	}
	if want := fmt.Sprintf("%q:%q", "expected_price", moved.AvgPrice); !strings.Contains(orders[len(orders)-1].body, want) {
		t.Errorf("the order is %s, want %s, as the button said", orders[len(orders)-1].body, want)
	}
	if n := s.tradesOf(t, "ana"); n != 1 {
		t.Errorf("ana has %d trades, want 1", n)
	}
	paid := value[db.Decimal](t, s, "select amount::text from pgtape.trades where account = 'ana'")
	p.says(hook("ticket-receipt"), exact(paid))
	s.Verify(t)
}
