package server_test

import (
	"flag"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server"
)

var manyMarkets = flag.Int("markets.many", 4000, "markets that reads are tried beside; with more than the default they are timed too")

// makeMany puts markets into the tables, which is faster than to make them: all of one account, open,
// and closing in a day.
func makeMany(t *testing.T, d *dbtest.DB, funder string, n int) {
	t.Helper()
	d.Exec(t, `
		with escrow as (
			insert into pgtape_core.account (handle, kind)
			select 'market:many-' || i, 'market' from generate_series(1, $2::integer) i
			returning id, substr(handle, 8) as slug
		), made as (
			insert into pgtape_core.market (slug, question, description, category, outcomes, liquidity, subsidy, closes_at,
				void_payout, account_id, funder_id, created_at)
			select e.slug, 'Will ' || e.slug || ' come about?', '', 'many', '{yes,no}', 100, 70, now() + interval '1 day' + e.id * interval '1 second',
				'{0.5,0.5}', e.id, (select a.id from pgtape_core.account a where a.handle = $1), now() - e.id * interval '10 seconds'
			from escrow e
			returning *
		), stood as (
			insert into pgtape_core.book (market_id, status, version, head, outstanding, prices, volume, trades, updated_at)
			select m.id, 'open', 1, sha256(convert_to(m.slug, 'UTF8')), '{0,0}', '{0.5,0.5}', m.id % 100, 0, m.created_at from made m
		), told as (
			insert into pgtape_core.tape (market, seq, at, kind, body, prev_hash, hash)
			select m.slug, 1, m.created_at, 'created',
				json_build_object('created', json_build_object('question', m.question, 'category', m.category, 'outcomes', m.outcomes),
					'status', 'open', 'prices', json_build_object('yes', '0.500000000000', 'no', '0.500000000000'))::text,
				decode(repeat('00', 32), 'hex'), sha256(convert_to(m.slug, 'UTF8'))
			from made m
		)
		select pgtape_core.index_market(m::pgtape_core.market) from made m`, funder, n)
	d.Exec(t, "vacuum (analyze)")
}

// rowsRead is how many rows of pgtape's tables the server's connections and all others have read.
func rowsRead(t *testing.T, d *dbtest.DB, pool *db.DB) (rows int64) {
	t.Helper()
	for _, conn := range pool.Pool().AcquireAllIdle(t.Context()) {
		_, err := conn.Exec(t.Context(), "select pg_stat_force_next_flush()")
		conn.Release()
		must(t, err)
	}
	must(t, d.Pool().QueryRow(t.Context(), `
		select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint
		from pg_stat_user_tables where schemaname = 'pgtape_core'`).Scan(&rows))
	return rows
}

// What one account has made, however much, makes no read dear for everybody else.
func TestNoReadCostsAsMuchAsThereAreMarkets(t *testing.T) {
	t.Parallel()
	var pool *db.DB
	s := open(t, func(c *server.Config) { pool = c.DB })
	var version int
	must(t, s.Pool().QueryRow(t.Context(), "select current_setting('server_version_num')::integer").Scan(&version))
	if version < 150000 {
		t.Skip("Postgres 14 cannot be asked to count at once")
	}
	ana, n := s.signIn(t, "ana"), *manyMarkets
	_, err := s.CreateAccount(t.Context(), "flood", "")
	must(t, err)
	rain, done := s.Market(t), s.Market(t, dbtest.Closed)
	_, err = s.ResolveMarket(t.Context(), done, []db.Decimal{"1", "0"}, "it did")
	must(t, err)
	ana.trade(t, rain, `{"outcome":"yes","side":"buy","shares":"5","max_cost":"5"}`)
	makeMany(t, s.DB, "flood", n)

	most := int64(3500) // less than a look at each market and its state reads
	before := rowsRead(t, s.DB, pool)
	for path, want := range map[string]int{
		"/api/v1/markets/nope": 404, "/api/v1/markets/nope/history": 404, "/api/v1/markets/nope/state": 404,
		"/api/v1/markets/nope/quote?outcome=yes&side=buy&shares=1": 404, "/api/v1/markets/nope/tape": 404,
		"/api/v1/markets/nope/holders": 404, "/api/v1/markets/nope/comments": 404, "/api/v1/markets/nope/timeline": 404,
		"/api/v1/markets/nope/settlement": 404, "/m/nope": 404, "/embed/nope": 404, "/m/nope/card.png": 404, "/m/nope/tape": 404,
		"/m/" + rain: 200, "/embed/" + rain: 200, "/api/v1/markets/" + rain + "/history": 200,
		"/": 200, "/?sort=hot": 200, "/?sort=new": 200, "/?sort=volume": 200, "/?sort=closing": 200,
		"/?status=open": 200, "/?status=closed": 200, "/?status=resolved": 200, "/?status=odd": 200,
		"/?q=nowhere": 200, "/?q=many": 200, "/?q=z": 200, "/?q=many-77&sort=volume": 200, "/?q=" + done + "&status=resolved": 200,
		"/?category=none": 200, "/?category=many&sort=hot": 200, "/?status=resolved&sort=closing&category=many": 200,
		"/api/v1/markets?limit=200&sort=closing": 200, "/new": 200, "/feed.atom": 200, "/feed.rss": 200, "/calibration": 200,
		"/leaderboard": 200, "/u/ana": 200, "/u/flood": 200, "/portfolio": 200, "/notifications": 200,
	} {
		t.Run(path, func(t *testing.T) {
			start := time.Now()
			got := ana.get(t, path)
			took := time.Since(start)
			if got.status != want {
				t.Errorf("%s: %s", path, got)
			}
			after := rowsRead(t, s.DB, pool)
			rows := after - before
			before = after
			if rows > most {
				t.Errorf("%s reads %d rows beside %d markets, want at most %d", path, rows, n, most)
			} else if n > 4000 {
				t.Logf("%s: %d rows, %v", path, rows, took)
			}
		})
	}
}

// Each order of the list holds every market once, page by page, whatever the filter leaves.
func TestEveryOrderOfTheListHasEachMarketOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	makeMany(t, s.DB, "ana", 60)
	s.Exec(t, "update pgtape_core.book set status = 'halted' where market_id % 3 = 0")
	s.Exec(t, "update pgtape_core.book set volume = 9e12 * market_id where market_id % 7 = 1") // beyond a bigint of micros
	s.Exec(t, "update pgtape_core.market set closes_at = null where id % 5 = 0")               // no place in the order by close
	traded := s.Market(t)
	ana.trade(t, traded, `{"outcome":"yes","side":"buy","shares":"5","max_cost":"5"}`)
	for _, filter := range []string{"", "&status=open", "&q=many-1", "&category=many", "&status=halted&q=WILL%20many"} {
		var all int
		for _, sort := range []string{"active", "new", "volume", "hot", "closing"} {
			seen, cursor, pages := map[string]bool{}, "", 0
			for pages = 0; pages < 40; pages++ {
				var list struct {
					Markets []struct{ Slug string }
					Next    *string
				}
				answer := ana.get(t, "/api/v1/markets?limit=17&sort="+sort+filter+cursor)
				if answer.status != http.StatusOK {
					t.Fatalf("%s%s: %s", sort, filter, answer)
				}
				answer.read(t, &list)
				for _, m := range list.Markets {
					if seen[m.Slug] {
						t.Errorf("sort %s%s shows %s twice", sort, filter, m.Slug)
					}
					seen[m.Slug] = true
				}
				if sort == "hot" && filter == "" && cursor == "" && list.Markets[0].Slug != traded {
					t.Errorf("hot begins with %s, want %s, which was traded", list.Markets[0].Slug, traded)
				}
				if list.Next == nil {
					break
				}
				cursor = "&cursor=" + *list.Next
			}
			if all = max(all, len(seen)); len(seen) != all || all == 0 || filter == "" && all != 61 {
				t.Errorf("sort %s%s shows %d markets, another order %d", sort, filter, len(seen), all)
			}
		}
	}
	if got := ana.get(t, "/api/v1/markets?q="+strings.Repeat("many", 200)); got.status != http.StatusOK {
		t.Errorf("a long search: %s", got)
	}
}
