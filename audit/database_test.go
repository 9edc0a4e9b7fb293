package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/audit"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/flow"
)

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func rows[T any](t *testing.T, q querier, sql string) []T {
	t.Helper()
	found, err := q.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// auditOf replays the tape of a database and compares it with the state there.
func auditOf(t *testing.T, q querier) (*audit.Book, []audit.Finding) {
	t.Helper()
	events := rows[audit.Event](t, q, "select market, seq, at, kind, body, prev_hash, hash from pgtape_core.tape order by market, seq")
	state := audit.State{
		House: rows[audit.HouseState](t, q, `
			select h.version, encode(h.head, 'hex'), (select a.balance::text from pgtape_core.account a where a.kind = 'house')
			from pgtape_core.house_tape h`)[0],
		Accounts: rows[audit.AccountState](t, q, "select handle, balance::text from pgtape_core.account where kind = 'person'"),
		Markets: rows[audit.MarketState](t, q, `
			select m.slug, b.status, b.version, encode(b.head, 'hex'), m.outcomes, b.outstanding::text[], b.prices::text[],
			       b.volume::text, b.trades, b.proposal::text[], b.payout::text[], a.balance::text
			from pgtape_core.market m
			join pgtape_core.book b on b.market_id = m.id
			join pgtape_core.account a on a.id = m.account_id`),
		Positions: rows[audit.PositionState](t, q, `
			select a.handle, m.slug, m.outcomes[p.outcome], p.shares::text
			from pgtape_core.position p
			join pgtape_core.market m on m.id = p.market_id
			join pgtape_core.account a on a.id = p.account_id`),
	}
	book, err := audit.Replay(t.Context(), func(yield func(audit.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := book.Stats().Events; n != int64(len(events)) || n == 0 {
		t.Errorf("%d events replayed of %d", n, len(events))
	}
	return book, append(book.Findings(), book.Compare(state)...)
}

func wantSound(t *testing.T, q querier) *audit.Book {
	t.Helper()
	book, found := auditOf(t, q)
	for _, f := range found {
		t.Errorf("%s: %s: %s", f.Invariant, f.Subject, f.Problem)
	}
	return book
}

func TestTheReplicationMarketsAreSound(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	recording, err := flow.Replication()
	if err != nil {
		t.Fatal(err)
	}
	player := flow.NewPlayer(d.DB, recording, flow.PlayerOptions{})
	if _, err := player.Play(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantSound(t, d.Pool())
	if _, err := player.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	book := wantSound(t, d.Pool())
	if stats := book.Stats(); stats.Markets != 40 || stats.Events < 2288 {
		t.Errorf("stats %+v", stats)
	}
	t.Logf("%+v", book.Stats())
}

// What an earlier version took is replayed, years beyond JSON's and all.
func TestDatesOfEarlierVersionsAreReplayed(t *testing.T) {
	t.Parallel()
	d := dbtest.Earlier(t, dbtest.EarlierDates)
	wantSound(t, d.Pool())
	d.Exec(t, "select pgtape.halt_market('far', 'a test')")
	wantSound(t, d.Pool())
}

// A book with an event of each kind, and whatever lies at the edges.
func eventfulBook(t *testing.T) *dbtest.DB {
	t.Helper()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account('ana'), pgtape.create_account('Bo', 200), pgtape.create_account('rich', 1000000000000)")
	d.Exec(t, "select pgtape.grant_credits('bo', 5, 'a \"prize\" – ü')")
	buy := func(account, market, outcome, shares string) {
		t.Helper()
		d.Exec(t, "select pgtape.trade($1, $2, 'buy', shares => $3::numeric, max_cost => $3::numeric, account => $4)", market, outcome, shares, account)
	}
	sell := func(account, market, outcome, shares string) {
		t.Helper()
		d.Exec(t, "select pgtape.trade($1, $2, 'sell', shares => $3::numeric, min_proceeds => 0, account => $4)", market, outcome, shares, account)
	}

	d.Exec(t, `select pgtape.create_market('rain', 'Will it "rain"?', draft => true, closes_at => now() + interval '1 day')`)
	d.Exec(t, "select pgtape.open_market('rain', 'go')")
	buy("ana", "rain", "yes", "50")
	buy("Bo", "rain", "no", "20")
	buy("Bo", "rain", "*", "10")
	d.Exec(t, "select pgtape.halt_market('rain', 'hm')")
	d.Exec(t, "select pgtape.comment('rain', 'so @Bo', 'ana'), pgtape.comment('rain', 'no', 'Bo')")
	d.Exec(t, "select pgtape.remove_comment(1, account => 'ana'), pgtape.remove_comment(2, 'rude')")
	d.Exec(t, "select pgtape.open_market('rain', 'go on')")
	sell("Bo", "rain", "*", "4")
	sell("ana", "rain", "yes", "0.000001")
	d.Exec(t, "select pgtape.close_market('rain', 'over')")
	d.Exec(t, "select pgtape.propose_resolution('rain', '{1,0}', 'it did')")
	d.Exec(t, "select pgtape.dispute_market('rain', 'it did not', 'Bo')")
	d.Exec(t, "select pgtape.propose_resolution('rain', '{0,1}', 'it did not')")
	d.Exec(t, "select pgtape.resolve_market('rain', '{0,1}', 'it did not')")
	// Bo spends all that he has, and then must give back what he got for 26 shares.
	d.Exec(t, "select pgtape.create_market('sink', '?', '{a,b,c}', liquidity => 0.01)")
	d.Exec(t, "select pgtape.trade('sink', 'b', 'buy', spend => a.balance, max_cost => a.balance, account => 'Bo') from pgtape.accounts a where handle = 'Bo'")
	d.Exec(t, "select pgtape.correct_resolution('rain', '{0.75,0.25}', 'partly')")
	d.Exec(t, "select pgtape.correct_resolution('rain', '{1,0}', 'it did after all')")
	d.Exec(t, "select pgtape.correct_resolution('rain', '{0.1,0.9}', 'hardly')")

	// A market that a trader funds, void.
	d.Exec(t, "select pgtape.create_market('snow', '?', '{a,b,c,d,e,f,g}', liquidity => 12.345678, account => 'ana')")
	buy("rich", "snow", "c", "33.333333")
	buy("ana", "snow", "c", "3")
	d.Exec(t, "select pgtape.void_market('snow', 'no answer')")
	d.Exec(t, "select pgtape.correct_resolution('snow', '{0,0,0.5,0.5,0,0,0}', 'an answer')")

	// Edges: prices that show as 0 and 1, the largest numbers, 50 outcomes, exact amounts.
	d.Exec(t, "select pgtape.create_market('edge', '?', liquidity => 1)")
	buy("rich", "edge", "yes", "10000000")
	buy("rich", "edge", "no", "10")
	sell("rich", "edge", "yes", "5")
	sell("rich", "edge", "yes", "0.000001")
	d.Exec(t, "select pgtape.create_market('large', '?', liquidity => 10000000)")
	buy("rich", "large", "yes", "0.000001")
	buy("rich", "large", "no", "100000000000")
	sell("rich", "large", "no", "99999999999.999999")
	d.Exec(t, "select pgtape.create_market('many', '?', (select array_agg('o' || i) from generate_series(1, 50) i))")
	for i := range 50 {
		buy("rich", "many", fmt.Sprintf("o%d", i*7%50+1), fmt.Sprint(i%5+1))
	}
	d.Exec(t, "select pgtape.create_market('mirror', '?')")
	buy("ana", "mirror", "no", "50")
	buy("ana", "mirror", "yes", "100")
	return d
}

func TestAnEventfulBookIsSoundAndEveryForgeryIsFound(t *testing.T) {
	t.Parallel()
	d := eventfulBook(t)
	d.Verify(t)
	wantSound(t, d.Pool())

	const rehash = `
		do $$
		declare
			e pgtape_core.tape;
			v_prev bytea;
			v_hash bytea;
		begin
			for e in select * from pgtape_core.tape order by market, seq loop
				if e.seq = 1 then v_prev := decode(repeat('00', 32), 'hex'); end if;
				v_hash := pgtape_core.event_hash(v_prev, e.market, e.seq, e.at, e.kind, e.body);
				update pgtape_core.tape t set prev_hash = v_prev, hash = v_hash where t.market = e.market and t.seq = e.seq;
				update pgtape_core.book b set head = v_hash from pgtape_core.market m where m.id = b.market_id and m.slug = e.market;
				update pgtape_core.house_tape set head = v_hash where e.market = 'house';
				v_prev := v_hash;
			end loop;
		end $$`
	const state = "the state follows from the tape"
	const charge = "every charge follows from the trades before"
	tests := []struct{ name, forge, want string }{
		{"a balance", "update pgtape_core.account set balance = balance + 0.000001 where handle = 'ana'", state},
		{"an escrow", "update pgtape_core.account set balance = balance - 0.000001 where handle = 'market:edge'", state},
		{"the house", "update pgtape_core.account set balance = balance - 0.000001 where kind = 'house'", state},
		{"a handle", "update pgtape_core.account set handle = 'Ana' where handle = 'ana'", state},
		{"a position", "update pgtape_core.position set shares = shares + 0.000001 where (account_id, market_id, outcome) = (select account_id, market_id, outcome from pgtape_core.position limit 1)", state},
		{"outstanding shares", "update pgtape_core.book set outstanding[2] = outstanding[2] + 0.000001 where trades > 0", state},
		{"prices", "update pgtape_core.book set prices = '{0.5,0.5}' where trades = 4", state},
		{"a volume", "update pgtape_core.book set volume = volume + 0.000001", state},
		{"a number of trades", "update pgtape_core.book set trades = trades + 1", state},
		{"a status", "update pgtape_core.book set status = 'closed' where status = 'open'", state},
		{"a version", "update pgtape_core.book set version = version + 1", state},
		{"a payout", "update pgtape_core.book set payout = '{0.5,0.5}' where status = 'resolved' and cardinality(payout) = 2", state},
		{"a proposal", "update pgtape_core.book set proposal = '{0.5,0.5}' where proposal is not null", state},
		{"outcomes", "update pgtape_core.market set outcomes = '{no,yes}' where slug = 'mirror'", state},
		{"a row of the tape", "update pgtape_core.tape set body = replace(body, '50', '51') where market = 'mirror'", "every hash follows from the one before"},
		{"the last event", "delete from pgtape_core.tape where market = 'mirror' and seq = 3", state},

		{"a grant with right hashes", "update pgtape_core.tape set body = replace(body, '5.000000', '6.000000') where kind = 'grant';" + rehash, state},
		{"an account with right hashes", "update pgtape_core.tape set body = replace(body, '200', '300') where kind = 'account';" + rehash, state},
		{"a charge with right hashes", "update pgtape_core.tape set body = regexp_replace(body, '(\"amount\":\"[0-9]+[.][0-9]{5}).', '\\18') where market = 'mirror' and kind = 'trade';" + rehash, charge},
		{"a trader with right hashes", "update pgtape_core.tape set body = replace(body, 'ana', 'rich') where market = 'mirror';" + rehash, state},
		{"a correction with right hashes", "update pgtape_core.tape set body = regexp_replace(body, '\"short\":.\"Bo\":\"[0-9]*', '\"short\":{\"Bo\":\"1') where kind = 'corrected';" + rehash, state},
		{"a price with right hashes", "update pgtape_core.tape set body = replace(body, '0.5', '0.6') where kind = 'created';" + rehash, "prices follow from the shares"},
		{"a comment that is removed and was not made", "update pgtape_core.tape set body = replace(body, '\"id\":1,', '\"id\":9,') where kind = 'comment_removed';" + rehash, "a comment is removed once, after it was made"},
		{"a comment by nobody", "update pgtape_core.tape set body = replace(body, '\"Bo\"', '\"Bob\"') where kind in ('commented', 'comment_removed');" + rehash, "accounts are opened before they act"},
		{"a trade after the close", "update pgtape_core.tape set body = regexp_replace(body, '\"closes_at\":\"[0-9]*', '\"closes_at\":\"2001') where market = 'rain' and kind = 'created';" + rehash, "no trade after close, halt or resolution"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := forged(t, d, tt.forge)
			if !slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Invariant == tt.want }) {
				t.Errorf("found %q, want %q among it", found, tt.want)
			}
		})
	}
	wantSound(t, d.Pool()) // nothing of it has stayed
}

// forged changes the book as only a superuser can, in a transaction, and gives what is found then.
func forged(t *testing.T, d *dbtest.DB, statements string) []audit.Finding {
	t.Helper()
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	for _, constraint := range []string{"paid_out_when_final", "status_is_known"} {
		statements = "alter table pgtape_core.book drop constraint " + constraint + ";" + statements
	}
	for _, table := range []string{"ledger_entry", "trade", "tape"} {
		statements = "alter table pgtape_core." + table + " disable trigger append_only;" + statements
	}
	if _, err := tx.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	_, found := auditOf(t, tx)
	return found
}

// Many small random trades of several people, in markets of every size, charge by charge.
func TestRandomTradesAreSound(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	var batch strings.Builder
	for i, b := range []string{"0.01", "3.3", "100", "10000000"} {
		d.Exec(t, "select pgtape.create_market($1, '?', (select array_agg('o' || i) from generate_series(1, $2) i), liquidity => $3::numeric)", fmt.Sprint("m", i), 2+3*i, b)
		account := d.Account(t, "1000000000")
		fmt.Fprintf(&batch, "select setseed(0.%d);", i+1)
		fmt.Fprintf(&batch, `
			do $$
			declare
				v_shares  numeric;
				v_outcome text;
			begin
				for i in 1 .. 150 loop
					v_outcome := 'o' || 1 + floor(random() * %[2]d);
					v_shares := greatest(round((%[3]s * 3 * random() * random() ^ 4)::numeric, 6), 0.000001);
					begin
						if i %% 3 = 0 then
							perform pgtape.trade('m%[1]d', v_outcome, 'sell', shares => v_shares, min_proceeds => 0, account => '%[4]s');
						else
							perform pgtape.trade('m%[1]d', v_outcome, 'buy', shares => v_shares, max_cost => v_shares, account => '%[4]s');
						end if;
					exception
						when sqlstate 'TP004' then null;
					end;
				end loop;
			end $$;`, i, 2+3*i, b, account)
	}
	d.Exec(t, batch.String())
	book := wantSound(t, d.Pool())
	if events := book.Stats().Events; events < 400 {
		t.Errorf("%d events", events)
	}
}
