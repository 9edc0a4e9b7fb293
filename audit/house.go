package audit

import "strings"

// houseStream is the stream of accounts and grants; no market has its name. The house itself, the
// issuer of credits, goes by it as an account too.
const houseStream = "house"

// house replays accounts and grants.
type house struct {
	chain    chain
	found    findings
	body     body
	accounts map[string]*account
	taken    map[string]bool // handles in lower case: Ana and ana are one person
	issued   total
}

type account struct {
	granted   total
	movements []movement
}

func (a *account) get(e Event, amount int64) {
	a.granted = a.granted.plus(totalOf(amount))
	a.movements = append(a.movements, movementOf(e, amount))
}

func newHouse() *house {
	return &house{
		found:    findings{stream: houseStream},
		accounts: map[string]*account{},
		taken:    map[string]bool{houseStream: true},
	}
}

// ofHouse tells whether a kind of event belongs to the house's stream.
func ofHouse(kind string) bool { return kind == "account" || kind == "grant" }

func (h *house) apply(e Event) {
	h.chain.follow(e, &h.found)
	if !ofHouse(e.Kind) || !h.body.read(e.Kind, e.Body) {
		h.found.at(e, wellFormed, "kind %.20q, body %.200q", e.Kind, e.Body)
		return
	}
	switch e.Kind {
	case "account":
		h.open(e, &h.body)
	case "grant":
		h.grant(e, &h.body)
	}
}

func (h *house) open(e Event, b *body) {
	key := strings.ToLower(b.handle)
	if h.taken[key] || b.handle == "" {
		h.found.at(e, "an account is opened once", "the handle %.40q is taken", b.handle)
		return
	}
	if b.openingGrant < 0 {
		h.found.at(e, "grants are positive", "an opening grant of %s", credits(b.openingGrant))
	}
	h.taken[key] = true
	a := &account{}
	a.get(e, b.openingGrant)
	h.accounts[strings.Clone(b.handle)] = a
	h.issued = h.issued.plus(totalOf(b.openingGrant))
}

func (h *house) grant(e Event, b *body) {
	a := h.accounts[b.account]
	if a == nil {
		h.found.at(e, knownAccounts, "a grant to %.40q", b.account)
		return
	}
	if b.amount <= 0 {
		h.found.at(e, "grants are positive", "a grant of %s", credits(b.amount))
	}
	a.get(e, b.amount)
	h.issued = h.issued.plus(totalOf(b.amount))
}
