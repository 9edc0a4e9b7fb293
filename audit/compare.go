package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// follows is what every difference between book and state breaks.
const follows = "the state follows from the tape"

// differences gathers where a state is not what a book comes to.
type differences struct {
	book *Book
	list []Finding
}

// Compare says where a state differs from what the tape comes to, to the micro-unit.
func (b *Book) Compare(s State) []Finding {
	d := &differences{book: b}
	d.compareHouse(s.House)
	d.compareAccounts(s.Accounts)
	d.compareMarkets(s.Markets)
	d.comparePositions(s.Positions)
	return d.list
}

func (d *differences) differ(subject, problem string, args ...any) {
	d.list = append(d.list, Finding{follows, subject, fmt.Sprintf(problem, args...)})
}

// same compares two texts of one thing.
func (d *differences) same(subject, what, state, tape string) {
	if state != tape {
		d.differ(subject, "%s %s, by the tape %s", what, state, tape)
	}
}

// sameTotal compares credits.
func (d *differences) sameTotal(subject, what, state string, tape total) {
	if n, ok := parseTotal(state); !ok || n != tape {
		d.differ(subject, "%s %s, by the tape %s", what, state, tape)
	}
}

// sameAll compares one number for each outcome.
func (d *differences) sameAll(subject, what string, state []string, tape []int64, decimals int) {
	same := len(state) == len(tape)
	for i := 0; same && i < len(tape); i++ {
		n, ok := parseFixed(state[i], decimals)
		same = ok && n == tape[i]
	}
	if !same {
		d.differ(subject, "%s {%s}, by the tape %s", what, strings.Join(state, ","), formatAll(tape, decimals))
	}
}

func (d *differences) compareHouse(s HouseState) {
	const subject = "the house"
	head := d.book.house.chain.head()
	d.same(subject, "version", strconv.FormatInt(s.Version, 10), strconv.FormatInt(head.Seq, 10))
	d.same(subject, "head", s.Head, head.Hash)
	d.sameTotal(subject, "balance", s.Balance, d.book.balances[houseStream])
}

func (d *differences) compareAccounts(accounts []AccountState) {
	left := maps.Clone(d.book.balances)
	delete(left, houseStream)
	for _, a := range accounts {
		subject := "account " + a.Account
		balance, known := left[a.Account]
		if !known {
			d.differ(subject, "balance %s, unknown to the tape, or named twice", a.Balance)
			continue
		}
		delete(left, a.Account)
		d.sameTotal(subject, "balance", a.Balance, balance)
	}
	for _, handle := range slices.Sorted(maps.Keys(left)) {
		d.differ("account "+handle, "no such account, by the tape its balance is %s", left[handle])
	}
}

func (d *differences) compareMarkets(markets []MarketState) {
	left := maps.Clone(d.book.markets)
	for _, s := range markets {
		m := left[s.Market]
		if m == nil || m.maker == nil {
			d.differ("market "+s.Market, "unknown to the tape, or named twice")
			continue
		}
		delete(left, s.Market)
		d.compareMarket(s, m)
	}
	for _, slug := range slices.Sorted(maps.Keys(left)) {
		d.differ("market "+slug, "no such market, by the tape it is %s", left[slug].status)
	}
}

func (d *differences) compareMarket(s MarketState, m *market) {
	subject := "market " + s.Market
	head := m.chain.head()
	d.same(subject, "status", s.Status, m.status)
	d.same(subject, "version", strconv.FormatInt(s.Version, 10), strconv.FormatInt(head.Seq, 10))
	d.same(subject, "head", s.Head, head.Hash)
	d.same(subject, "outcomes", strings.Join(s.Outcomes, ","), strings.Join(m.outcomes, ","))
	d.sameAll(subject, "outstanding", s.Outstanding, m.maker.Outstanding(), creditDecimals)
	d.sameAll(subject, "prices", s.Prices, m.maker.Prices(), priceDecimals)
	d.sameTotal(subject, "volume", s.Volume, m.volume)
	d.same(subject, "trades", strconv.FormatInt(s.Trades, 10), strconv.FormatInt(m.trades, 10))
	d.sameAll(subject, "proposal", s.Proposal, m.proposal, creditDecimals)
	d.sameAll(subject, "payout", s.Payout, m.payout, creditDecimals)
	d.sameTotal(subject, "escrow", s.Escrow, m.escrow)
}

type place struct{ account, market, outcome string }

func (p place) String() string {
	return fmt.Sprintf("account %s, market %s, outcome %s", p.account, p.market, p.outcome)
}

func (d *differences) comparePositions(positions []PositionState) {
	left := d.book.positions()
	for _, s := range positions {
		p := place{s.Account, s.Market, s.Outcome}
		if n, ok := parseFixed(s.Shares, creditDecimals); !ok || n != left[p] {
			d.differ(p.String(), "position %s, by the tape %s", s.Shares, credits(left[p]))
		}
		delete(left, p)
	}
	missing := slices.SortedFunc(maps.Keys(left), func(a, b place) int { return strings.Compare(a.String(), b.String()) })
	for _, p := range missing {
		d.differ(p.String(), "no position, by the tape %s", credits(left[p]))
	}
}

// positions are those that hold something.
func (b *Book) positions() map[place]int64 {
	held := map[place]int64{}
	for slug, m := range b.markets {
		for account, h := range m.holders {
			for i, shares := range h.shares {
				if shares != 0 {
					held[place{account, slug, m.outcomes[i]}] = shares
				}
			}
		}
	}
	return held
}
