package booktest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgtape/pgtape/db"
)

// book is what one program has made of the database, as it should be. Totals of the whole database
// go on from where the programs before have left them.
type book struct {
	rule     rule
	accounts []*account
	markets  []*market

	house        number
	houseVersion int64
	houseEvents  []event
	trades       int64
	entries      int64
	lastTrade    int64
}

type account struct {
	handle  string
	balance number
	granted number
	ledger  map[string]number // by kind and market
	keys    map[string]placed // what was done under each idempotency key
	orders  []db.Order        // those with a key
}

type market struct {
	slug, question, description, category string

	outcomes      []string
	b, subsidy    number
	funder        *account // nil: the house
	closesAt      *time.Time
	void          []number
	status        string
	q, prices     []number
	volume        number
	priced        int // trades that moved a price
	trades        []db.Receipt
	proposal      []number
	payout        []number
	escrow        number
	ledger        map[string]number
	positions     map[*account][]number
	known         map[*account][]bool // whether the account has ever held the outcome
	pot           number              // what the escrow held when it paid out
	received      map[*account]number // of the pot, corrections included
	events        []event
	pricesAtEvent [][]number
}

// event is an event of a tape: kind and, as JSON is decoded, body.
type event struct {
	kind string
	body object
}

type object = map[string]any

func newBook() *book {
	return &book{rule: rule{known: map[string]point{}}}
}

// account finds somebody by handle, whatever its case; nil: nobody.
func (b *book) account(handle string) *account {
	for _, a := range b.accounts {
		if strings.EqualFold(a.handle, handle) {
			return a
		}
	}
	return nil
}

// market finds a market by slug; nil: none.
func (b *book) market(slug string) *market {
	for _, m := range b.markets {
		if m.slug == slug {
			return m
		}
	}
	return nil
}

// post moves credits into an account or, if amount is negative, out of it: one entry of the ledger.
func (b *book) post(a *account, kind string, m *market, amount number) {
	if amount.sign() == 0 {
		return
	}
	b.entries++
	key := kind
	if m != nil {
		key += " " + m.slug
	}
	if a == nil {
		b.house = b.house.plus(amount)
		return
	}
	a.balance = a.balance.plus(amount)
	add(a.ledger, key, amount)
}

// postEscrow moves credits into a market's escrow, or out of it.
func (b *book) postEscrow(m *market, kind string, amount number) {
	if amount.sign() == 0 {
		return
	}
	b.entries++
	m.escrow = m.escrow.plus(amount)
	add(m.ledger, kind+" "+m.slug, amount)
}

func add[K comparable](sums map[K]number, key K, amount number) {
	sum, ok := sums[key]
	if !ok {
		sum = zero
	}
	sums[key] = sum.plus(amount)
}

func (b *book) addAccount(handle string, opening number) *account {
	a := &account{
		handle: handle, balance: zero, granted: opening,
		ledger: map[string]number{}, keys: map[string]placed{},
	}
	b.accounts = append(b.accounts, a)
	b.announce("account", object{"account": object{"handle": handle, "opening_grant": opening.text(6)}})
	b.post(nil, "opening_grant", nil, opening.negative())
	b.post(a, "opening_grant", nil, opening)
	return a
}

func (b *book) grant(a *account, amount number, reason, actor string) {
	a.granted = a.granted.plus(amount)
	b.post(nil, "grant", nil, amount.negative())
	b.post(a, "grant", nil, amount)
	b.announce("grant", object{"grant": object{
		"account": a.handle, "amount": amount.text(6), "reason": strings.TrimSpace(reason), "actor": actor,
	}})
}

// announce writes an event of the house's tape.
func (b *book) announce(kind string, body object) {
	b.houseVersion++
	b.houseEvents = append(b.houseEvents, event{kind, body})
}

// addMarket makes a market whose declaration is sound and whose funder can pay.
func (b *book) addMarket(m *market, draft bool) {
	m.status = "open"
	if draft {
		m.status = "draft"
	}
	m.q = slices.Repeat([]number{zero}, len(m.outcomes))
	m.prices = b.rule.at(m.q, m.b).prices
	m.volume, m.escrow = zero, zero
	m.ledger = map[string]number{}
	m.positions, m.known = map[*account][]number{}, map[*account][]bool{}
	m.received = map[*account]number{}
	b.markets = append(b.markets, m)
	b.post(m.funder, "subsidy", m, m.subsidy.negative())
	b.postEscrow(m, "subsidy", m.subsidy)

	m.announce("created", object{"created": object{
		"question": m.question, "description": m.description, "category": m.category,
		"outcomes": anys(m.outcomes), "liquidity": m.b.text(6), "subsidy": m.subsidy.text(6),
		"closes_at": jsonTime(m.closesAt), "account": m.createdBy(), "void_payout": m.byOutcome(m.void, 6),
	}})
}

// announce writes an event of a market's tape, with the state that it leads to.
func (m *market) announce(kind string, body object) {
	body["prices"] = m.byOutcome(m.prices, 12)
	if kind != "trade" && kind != "commented" && kind != "comment_removed" {
		body["status"] = m.status
	}
	m.events = append(m.events, event{kind, body})
	m.pricesAtEvent = append(m.pricesAtEvent, m.prices)
}

func (m *market) version() int64 { return int64(len(m.events)) }

func (m *market) createdBy() string {
	if m.funder == nil {
		return "house"
	}
	return m.funder.handle
}

// held is what an account holds of each outcome.
func (m *market) held(a *account) []number {
	if shares := m.positions[a]; shares != nil {
		return shares
	}
	return slices.Repeat([]number{zero}, len(m.outcomes))
}

// holds tells whether an account holds anything.
func (m *market) holds(a *account) bool {
	return a != nil && total(m.held(a)).sign() > 0
}

func (m *market) byOutcome(numbers []number, places int) object {
	body := object{}
	for i, outcome := range m.outcomes {
		body[outcome] = numbers[i].text(places)
	}
	return body
}

func jsonTime(at *time.Time) any {
	if at == nil {
		return nil
	}
	return at.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func anys(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

// state is everything a program can have changed, as lines by what they are about.
func (b *book) state() map[string]string {
	lines := map[string]string{
		"sum of all balances": "0.000000",
		"balance of house":    b.house.text(6),
		"events of house":     fmt.Sprint(b.houseVersion),
		"trades":              fmt.Sprint(b.trades),
		"ledger entries":      fmt.Sprint(b.entries),
	}
	for _, a := range b.accounts {
		lines["balance of "+a.handle] = a.balance.text(6)
	}
	for _, m := range b.markets {
		lines["market "+m.slug] = m.line()
		lines["balance of market:"+m.slug] = m.escrow.text(6)
		for a, shares := range m.positions {
			for i := range shares {
				if m.known[a][i] {
					lines[fmt.Sprintf("position of %s in %s of %s", a.handle, m.slug, m.outcomes[i])] = shares[i].text(6)
				}
			}
		}
	}
	return lines
}

// line is the state of a market.
func (m *market) line() string {
	return strings.Join([]string{
		m.status, fmt.Sprint(m.version()), literal(m.q, 6), literal(m.prices, 12), m.volume.text(6),
		fmt.Sprint(m.priced), fmt.Sprint(len(m.positions)), m.subsidy.text(6), m.createdBy(),
		literal(m.void, 6), literal(m.proposal, 6), literal(m.payout, 6),
	}, " ")
}

// lineOf is the state of a market as a function has returned it.
func lineOf(m db.Market) string {
	array := func(numbers []db.Decimal) string {
		if numbers == nil {
			return "null"
		}
		var list []string
		for _, n := range numbers {
			list = append(list, string(n))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	return strings.Join([]string{
		m.Status, fmt.Sprint(m.Version), array(m.Outstanding), array(m.Prices), string(m.Volume),
		fmt.Sprint(m.Trades), fmt.Sprint(m.Traders), string(m.Subsidy), m.CreatedBy,
		array(m.VoidPayout), array(m.Proposal), array(m.Payout),
	}, " ")
}
