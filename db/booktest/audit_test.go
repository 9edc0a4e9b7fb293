package booktest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/audit"
	"github.com/pgtape/pgtape/db"
)

// audit rebuilds the database from its tapes, by a third implementation of the rules.
func (p *program) audit(t *rapid.T) {
	t.Helper()
	err := p.doors.server.ReadBook(p.ctx, func(b *db.Book) error {
		rebuilt, err := audit.Replay(p.ctx, func(yield func(audit.Event, error) bool) {
			for e, err := range b.Events(p.ctx) {
				if !yield(audit.Event{Market: e.Market, Seq: e.Seq, At: e.At, Kind: e.Kind, Body: e.Body, Prev: e.Prev, Hash: e.Hash}, err) {
					return
				}
			}
		}, audit.Options{Workers: 1})
		if err != nil {
			return err
		}
		state, err := p.auditState(b)
		if err != nil {
			return err
		}
		for _, f := range append(rebuilt.Findings(), rebuilt.Compare(state)...) {
			p.broken = true
			t.Logf("audit: %s: %s: %s", f.Invariant, f.Subject, f.Problem)
		}
		return nil
	})
	if err != nil {
		fail(t, "error: %v", err)
	}
	if p.broken {
		t.Fatal("the audit has found something")
	}
}

// auditState reads what the tables say.
func (p *program) auditState(b *db.Book) (s audit.State, err error) {
	balances, err := b.Balances(p.ctx)
	if err != nil {
		return s, err
	}
	escrows := map[string]string{}
	for _, a := range balances {
		switch a.Kind {
		case "house":
			s.House.Balance = string(a.Balance)
		case "market":
			escrows[a.Handle] = string(a.Balance)
		default:
			s.Accounts = append(s.Accounts, audit.AccountState{Account: a.Handle, Balance: string(a.Balance)})
		}
	}
	heads, err := b.Heads(p.ctx)
	if err != nil {
		return s, err
	}
	hashes := map[string]string{}
	for _, h := range heads {
		hashes[h.Market] = h.Hash
		if h.Market == "house" {
			s.House.Version, s.House.Head = h.Seq, h.Hash
		}
	}
	markets, err := b.Markets(p.ctx)
	if err != nil {
		return s, err
	}
	for _, m := range markets {
		s.Markets = append(s.Markets, audit.MarketState{
			Market: m.Slug, Status: m.Status, Version: m.Version, Head: hashes[m.Slug], Outcomes: m.Outcomes,
			Outstanding: texts(m.Outstanding), Prices: texts(m.Prices), Volume: string(m.Volume), Trades: m.Trades,
			Proposal: texts(m.Proposal), Payout: texts(m.Payout), Escrow: escrows[db.EscrowOf(m.Slug)],
		})
	}
	holdings, err := b.Holdings(p.ctx)
	if err != nil {
		return s, fmt.Errorf("reading positions: %w", err)
	}
	for _, h := range holdings {
		s.Positions = append(s.Positions, audit.PositionState{Account: h.Account, Market: h.Market, Outcome: h.Outcome, Shares: string(h.Shares)})
	}
	return s, nil
}

func texts(decimals []db.Decimal) []string {
	if decimals == nil {
		return nil
	}
	list := make([]string, len(decimals))
	for i, d := range decimals {
		list[i] = string(d)
	}
	return list
}
