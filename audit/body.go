package audit

import (
	"strconv"
	"strings"
	"time"
)

// body is what an event says. A member means the same in every kind that has it; has tells which
// ones it has.
type body struct {
	has field

	id                       int64
	handle, account, outcome string
	side, reason, actor      string
	shares, amount, avgPrice int64
	liquidity, subsidy       int64
	openingGrant             int64
	closesAt                 time.Time // zero: never
	outcomes                 []string
	payout, voidPayout       vector
	short                    vector

	status string
	prices vector
}

// vector is one number by name, in the order of the body.
type vector struct {
	names   []string
	numbers []int64
}

type field uint

const (
	hasDetail field = 1 << iota // the member named like the kind, with all below but status and prices
	hasID
	hasHandle
	hasAccount
	hasOutcome
	hasSide
	hasReason
	hasActor
	hasShares
	hasAmount
	hasAvgPrice
	hasLiquidity
	hasSubsidy
	hasOpeningGrant
	hasClosesAt
	hasOutcomes
	hasPayout
	hasVoidPayout
	hasShort
	hasStatus
	hasPrices

	hasAct = hasDetail | hasReason | hasActor | hasStatus | hasPrices
)

// required is what an event of each kind says, at least.
var required = map[string]field{
	"account": hasDetail | hasHandle | hasOpeningGrant,
	"grant":   hasDetail | hasAccount | hasAmount | hasReason | hasActor,

	"created": hasDetail | hasOutcomes | hasLiquidity | hasSubsidy | hasClosesAt | hasAccount | hasVoidPayout | hasStatus | hasPrices,
	"trade":   hasDetail | hasID | hasAccount | hasOutcome | hasSide | hasShares | hasAmount | hasAvgPrice | hasPrices,

	"opened":    hasAct,
	"halted":    hasAct,
	"closed":    hasAct,
	"proposed":  hasAct | hasPayout,
	"disputed":  hasAct,
	"resolved":  hasAct | hasPayout,
	"void":      hasAct | hasPayout,
	"corrected": hasAct | hasPayout | hasShort,

	commented:      hasDetail | hasID | hasAccount | hasPrices,
	commentRemoved: hasDetail | hasID | hasAccount | hasActor | hasPrices,
}

// read takes a body apart; what it gave before is overwritten. False says that it is not the JSON
// of such an event, or says something twice.
func (b *body) read(kind, text string) bool {
	need, known := required[kind]
	if !known {
		return false
	}
	b.reset()
	s := &scanner{text: text}
	for name := range s.members {
		switch name {
		case kind:
			b.first(s, hasDetail)
			b.readDetail(s)
		case "status":
			b.first(s, hasStatus)
			b.status = s.str()
		case "prices":
			b.first(s, hasPrices)
			b.prices.read(s, priceDecimals)
		default:
			s.skip()
		}
	}
	return !s.bad && s.peek() == 0 && b.has&need == need
}

func (b *body) reset() {
	payout, voidPayout, short, prices := b.payout, b.voidPayout, b.short, b.prices
	*b = body{}
	b.payout, b.voidPayout, b.short, b.prices = payout.emptied(), voidPayout.emptied(), short.emptied(), prices.emptied()
}

// first notes a member, and that there was none of the name before: two readers must not be able
// to see different things.
func (b *body) first(s *scanner, f field) {
	s.bad = s.bad || b.has&f != 0
	b.has |= f
}

func (b *body) readDetail(s *scanner) {
	for name := range s.members {
		f := fields[name]
		if f == 0 {
			s.skip()
			continue
		}
		b.first(s, f)
		b.readMember(s, f)
	}
}

var fields = map[string]field{
	"id": hasID, "handle": hasHandle, "account": hasAccount, "outcome": hasOutcome, "side": hasSide,
	"reason": hasReason, "actor": hasActor, "shares": hasShares, "amount": hasAmount, "avg_price": hasAvgPrice,
	"liquidity": hasLiquidity, "subsidy": hasSubsidy, "opening_grant": hasOpeningGrant, "closes_at": hasClosesAt,
	"outcomes": hasOutcomes, "payout": hasPayout, "void_payout": hasVoidPayout, "short": hasShort,
}

func (b *body) readMember(s *scanner, f field) {
	switch f {
	case hasID:
		text := s.bare()
		b.id, _ = strconv.ParseInt(text, 10, 64)
		s.bad = s.bad || strconv.FormatInt(b.id, 10) != text
	case hasHandle:
		b.handle = s.str()
	case hasAccount:
		b.account = s.str()
	case hasOutcome:
		b.outcome = s.str()
	case hasSide:
		b.side = s.str()
	case hasReason:
		b.reason = s.str()
	case hasActor:
		b.actor = s.str()
	case hasShares:
		b.shares = s.fixed(creditDecimals)
	case hasAmount:
		b.amount = s.fixed(creditDecimals)
	case hasAvgPrice:
		b.avgPrice = s.fixed(creditDecimals)
	case hasLiquidity:
		b.liquidity = s.fixed(creditDecimals)
	case hasSubsidy:
		b.subsidy = s.fixed(creditDecimals)
	case hasOpeningGrant:
		b.openingGrant = s.fixed(creditDecimals)
	case hasClosesAt:
		b.closesAt = readTime(s)
	case hasOutcomes:
		for range s.elements {
			b.outcomes = append(b.outcomes, s.str())
		}
	case hasPayout:
		b.payout.read(s, creditDecimals)
	case hasVoidPayout:
		b.voidPayout.read(s, creditDecimals)
	case hasShort:
		b.short.read(s, creditDecimals)
	case hasDetail, hasStatus, hasPrices, hasAct: // read reads them, outside of the detail
	}
}

func readTime(s *scanner) (at time.Time) {
	if s.peek() != '"' {
		s.bad = s.bad || s.bare() != "null"
		return at
	}
	year, rest, _ := strings.Cut(s.str(), "-")
	y, err := strconv.Atoi(year)
	s.bad = s.bad || err != nil || len(year) < 4 || len(year) > 6     // older tapes have years of Postgres' range
	at, err = time.Parse("2006-01-02T15:04:05.000000Z", "2000-"+rest) // 2000 has every day that a year may have
	s.bad = s.bad || err != nil
	return time.Date(y, at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
}

func (v *vector) read(s *scanner, decimals int) {
	for name := range s.members {
		v.names = append(v.names, name)
		v.numbers = append(v.numbers, s.fixed(decimals))
	}
}

func (v vector) emptied() vector { return vector{v.names[:0], v.numbers[:0]} }

// of gives the numbers if they are one for each name, in this order.
func (v vector) of(names []string) ([]int64, bool) {
	if len(v.names) != len(names) {
		return nil, false
	}
	for i, name := range names {
		if v.names[i] != name {
			return nil, false
		}
	}
	return v.numbers, true
}
