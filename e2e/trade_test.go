package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

// TestAnAmountThatIsTakenBackIsNotAskedFor: a page fails on every request that is refused.
func TestAnAmountThatIsTakenBackIsNotAskedFor(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	p := s.page(t)
	p.openMarket(s.Market(t))
	p.untilTicket("ready")
	get[bool](p, fmt.Sprintf(`((amount) => {
		for (const text of ["5", ""]) {
			amount.value = text;
			amount.dispatchEvent(new Event("input", { bubbles: true }));
		}
		return true;
	})(%s)`, find(hook("ticket-amount"))))
	p.untilTicket("idle")
	time.Sleep(500 * time.Millisecond) // what was to be asked would have been by then
	p.untilTicket("idle")
}

func TestSignInBuyAndSellAll(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	ana, bo := s.page(t), s.page(t)
	bo.openMarket(market)
	ana.openMarket(market)
	ana.says(hook("ticket-submit"), "Sign in to trade")
	ana.signIn("ana")
	ana.says(hook("balance"), "1,000.00")

	// A quote appears, and the button does exactly what it says.
	ana.untilTicket("ready")
	quote, err := s.Quote(t.Context(), db.Order{Market: market, Outcome: "yes", Side: "buy", Spend: "10"})
	must(t, err)
	ana.says(hook("ticket-quote"), rounded(quote.Shares))
	ana.says(hook("ticket-submit"), fmt.Sprintf("Buy %s Yes for ¤ %s", rounded(quote.Shares), rounded(quote.Amount)))
	ana.click(hook("ticket-submit"))
	ana.untilTicket("filled")
	bought := s.lastTrade(t, "ana")
	if bought.Shares != quote.Shares || bought.Amount != quote.Amount || bought.Version != 2 {
		t.Errorf("the trade is %+v, the quote was %+v", bought, quote)
	}
	s.asOrdered(t, fmt.Sprintf("buy 10.000000 %s 1 50 t t", quote.AvgPrice))
	ana.showsReceipt(bought)
	ana.showsBalance("ana")
	ana.says(hook("position", "outcome", "yes"), held(bought.Shares))

	// A reload keeps the session, the position, and the tape.
	ana.reload()
	ana.untilLive()
	ana.says(hook("account-handle"), "ana")
	ana.showsBalance("ana")
	ana.says(hook("position", "outcome", "yes"), held(bought.Shares))
	ana.agreesWith(market)

	// Selling all leaves nothing.
	ana.click(hook("ticket-side", "side", "sell"))
	ana.clickWords("trade-ticket", "Sell all")
	ana.untilTicket("ready")
	ana.click(hook("ticket-submit"))
	ana.untilTicket("filled")
	sold := s.lastTrade(t, "ana")
	if sold.Side != "sell" || sold.Shares != bought.Shares {
		t.Errorf("sold %+v, want all of %s", sold, bought.Shares)
	}
	ana.showsReceipt(sold)
	ana.showsBalance("ana")
	ana.says(hook("position"), "You hold nothing here yet")

	// The other browser has seen both, without doing anything.
	bo.says(hook("tape-row", "seq", "2"), fmt.Sprintf("ana bought %s Yes", rounded(bought.Shares)))
	bo.says(hook("tape-row", "seq", "3"), fmt.Sprintf("ana sold %s Yes", rounded(sold.Shares)))
	bo.agreesWith(market)
	s.Verify(t)
}

// asOrdered compares the only order so far with its side, spend, expected price and version,
// slippage, and whether it has a deadline to come and a key.
func (s *site) asOrdered(t *testing.T, want string) {
	t.Helper()
	got := value[string](t, s, `
		select concat_ws(' ', side, spend, expected_price, expected_version, max_slippage_bps, deadline > at, idempotency_key is not null)
		from pgtape_core.trade`)
	if got != want {
		t.Errorf("the order was %q, want %q", got, want)
	}
}

func TestADoubleClickMakesOneTrade(t *testing.T) {
	t.Parallel()
	desk := &desk{}
	s := open(t, siteOptions{around: desk.around})
	market := s.Market(t)
	p := s.page(t)
	p.openMarket(market)
	p.signIn("ana")
	submit := find(hook("ticket-submit"))
	tests := []struct {
		name  string
		twice func()
	}{
		{"two clicks in the same instant", func() { p.do(submit + ".click();" + submit + ".click()") }},
		{"two submits in the same instant", func() { p.do(submit + ".form.requestSubmit();" + submit + ".form.requestSubmit()") }},
		{"Enter pressed twice", func() { p.press("\r\r") }},
		{"a double click", func() {
			at := p.clickable(submit)
			for range 2 {
				p.clickAt(at)
			}
		}},
	}
	for i, tt := range tests {
		p.fill(hook("ticket-amount"), "5")
		p.untilTicket("ready")
		// The first order is not answered before both have been asked for.
		asked := make(chan struct{})
		desk.next(func() { <-asked })
		tt.twice()
		close(asked)
		p.untilTicket("filled")
		p.showsBalance("ana")
		if n := s.tradesOf(t, "ana"); n != i+1 {
			t.Fatalf("%s: %d trades, want %d", tt.name, n, i+1)
		}
		if n := len(desk.arrived()); n != i+1 {
			t.Fatalf("%s: %d orders arrived, want %d", tt.name, n, i+1)
		}
		p.clickWords("trade-ticket", "Done")
		p.untilTicket("idle")
	}
	s.Verify(t)
}

func TestAMarketOfFiveOutcomes(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	outcomes := []string{"Red Fox", "blue", "green", "none of them", "O'Brien \"x\""}
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "colour", Question: "Which one?", Outcomes: outcomes})
	must(t, err)
	p := s.page(t)
	p.openMarket("colour")
	p.signIn("ana")
	for _, outcome := range outcomes {
		p.says(hook("price", "outcome", outcome), "20.0 %")
	}
	chosen := outcomes[4]
	p.click(hook("ticket-outcome", "outcome", chosen))
	p.untilTicket("ready")
	p.says(hook("ticket-submit"), chosen)
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	made := s.lastTrade(t, "ana")
	if made.Outcome != chosen {
		t.Errorf("bought %q, want %q", made.Outcome, chosen)
	}
	p.showsReceipt(made)
	p.says(hook("position", "outcome", chosen), held(made.Shares))
	p.agreesWith("colour")
	s.Verify(t)
}

func TestAHaltedMarketSaysSoAndRefuses(t *testing.T) {
	t.Parallel()
	desk := &desk{}
	s := open(t, siteOptions{around: desk.around})
	market := s.Market(t)
	operator := s.role(t, "in role pgtape_operator")
	p := s.page(t)
	p.faults.allow("409")
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")

	// Halted in the instant before the order: refused, with the reason.
	desk.next(func() {
		if _, err := s.HaltMarket(t.Context(), market, "a goal"); err != nil {
			t.Error(err)
		}
	})
	p.click(hook("ticket-submit"))
	p.untilTicket("refused")
	p.says("trade-ticket", "is halted")
	p.says("market-summary", "Trading halted by login:"+value[string](t, s, "select session_user")+" — a goal")
	p.clickWords("trade-ticket", "OK")
	p.says("trade-ticket", "This market takes no orders now")

	// An operator lets it go on, and halts it again, in psql.
	s.psql(t, s.urlOf(operator), fmt.Sprintf("select version from pgtape.open_market('%s', 'offside')", market))
	p.untilTicket("ready")
	s.psql(t, s.urlOf(operator), fmt.Sprintf("select version from pgtape.halt_market('%s', 'rain')", market))
	p.says("market-summary", fmt.Sprintf("Trading halted by login:%s — rain", operator))
	p.says("trade-ticket", "This market takes no orders now")
	p.agreesWith(market)
	p.reload()
	p.untilLive()
	p.says("market-summary", fmt.Sprintf("Trading halted by login:%s — rain", operator))
	p.says("trade-ticket", "This market takes no orders now")
	if n := s.tradesOf(t, "ana"); n != 0 {
		t.Errorf("ana has %d trades in a halted market", n)
	}
	s.Verify(t)
}

// lastTrade is what an account did last, as the database has it.
func (s *site) lastTrade(t *testing.T, account string) db.Receipt {
	t.Helper()
	var r db.Receipt
	err := s.Pool().QueryRow(t.Context(), `
		select version, outcome, side, shares::text, amount::text, avg_price::text
		from pgtape.trades where account = $1 order by trade_id desc limit 1`, account).
		Scan(&r.Version, &r.Outcome, &r.Side, &r.Shares, &r.Amount, &r.AvgPrice)
	must(t, err)
	return r
}

// showsReceipt compares the receipt with the trade, to the last decimal.
func (p *page) showsReceipt(made db.Receipt) {
	p.t.Helper()
	verb := map[string]string{"buy": "Bought", "sell": "Sold"}[made.Side]
	for _, part := range []string{verb, exact(made.Shares), exact(made.Amount), fmt.Sprintf("v%d", made.Version)} {
		p.says(hook("ticket-receipt"), part)
	}
}

// showsBalance waits until the page shows what the database has, to the last decimal.
func (p *page) showsBalance(account string) {
	p.t.Helper()
	a, err := p.site.DB.DB.Account(p.t.Context(), account)
	must(p.t, err)
	p.says(hook("balance"), held(a.Balance))
	title := plain(get[string](p, find(hook("balance"))+".title"))
	if want := exact(a.Balance); !strings.HasSuffix(title, want) {
		p.t.Errorf("the balance's title is %q, the database has %s", title, want)
	}
}

func TestTheSliderTypesAPartOfWhatThereIs(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	p := s.page(t)
	p.openMarket(market)
	p.signIn("ana")
	p.untilTicket("ready")
	slide := func(to string) {
		p.do(fmt.Sprintf(`(() => { const s = %s; s.focus(); s.value = %q; s.dispatchEvent(new Event("input", { bubbles: true })); })()`, find(hook("ticket-slider")), to))
	}
	slide("50") // of 1,000 credits: the square of a half
	p.until("a quarter is typed", find(hook("ticket-amount"))+`.value === "250"`)
	p.untilTicket("ready")
	p.says(hook("ticket-submit"), "for ¤ 250.00")
	slide("100")
	p.until("all is typed", find(hook("ticket-amount"))+`.value === "1000"`)
	slide("0")
	p.untilTicket("idle")

	p.fill(hook("ticket-amount"), "10")
	p.untilTicket("ready")
	if got := get[string](p, find(hook("ticket-slider"))+".value"); got != "10" {
		t.Errorf("the slider stands at %s for 10 of 1000", got)
	}
	p.click(hook("ticket-submit"))
	p.untilTicket("filled")
	made := s.lastTrade(t, "ana")
	p.click(hook("ticket-side", "side", "sell"))
	slide("100")
	p.until("all shares are typed", fmt.Sprintf(`%s.value === %s`, find(hook("ticket-amount")), js(strings.TrimRight(strings.TrimRight(string(made.Shares), "0"), "."))))
}
