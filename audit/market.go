package audit

import (
	"slices"
	"strings"
	"time"

	"github.com/pgtape/pgtape/audit/lmsr"
)

// What several places report.
const (
	wellFormed    = "events are well formed"
	knownAccounts = "accounts are opened before they act"
	pricesFollow  = "prices follow from the shares"
	onSimplex     = "the payouts of a market sum to 1"
	coversWorst   = "the escrow covers the worst case"
)

// market replays one market.
type market struct {
	slug  string
	chain chain
	found findings
	body  body

	last         time.Time
	clockSetBack bool

	created  bool
	outcomes []string
	funder   string
	closesAt time.Time
	onVoid   []int64 // payout

	status   string
	maker    *lmsr.Maker
	holders  map[string]*holder
	escrow   total
	volume   total
	trades   int64
	lastID   int64
	proposal []int64
	payout   []int64
	pool     total            // what the escrow held when it paid out
	house    total            // what the house has had of the market, less what it gave
	comments map[int64]string // who made those that are not removed
}

// holder is what an account has in one market.
type holder struct {
	shares    []int64
	net       total // credits it has had of the market, less what it paid
	paid      total // of these, by payout and corrections
	movements []movement
}

func newMarket(slug string) *market {
	return &market{slug: slug, found: findings{stream: slug}, holders: map[string]*holder{}, comments: map[int64]string{}}
}

func (m *market) apply(e Event) {
	m.clockSetBack = m.clockSetBack || e.At.Before(m.last)
	m.last = e.At
	m.chain.follow(e, &m.found)
	if ofHouse(e.Kind) || !m.body.read(e.Kind, e.Body) {
		m.found.at(e, wellFormed, "kind %.20q, body %.200q", e.Kind, e.Body)
		return
	}
	if (e.Kind == "created") == m.created {
		m.found.at(e, "a market is created once, before all else", "an event %s", e.Kind)
		return
	}
	switch e.Kind {
	case "created":
		m.create(e, &m.body)
	case "trade":
		m.trade(e, &m.body)
	case commented, commentRemoved:
		m.talk(e, &m.body)
	default:
		m.act(e, &m.body)
	}
	if m.created {
		m.checkPrices(e, &m.body)
	}
}

func (m *market) create(e Event, b *body) {
	maker, err := lmsr.New(b.liquidity, len(b.outcomes))
	if err != nil {
		m.found.at(e, wellFormed, "a market with %v", err)
		return
	}
	for i, outcome := range b.outcomes {
		if outcome == "" || outcome == completeSet || slices.Contains(b.outcomes[:i], outcome) {
			m.found.at(e, wellFormed, "outcomes %q", b.outcomes)
			return
		}
		m.outcomes = append(m.outcomes, strings.Clone(outcome))
	}
	m.created = true
	m.maker = maker
	m.funder = strings.Clone(b.account)
	m.closesAt = b.closesAt
	m.status = strings.Clone(b.status)
	if m.status != "open" && m.status != "draft" {
		m.found.at(e, lifecycle, "created %s", m.status)
	}
	m.onVoid = m.readPayout(e, b.voidPayout)

	if rule := lmsr.Subsidy(b.liquidity, len(b.outcomes)); b.subsidy != rule {
		m.found.at(e, "the subsidy is ceil(b ln n)", "subsidy %s, by the rule %s", credits(b.subsidy), credits(rule))
	}
	m.escrow = totalOf(b.subsidy)
	m.give(e, m.funder, totalOf(-b.subsidy))
}

// readPayout gives a payout that is one: a number from 0 to 1 for each outcome, together 1; else nil.
func (m *market) readPayout(e Event, v vector) []int64 {
	payout, ok := v.of(m.outcomes)
	var sum int64
	for _, p := range payout {
		ok = ok && p >= 0 && p <= lmsr.Micro
		sum += p
	}
	if !ok || sum != lmsr.Micro {
		m.found.at(e, onSimplex, "payout of %q: %s", v.names, formatAll(v.numbers, creditDecimals))
		return nil
	}
	return slices.Clone(payout)
}

func (m *market) checkPrices(e Event, b *body) {
	prices, ok := b.prices.of(m.outcomes)
	if !ok {
		m.found.at(e, wellFormed, "prices of %q", b.prices.names)
		return
	}
	if !slices.Equal(prices, m.maker.Prices()) {
		m.found.at(e, pricesFollow, "prices %s, by the rule %s",
			formatAll(prices, priceDecimals), formatAll(m.maker.Prices(), priceDecimals))
	}
}

// holder gives what an account has here, to be changed.
func (m *market) holder(handle string) *holder {
	h := m.holders[handle]
	if h == nil {
		h = &holder{shares: make([]int64, len(m.outcomes))}
		m.holders[strings.Clone(handle)] = h
	}
	return h
}

// give moves credits of the market to an account, or, if negative, from it.
func (m *market) give(e Event, handle string, amount total) {
	if handle == houseStream {
		m.house = m.house.plus(amount)
		return
	}
	m.holder(handle).get(e, amount)
}

func (h *holder) get(e Event, amount total) {
	h.net = h.net.plus(amount)
	if amount != (total{}) {
		h.movements = append(h.movements, movementOf(e, int64(amount.lo)))
	}
}

func formatAll(numbers []int64, decimals int) string {
	var all []string
	for _, n := range numbers {
		all = append(all, formatFixed(n, decimals))
	}
	return "{" + strings.Join(all, ",") + "}"
}
