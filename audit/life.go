package audit

import "slices"

const (
	lifecycle     = "a market moves only as its life allows"
	payoutFollows = "a payout is what was declared"
	shortFollows  = "a correction is short of what is not there"
)

// move is a change of status: from one of these, to that.
type move struct {
	from []string
	to   string
}

var moves = map[string]move{
	"opened":    {[]string{"draft", "halted"}, "open"},
	"halted":    {[]string{"open"}, "halted"},
	"closed":    {[]string{"open", "halted"}, "closed"},
	"proposed":  {[]string{"closed", "proposed", "disputed"}, "proposed"},
	"disputed":  {[]string{"proposed"}, "disputed"},
	"resolved":  {[]string{"open", "halted", "closed", "proposed", "disputed"}, "resolved"},
	"void":      {[]string{"draft", "open", "halted", "closed", "proposed", "disputed"}, "void"},
	"corrected": {[]string{"resolved", "void"}, "resolved"},
}

// act moves a market, by an act of somebody who gives a reason.
func (m *market) act(e Event, b *body) {
	move := moves[e.Kind]
	if !slices.Contains(move.from, m.status) || b.status != move.to || b.reason == "" || b.actor == "" {
		m.found.at(e, lifecycle, "%s from %s to %.20s, by %.40q because of %.40q", e.Kind, m.status, b.status, b.actor, b.reason)
	}
	m.status = move.to
	var payout []int64
	if b.has&hasPayout != 0 {
		if payout = m.readPayout(e, b.payout); payout == nil {
			return
		}
	}
	switch e.Kind {
	case "proposed":
		m.proposal = payout
	case "void":
		if !slices.Equal(payout, m.onVoid) {
			m.found.at(e, payoutFollows, "payout %s, declared %s", formatAll(payout, creditDecimals), formatAll(m.onVoid, creditDecimals))
		}
		m.payOut(e, payout)
	case "resolved":
		m.payOut(e, payout)
	case "corrected":
		m.correct(e, payout, b.short)
	}
}

// payOut gives each holder what the payout makes of the shares, and the funder the rest.
func (m *market) payOut(e Event, payout []int64) {
	m.payout = payout
	m.pool = m.escrow
	for handle, due := range m.entitled(payout) {
		m.pay(e, handle, due)
	}
	if m.escrow != (total{}) {
		m.found.at(e, "resolution leaves the escrow at 0", "escrow %s", m.escrow)
	}
}

// correct makes what each account has had of the market what the new payout makes of the shares;
// the house is on the other side of each difference. An account that is short has not got what it
// must give back: it gives all it has, and the house bears the rest.
func (m *market) correct(e Event, payout []int64, short vector) {
	m.payout = payout
	lacks := m.readShort(e, short)
	for handle, due := range m.entitled(payout) {
		if handle == houseStream {
			continue
		}
		h := m.holder(handle)
		difference := due.minus(h.paid)
		if lack := lacks[handle]; lack > 0 {
			difference = difference.plus(totalOf(lack))
			h.movements = append(h.movements, movement{at: e.At.UnixMicro(), short: true})
			delete(lacks, handle)
			if !difference.negative() && difference != (total{}) {
				m.found.at(e, shortFollows, "%.40q is short of %s and gets %s", handle, credits(lack), difference)
			}
		}
		m.pay(e, handle, difference)
		m.pay(e, houseStream, difference.negated())
	}
	for handle, lack := range lacks {
		m.found.at(e, shortFollows, "%.40q is short of %s and has nothing to give back", handle, credits(lack))
	}
}

func (m *market) readShort(e Event, short vector) map[string]int64 {
	lacks := map[string]int64{}
	for i, handle := range short.names {
		if _, twice := lacks[handle]; twice || short.numbers[i] <= 0 {
			m.found.at(e, shortFollows, "%.40q is short of %s", handle, credits(short.numbers[i]))
		}
		lacks[handle] = short.numbers[i]
	}
	return lacks
}

// entitled gives what each account should have of a market that has paid out.
func (m *market) entitled(payout []int64) map[string]total {
	due := map[string]total{m.funder: {}}
	rest := m.pool
	for handle, h := range m.holders {
		amount := totalOf(pays(h.shares, payout))
		due[handle] = due[handle].plus(amount)
		rest = rest.minus(amount)
	}
	due[m.funder] = due[m.funder].plus(rest)
	return due
}

// pay moves credits of the market as payout.
func (m *market) pay(e Event, handle string, amount total) {
	m.give(e, handle, amount)
	m.escrow = m.escrow.minus(amount)
	if handle != houseStream {
		h := m.holder(handle)
		h.paid = h.paid.plus(amount)
	}
}
