package db_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/dbtest"
)

// A book that is broken in one row, as only a superuser can, is found out by the invariant meant.
func TestVerifyNamesWhatIsBroken(t *testing.T) {
	t.Parallel()
	// In the book: rain with trades, halted and opened in between; done, resolved.
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account('ana'), pgtape.create_account('bo')")
	d.Exec(t, "select pgtape.create_market('rain', 'Will it?')")
	d.Exec(t, "select pgtape.create_market('done', 'Did it?')")
	for _, market := range []string{"rain", "done"} {
		trade(t, d, "ana", market, "yes", "50")
		trade(t, d, "bo", market, "no", "20")
	}
	d.Exec(t, "select pgtape.trade('rain', 'yes', 'sell', shares => 5, min_proceeds => 1, account => 'ana', idempotency_key => 'k')")
	d.Exec(t, "select pgtape.halt_market('rain', 'why')")
	d.Exec(t, "select pgtape.open_market('rain', 'why')")
	d.Exec(t, "select pgtape.resolve_market('done', '{1,0}', 'it did')")
	d.Exec(t, "select pgtape.comment('done', 'so', 'ana')")
	d.Verify(t)
	const rain = "(select id from pgtape_core.market where slug = 'rain')"
	const done = "(select id from pgtape_core.market where slug = 'done')"
	const ana = "(select id from pgtape_core.account where handle = 'ana')"
	tests := []struct{ name, breakIt, want string }{
		{"an entry of one micro more", "update pgtape_core.ledger_entry set amount = amount + 0.000001 where kind = 'trade' and account_id = " + ana, "ledger entries sum to 0"},
		{"an entry of nobody", "update pgtape_core.ledger_entry set account_id = 999 where kind = 'opening_grant' and account_id = " + ana, "ledger entries belong to an account"},
		{"a balance of one micro more", "update pgtape_core.account set balance = balance + 0.000001 where handle = 'ana'", "balances equal their entries"},
		{"a negative balance", "alter table pgtape_core.account drop constraint balance_not_negative; update pgtape_core.account set balance = -1 where handle = 'ana'", "no negative balance"},
		{"a negative position", "alter table pgtape_core.position drop constraint shares_not_negative; update pgtape_core.position set shares = -1 where account_id = " + ana, "no negative position"},
		{"a switched-off trigger", "select 1", "history is append-only"},
		{"a trade that was not booked", "delete from pgtape_core.ledger_entry where kind = 'trade' and seq = 2 and market_id = " + rain, "trades and ledger agree"},
		{"a key used twice", "drop index pgtape_core.trade_idempotency; update pgtape_core.trade set idempotency_key = 'k' where account_id = " + ana, "one result per idempotency key"},
		{"a position of one micro more", "update pgtape_core.position set shares = shares + 0.000001 where account_id = " + ana, "positions equal their trades"},
		{"outstanding shares of one micro more", "update pgtape_core.book set outstanding[1] = outstanding[1] + 0.000001", "outstanding shares equal the positions"},
		{"prices that do not sum to 1", "update pgtape_core.book set prices[1] = prices[1] + 0.000000000001", "prices sum to 1"},
		{"prices of other shares", "update pgtape_core.book set prices = '{0.6,0.4}' where market_id = " + rain, "prices follow from the shares"},
		{"an escrow that was emptied", "update pgtape_core.account set balance = 44 where handle = 'market:rain'", "the escrow covers the worst case"},
		{"a smaller subsidy", "update pgtape_core.market set subsidy = subsidy - 0.000001 where slug = 'rain'", "the subsidy is ceil(b ln n)"},
		{"an escrow with something left", "update pgtape_core.account set balance = 0.000001 where handle = 'market:done'", "resolution leaves the escrow at 0"},
		{"a second payout", "insert into pgtape_core.ledger_entry select transaction_id + 1000, account_id, amount, kind, market_id, seq, at from pgtape_core.ledger_entry where kind = 'payout'", "resolution pays out exactly once"},
		{"a payout taken back", "alter table pgtape_core.book drop constraint paid_out_when_final; update pgtape_core.book set payout = null where market_id = " + done, "a payout is final"},
		{"a bound that was not kept", "update pgtape_core.trade set max_cost = amount - 0.000001 where side = 'buy'", "every trade kept its bounds"},
		{"a trade without a bound", "update pgtape_core.trade set max_cost = null where side = 'buy'", "every trade kept its bounds"},
		{"an event that is missing", "delete from pgtape_core.tape where market = 'rain' and seq = 3", "seq is gapless from 1"},
		{"an event that was rewritten", "update pgtape_core.tape set body = replace(body, '\"yes\"', '\"no\"') where market = 'rain' and seq = 2", "every hash follows from the one before"},
		{"an event with another time", "update pgtape_core.tape set at = at + interval '1 microsecond' where market = 'rain' and seq = 2", "every hash follows from the one before"},
		{"a last event that is missing", "delete from pgtape_core.tape where market = 'rain' and seq = 6", "the version is the seq of the last event"},
		{"events of no market", "update pgtape_core.tape set market = 'gone' where market = 'rain'", "events belong to a market"},
		{"a trade that the tape does not tell", "delete from pgtape_core.tape where market = 'rain' and seq = 4", "the tape tells every trade"},
		{"a trade of another amount than told", "update pgtape_core.trade set amount = amount + 0.000001", "the tape tells every trade"},
		{"a trade while halted", "update pgtape_core.tape set kind = 'halted' where kind = 'created'", "no trade after close, halt or resolution"},
		{"a trade after the close", "update pgtape_core.market set closes_at = created_at", "no trade after close, halt or resolution"},
		{"a charge of one micro less", "update pgtape_core.trade set amount = amount - 0.000001 where side = 'buy'", "every charge follows from the trades before"},
		{"a comment that the tape does not tell", "update pgtape_core.comment set seq = 1", "the tape tells every comment"},
		{"a comment at another time", "update pgtape_core.comment set at = at + interval '1 microsecond'", "the tape tells every comment"},
		{"a removed comment that came back", "create temporary table c on commit drop as select * from pgtape_core.comment; select pgtape.remove_comment(id, account => 'ana') from c; insert into pgtape_core.comment overriding system value select * from c", "a removed comment is gone"},
		{"a market that no search finds", "delete from pgtape_core.market_search where market_id = " + rain, "every market is found by its words"},
		{"a market that is found by other words", "update pgtape_core.market_search set text = 'x'", "every market is found by its words"},
		{"a volume that was made up", "update pgtape_core.book set volume = volume + 1", "replaying the trades gives the book"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := brokenBy(t, d, tt.breakIt)
			if !slices.Contains(found, tt.want) {
				t.Errorf("found %q, want %q among it", found, tt.want)
			}
		})
	}
	d.Verify(t) // nothing of it has stayed
}

// brokenBy breaks the book in a transaction and returns what verify finds in it.
func brokenBy(t *testing.T, d *dbtest.DB, statements string) (invariants []string) {
	t.Helper()
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	for _, table := range []string{"ledger_entry", "trade", "tape"} {
		statements = "alter table pgtape_core." + table + " disable trigger append_only;" + statements
	}
	for statement := range strings.SplitSeq(statements, ";") {
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	rows, err := tx.Query(t.Context(), "select invariant from pgtape.verify()")
	if err == nil {
		invariants, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		t.Fatal(err)
	}
	return invariants
}

func TestHistoryCannotBeChanged(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	trade(t, d, d.Account(t, "1000"), d.Market(t), "yes", "1")
	for _, table := range []string{"ledger_entry", "trade", "tape"} {
		for _, statement := range []string{
			"update pgtape_core." + table + " set at = now()", "delete from pgtape_core." + table, "truncate pgtape_core." + table,
		} {
			if _, err := d.Pool().Exec(t.Context(), statement); err == nil {
				t.Errorf("%s was done, by a superuser", statement)
			}
		}
	}
	d.Verify(t)
}
