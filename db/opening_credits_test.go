package db_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// Who begins with credits is the database's to say: what a server asks for changes nothing.
func TestOpeningCreditsAreForWhomTheSiteSays(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server, _ := login(t, d, "pgtape_server")
	opened := 0
	signUp := func(invite, subject any) string {
		t.Helper()
		opened++
		var balance string
		err := server.QueryRow(t.Context(), "select (pgtape.sign_up($1, null, $2, $3, $4)).balance::text",
			fmt.Sprintf("p%d", opened), invite, map[bool]any{true: "https://id.example"}[subject != nil], subject).Scan(&balance)
		if err != nil {
			t.Fatal(err)
		}
		return balance
	}
	d.Exec(t, "select pgtape.create_invite(sha256('code'), 10)")
	var code []byte
	if err := d.Pool().QueryRow(t.Context(), "select sha256('code')").Scan(&code); err != nil {
		t.Fatal(err)
	}
	const all, none = "1000.000000", "0.000000"
	for _, tt := range []struct {
		rule                     string
		plain, invited, identity string
	}{
		{"everyone", all, all, all}, {"invite", none, all, none}, {"oidc", none, none, all}, {"approval", none, none, none},
	} {
		d.Exec(t, "select pgtape.set_setting('opening_credits', $1)", tt.rule)
		if got := signUp(nil, nil); got != tt.plain {
			t.Errorf("%s: who just signs up begins with %s", tt.rule, got)
		}
		if got := signUp(code, nil); got != tt.invited {
			t.Errorf("%s: with an invite: %s", tt.rule, got)
		}
		if got := signUp(nil, "one of "+tt.rule); got != tt.identity {
			t.Errorf("%s: with an identity: %s", tt.rule, got)
		}
		var balance string
		err := server.QueryRow(t.Context(), "select (pgtape.create_account($1)).balance::text", fmt.Sprintf("q%d", opened)).Scan(&balance)
		if err != nil || balance != tt.plain {
			t.Errorf("%s: an account that the server makes: %s, %v", tt.rule, balance, err)
		}
	}

	d.Exec(t, "select pgtape.set_setting('opening_credits', 'oidc')")
	if got := signUp(nil, "comes twice"); got != all {
		t.Errorf("for the first time: %s", got)
	}
	if _, err := d.DeleteAccount(t.Context(), fmt.Sprintf("p%d", opened), fmt.Sprintf("p%d", opened)); err != nil {
		t.Fatal(err)
	}
	if got := signUp(nil, "comes twice"); got != none {
		t.Errorf("deleted and signed up again: %s", got)
	}

	for i, want := range []db.Code{"", db.AlreadyExists} {
		if _, err := d.ApproveAccount(t.Context(), fmt.Sprintf("p%d", opened), ""); db.CodeOf(err) != want {
			t.Errorf("approved, time %d: %v, want %q", i+1, err, want)
		}
	}
	d.Verify(t)
}

// What one account loses to another is seen by operators.
func TestTransfersOfValueAreSeen(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	main, helper, other := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000")
	market, quiet := d.Market(t), d.Market(t)
	trade(t, d, other, quiet, "yes", "1")
	trade(t, d, main, market, "yes", "100")
	trade(t, d, helper, market, "yes", "200")
	held, err := d.Trade(t.Context(), db.Order{Account: main, Market: market, Outcome: "yes", Side: "sell", Shares: "100", MinProceeds: "1"})
	if err != nil {
		t.Fatal(err)
	}
	transfers, err := d.ValueTransfers(t.Context(), 10)
	if err != nil || len(transfers) != 1 || transfers[0].From != helper || transfers[0].To != main || transfers[0].Markets != 1 {
		t.Fatalf("transfers: %+v, %v, want one from %s to %s (%+v)", transfers, err, helper, main, held)
	}
	trader, _ := login(t, d, "pgtape_trader")
	if _, err := trader.Exec(context.WithoutCancel(t.Context()), "select * from pgtape.value_transfers"); err == nil {
		t.Error("traders see who lost to whom")
	}
}

// Everybody may know the rules; the table that has them keeps secrets too.
func TestSettingsTellNoSecrets(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	if _, err := d.DeviceKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	trader, _ := login(t, d, "pgtape_trader")
	var names string
	err := trader.QueryRow(t.Context(), "select string_agg(name, ' ' order by name) from pgtape.settings").Scan(&names)
	const want = "comments_per_minute market_creation market_min_liquidity markets_per_day opening_balance opening_credits"
	if err != nil || names != want {
		t.Errorf("settings %q, %v, want %q", names, err, want)
	}
}
