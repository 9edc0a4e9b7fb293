package state

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/pgtape/pgtape/audit/lmsr"
	"github.com/pgtape/pgtape/db"
)

// closing is how near to its close a market is left to the clock of the database.
const closing = time.Minute

// Quote tells what an order would do, digit by digit what pgtape.quote would say at this version. It
// is not ok what would be refused, or is not settled here beyond doubt: the database answers that.
// Only Outcome, Side, Shares and Spend count.
func (v *View) Quote(o db.Order, now time.Time) (quote db.Quote, ok bool) {
	m := &v.Market
	if m.Status != "open" || m.ClosesAt != nil && m.ClosesAt.Sub(now) < closing {
		return quote, false
	}
	shares, spend := orderMicros(o.Shares), orderMicros(o.Spend)
	if (shares > 0) == (spend > 0) || shares < 0 || spend < 0 || o.Side != "buy" && (o.Side != "sell" || spend > 0) {
		return quote, false
	}
	v.makerMu.Lock()
	defer v.makerMu.Unlock()
	if v.maker == nil {
		if v.maker, v.liquidity, ok = makerOf(m); !ok {
			return quote, false
		}
	}
	p := pricing{maker: v.maker, liquidity: v.liquidity, side: o.Side, at: slices.Index(m.Outcomes, o.Outcome)}
	switch {
	case o.Outcome == completeSet:
		ok = p.sets(max(shares, spend))
	case p.at < 0:
		return quote, false
	case spend > 0:
		ok = p.spend(spend)
	default:
		ok = p.shares(shares)
	}
	return db.Quote{
		Market: m.Slug, Version: m.Version, Outcome: o.Outcome, Side: o.Side,
		Shares: fixed(p.moved, decimals), Amount: fixed(p.amount, decimals), AvgPrice: fixed(average(p.amount, p.moved), priceDecimals),
		PriceBefore: fixed(p.before, priceDecimals), PriceAfter: fixed(p.after, priceDecimals),
	}, ok && !p.doubtful
}

// orderMicros reads a number of an order in micro-units: 0 if there is none, -1 if it is not one
// that an order may have.
func orderMicros(d db.Decimal) int64 {
	if d == "" {
		return 0
	}
	whole, fraction, _ := strings.Cut(string(d), ".")
	if len(fraction) > decimals || len(whole) > 13 {
		return -1
	}
	n, ok := micros(whole + "." + fraction + strings.Repeat("0", decimals-len(fraction)))
	if !ok || n <= 0 || n > lmsr.MaxShares {
		return -1
	}
	return n
}

// makerOf is the market maker of a market, where it stands.
func makerOf(m *db.Market) (maker *lmsr.Maker, liquidity int64, ok bool) {
	if liquidity, ok = micros(string(m.Liquidity)); !ok {
		return nil, 0, false
	}
	maker, err := lmsr.New(liquidity, len(m.Outcomes))
	if err != nil {
		return nil, 0, false
	}
	for i, text := range m.Outstanding {
		shares, ok := micros(string(text))
		if !ok {
			return nil, 0, false
		}
		if shares == 0 {
			continue
		}
		if _, err := maker.Trade(i, shares); err != nil {
			return nil, 0, false
		}
	}
	return maker, liquidity, true
}

// pricing prices one order, and leaves the maker where it stood.
type pricing struct {
	maker     *lmsr.Maker
	liquidity int64
	side      string
	at        int // the outcome

	moved, amount int64 // in micro-units
	before, after int64 // prices in pico-units
	doubtful      bool  // some amount on the way was not settled
}

func (p *pricing) shares(shares int64) bool {
	delta := shares
	if p.side == "sell" {
		delta = -shares
	}
	p.before = p.maker.Prices()[p.at]
	charge, err := p.maker.Trade(p.at, delta)
	if err != nil {
		return false
	}
	p.after = p.maker.Prices()[p.at]
	p.moved, p.amount = shares, charge.Amount
	_, err = p.maker.Trade(p.at, -delta)
	p.doubtful = p.doubtful || err != nil || charge.Or != charge.Amount
	return true
}

// sets prices complete sets, of which each costs 1 and moves no price.
func (p *pricing) sets(shares int64) bool {
	p.moved, p.amount, p.before, p.after = shares, shares, lmsr.Pico, lmsr.Pico
	outstanding := p.maker.Outstanding()
	if p.side == "sell" {
		return slices.Min(outstanding) >= shares
	}
	return slices.Max(outstanding)+shares <= lmsr.MaxShares
}

// spend finds the most shares whose charge is at most so much: near an estimate, by steps that
// double and then halve.
func (p *pricing) spend(credits int64) bool {
	low, high := credits, int64(lmsr.MaxShares)-p.maker.Outstanding()[p.at]+1 // a share costs less than 1
	if !p.costs(low, credits) {
		return false
	}
	if guess := p.estimate(credits); guess > low && guess < high {
		low, high = p.bracket(guess, low, high, credits)
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; p.costs(middle, credits) {
			low = middle
		} else {
			high = middle
		}
	}
	// At the end of the book the database says so, unless the charge alone ends it.
	return low+1 <= int64(lmsr.MaxShares)-p.maker.Outstanding()[p.at] && p.shares(low)
}

// costs says whether so many shares cost at most so much.
func (p *pricing) costs(shares, credits int64) bool { return p.shares(shares) && p.amount <= credits }

func (p *pricing) bracket(guess, low, high, credits int64) (int64, int64) {
	step := int64(1)
	if p.costs(guess, credits) {
		low = guess
		for ; low+step < high && p.costs(low+step, credits); step *= 2 {
			low += step
		}
		return low, min(high, low+step)
	}
	high = guess
	for ; high-step > low && !p.costs(high-step, credits); step *= 2 {
		high -= step
	}
	return max(low, high-step), high
}

// estimate is about how many shares so much buys: b ln(1 + (e^(spend/b) - 1)/price).
func (p *pricing) estimate(credits int64) int64 {
	b, price := float64(p.liquidity), float64(p.maker.Prices()[p.at])/lmsr.Pico
	guess := b * math.Log1p(math.Expm1(float64(credits)/b)/price)
	if math.IsNaN(guess) || guess < 0 || guess > lmsr.MaxShares {
		return 0
	}
	return int64(guess)
}

// average is credits per share, in pico-units, halves up.
func average(amount, shares int64) int64 {
	if shares <= 0 || amount < 0 || amount > shares {
		return 0
	}
	hi, lo := bits.Mul64(uint64(amount), lmsr.Pico)
	quotient, rest := bits.Div64(hi, lo, uint64(shares))
	if 2*rest >= uint64(shares) {
		quotient++
	}
	return int64(quotient)
}

// fixed writes units with so many decimals.
func fixed(units int64, decimals int) db.Decimal {
	digits := fmt.Sprintf("%0*d", decimals+1, units)
	return db.Decimal(digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:])
}
