package db_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// Whoever is offered a move may make it, and nobody may make another: in every state, for everybody.
func TestMovesAreOfferedToWhoMayMakeThem(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server := d.AsServer(t)
	const enough = "100000"
	stranger, holder, maker, operator := d.Account(t, enough), d.Account(t, enough), d.Account(t, enough), d.Account(t, enough)
	d.Exec(t, "select pgtape.set_setting('markets_per_day', '999999')")
	if _, err := d.SetRole(t.Context(), operator, db.Operator, ""); err != nil {
		t.Fatal(err)
	}
	signedIn := d.Proof(t, operator)
	move := func(name, market, account string) error {
		m := db.Move{Market: market, Name: name, Reason: "why", Account: account}
		if name == "propose" || name == "resolve" || name == "correct" {
			m.Payout = []db.Decimal{"1", "0"}
		}
		ctx := t.Context()
		if account == operator {
			ctx = signedIn
		}
		_, err := server.MoveMarket(ctx, m)
		return err
	}
	offers := 0
	for state, path := range reach {
		for who, account := range map[string]string{"stranger": stranger, "holder": holder, "maker": maker, "operator": operator} {
			for _, name := range []string{"open", "halt", "close", "propose", "dispute", "resolve", "void", "correct"} {
				slug := fmt.Sprintf("%s-%s-%s", state, who, name)
				if _, err := server.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Will it?", Account: maker, Draft: state == "draft"}); err != nil {
					t.Fatal(err)
				}
				if state != "draft" {
					trade(t, d, holder, slug, "yes", "1")
				}
				for _, step := range path {
					if err := move(step, slug, operator); err != nil {
						t.Fatalf("%s: %s: %v", slug, step, err)
					}
				}
				offered, err := server.Moves(t.Context(), slug, account)
				if err != nil {
					t.Fatal(err)
				}
				if slices.Contains(offered.Moves, name) {
					offers++
				}
				if err := move(name, slug, account); (err == nil) != slices.Contains(offered.Moves, name) {
					t.Errorf("%s: offered %v, made: %v", slug, offered, err)
				}
			}
		}
	}
	if offers < 25 {
		t.Errorf("only %d moves were offered", offers)
	}
	if _, err := server.Moves(t.Context(), "nothing", stranger); db.CodeOf(err) != db.NotFound {
		t.Errorf("moves of no market: %v", err)
	}
	d.Verify(t)
}

// The server's own login counts for nothing: not even a superuser's makes an operator of a trader.
func TestAServerLendsNobodyItsRights(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t) // a superuser
	ana, market := d.Account(t, "10"), d.Market(t)
	for _, name := range []string{"halt", "close", "resolve", "void"} {
		move := db.Move{Market: market, Name: name, Payout: []db.Decimal{"1", "0"}, Reason: "why", Account: ana}
		if _, err := d.MoveMarket(t.Context(), move); db.CodeOf(err) != db.NotPermitted {
			t.Errorf("%s: %v, want %s", name, err, db.NotPermitted)
		}
	}
	if _, err := d.SetRole(t.Context(), ana, db.Admin, ana); db.CodeOf(err) != db.NotPermitted {
		t.Errorf("making oneself an admin: %v", err)
	}
	if _, err := d.MoveMarket(t.Context(), db.Move{Market: market, Name: "drop", Account: ana}); db.CodeOf(err) != db.InvalidRequest {
		t.Errorf("a move that is none: %v", err)
	}
}

func TestASettlementIsWhatResolvingDoes(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, maker := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000")
	for i, payout := range [][]db.Decimal{{"1", "0", "0"}, {"0", "0", "1"}, {"0.5", "0.25", "0.25"}, nil} {
		slug := fmt.Sprintf("m%d", i)
		made, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Which?", Outcomes: []string{"a", "b", "c"}, Account: maker})
		if err != nil {
			t.Fatal(err)
		}
		trade(t, d, ana, slug, "a", "12.345678")
		trade(t, d, bo, slug, "b", "40")
		want, err := d.Settlement(t.Context(), slug, payout)
		if err != nil {
			t.Fatal(err)
		}
		before := map[string]db.Decimal{ana: balance(t, d, ana), bo: balance(t, d, bo), maker: balance(t, d, maker)}
		if payout == nil {
			_, err = d.VoidMarket(t.Context(), made.Slug, "why")
		} else {
			_, err = d.ResolveMarket(t.Context(), made.Slug, payout, "why")
		}
		if err != nil {
			t.Fatal(err)
		}
		anas, bos := less(t, d, balance(t, d, ana), before[ana]), less(t, d, balance(t, d, bo), before[bo])
		people := int64(0)
		for _, got := range []string{anas, bos} {
			if got != "0" {
				people++
			}
		}
		var paid string
		if err := d.Pool().QueryRow(t.Context(), "select trim_scale($1::text::numeric + $2::text::numeric - $3::text::numeric)::text", anas, bos, want.Paid).Scan(&paid); err != nil || paid != "0" {
			t.Errorf("%v: %s and %s were paid, foretold %s (%s, %v)", payout, anas, bos, want.Paid, paid, err)
		}
		if got := less(t, d, balance(t, d, maker), before[maker]); less(t, d, want.Returned, db.Decimal(got)) != "0" || people != want.People || want.Funder != maker {
			t.Errorf("%v: returned %s, paid %d people, foretold %+v", payout, got, people, want)
		}
	}
	if _, err := d.Settlement(t.Context(), "nothing", nil); db.CodeOf(err) != db.NotFound {
		t.Errorf("of no market: %v", err)
	}
	if _, err := d.Settlement(t.Context(), d.Market(t), []db.Decimal{"1", "1"}); db.CodeOf(err) != db.InvalidRequest {
		t.Errorf("of a payout that is none: %v", err)
	}
	d.Verify(t)
}

func TestAPreviewIsWhatTheMarketBecomes(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana := d.Account(t, "1000")
	preview, err := d.MarketPreview(t.Context(), 3, "42.5", "10")
	if err != nil {
		t.Fatal(err)
	}
	market, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "which", Question: "Which?", Outcomes: []string{"a", "b", "c"}, Liquidity: "42.5"})
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := d.Trade(t.Context(), db.Order{Account: ana, Market: "which", Outcome: "a", Side: "buy", Spend: "10", MaxCost: "10"})
	if err != nil {
		t.Fatal(err)
	}
	got := db.Preview{Subsidy: market.Subsidy, PriceBefore: receipt.PriceBefore, PriceAfter: receipt.PriceAfter, Shares: receipt.Shares}
	if got != preview {
		t.Errorf("it became %+v, foretold %+v", got, preview)
	}
	for _, bad := range []struct {
		outcomes         int
		liquidity, spend db.Decimal
	}{{1, "100", "10"}, {51, "100", "10"}, {2, "0", "10"}, {2, "", "10"}, {2, "NaN", "10"}, {2, "100", "0"}, {2, "100", "-1"}, {2, "1e9", "1"}} {
		if _, err := d.MarketPreview(t.Context(), bad.outcomes, bad.liquidity, bad.spend); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("%+v: %v, want %s", bad, err, db.InvalidRequest)
		}
	}
}

func TestEveryPrivilegedActIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server := d.AsServer(t)
	ana, boss, market := d.Account(t, "10"), d.Account(t, "10"), d.Market(t)
	if _, err := d.SetRole(t.Context(), boss, db.Admin, ""); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "insert into pgtape_core.credential (account_id, phc) select id, $2 from pgtape_core.account where handle = $1", ana, anyPassword)
	if _, err := server.SetRole(d.Proof(t, boss), ana, db.Operator, boss); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"halt", "open", "close"} {
		if _, err := server.MoveMarket(d.Proof(t, ana), db.Move{Market: market, Name: name, Reason: "because of " + name, Account: ana}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.GrantCredits(t.Context(), ana, "5", "cake"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.MoveMarket(t.Context(), db.Move{Market: market, Name: "halt", Reason: "too late", Account: ana}); err == nil {
		t.Fatal("a closed market was halted")
	}
	entries, err := server.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ actor, act, subject string }
	var got []line
	for _, e := range entries {
		if e.Login == "" || e.At.IsZero() || !slices.Contains([]string{"{", "["}, string(e.Detail[:1])) {
			t.Errorf("entry %+v", e)
		}
		got = append(got, line{e.Actor, e.Act, e.Subject})
	}
	superuser := got[len(got)-1].actor
	want := []line{
		{superuser, "granted", ana},
		{ana, "closed", market},
		{ana, "opened", market},
		{ana, "halted", market},
		{boss, "role_given", ana},
		{superuser, "role_given", boss},
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log has %v, want %v", got, want)
	}
	page, err := server.Audit(t.Context(), entries[1].ID, 2)
	if err != nil || len(page) != 2 || page[0].ID != entries[2].ID {
		t.Errorf("a page behind %d: %+v, %v", entries[1].ID, page, err)
	}
	for _, statement := range []string{"update pgtape_core.audit_entry set actor = 'x'", "delete from pgtape_core.audit_entry", "truncate pgtape_core.audit_entry"} {
		if _, err := d.Pool().Exec(t.Context(), statement); err == nil {
			t.Errorf("%s: done", statement)
		}
	}
}
