package db_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/e2e/lag"
)

// far opens a database as a server does, over a long way.
func far(t *testing.T, d *dbtest.DB, conns int32) (*db.DB, *lag.Proxy) {
	t.Helper()
	through, way := dbtest.Lagged(t, d.URL(), 5*time.Millisecond)
	book, err := db.Open(t.Context(), through, db.Options{AsServer: true, MaxConns: conns})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(book.Close)
	return book, way
}

func TestATradeIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	rich, poor := d.Account(t, "1000"), d.Account(t, "0.01")
	open, closed, other := d.Market(t), d.Market(t, dbtest.Closed), d.Market(t)
	order := func(account, market string) db.Order {
		return db.Order{Account: account, Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}
	}
	keyed := order(rich, open)
	keyed.IdempotencyKey = "again"
	if _, err := d.Trade(t.Context(), keyed); err != nil {
		t.Fatal(err)
	}
	batch := []db.Order{order(rich, open), order(poor, open), order(rich, open)}
	free := []db.Order{order(rich, open), order(rich, other), order(rich, closed)}

	single := func(o db.Order) func(*db.DB) error {
		return func(book *db.DB) error {
			_, err := book.Trade(t.Context(), o)
			return err
		}
	}
	tests := []struct {
		name string
		do   func(*db.DB) error
		want db.Code
	}{
		{"accepted", single(order(rich, open)), ""},
		{"repeated", single(keyed), ""},
		{"refused for want of funds", single(order(poor, open)), db.InsufficientFunds},
		{"refused as closed", single(order(rich, closed)), db.MarketNotOpen},
		{"refused as stale", single(db.Order{Account: rich, Market: open, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "0.1"}), db.StaleQuote},
		{"of a market that is not", single(order(rich, "nowhere")), db.NotFound},
		{"a batch of one market", func(book *db.DB) error {
			_, err := book.TradeBatch(t.Context(), open, batch)
			return err
		}, ""},
		{"a batch of several markets", func(book *db.DB) error {
			_, _, err := book.TradeFree(t.Context(), free)
			return err
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			book, way := far(t, d, 1)
			// The first on a fresh connection, and one after it.
			for _, which := range []string{"first", "second"} {
				before := way.Count()
				if got := db.CodeOf(tt.do(book)); got != tt.want {
					t.Fatalf("the %s: code = %q, want %q", which, got, tt.want)
				}
				if got, want := way.Count().Since(before), (lag.Count{Trips: 1}); got != want {
					t.Errorf("the %s on a connection took %+v, want %+v", which, got, want)
				}
			}
		})
	}
	d.Verify(t)
}

// rest lets a pool's connections rest until they are looked at before they are handed out.
func rest() { time.Sleep(1100 * time.Millisecond) }

func TestAConnectionThatHasRestedCostsNoRoundTrip(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	book, way := far(t, d, 1)
	rest()
	before := way.Count()
	if _, err := book.Trade(t.Context(), db.Order{Account: ana, Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}); err != nil {
		t.Fatal(err)
	}
	if got, want := way.Count().Since(before), (lag.Count{Trips: 1}); got != want {
		t.Errorf("a trade after a rest took %+v, want %+v", got, want)
	}
}

// What ended while it rested is noticed before anybody gets it.
func TestAConnectionThatEndedWhileItRestedIsNotHandedOut(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	own.Secure(t, "prime256v1")
	socket := own.URL(own.Superuser(), "postgres") + "&application_name=resting"
	secured := own.PasswordURL(t, "postgres", "require") + "&application_name=resting"
	for _, url := range []string{socket, secured} {
		book, err := db.Open(t.Context(), url, db.Options{MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			rest()
			own.Exec(t, "select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = 'resting'")
			if _, err := book.Pool().Exec(t.Context(), "select 1"); err != nil {
				t.Errorf("%s: %v", url, err)
			}
		}
		book.Close()
	}
}

// Postgres up to 17 takes P-256 alone for its key exchange. Go sends a share of another curve first,
// which costs a round trip: the pool pays it once.
func TestAPoolLearnsWhichKeyExchangeItsServerTakes(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	own.Secure(t, "prime256v1")
	through, way := dbtest.Lagged(t, own.PasswordURL(t, "postgres", "require"), time.Millisecond)
	book, err := db.Open(t.Context(), through, db.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(book.Close)
	hold := func() {
		conn, err := book.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Release)
	}
	hold() // the one that Open has made
	connect := func() int {
		before := way.Count()
		hold()
		return way.Count().Since(before).All()
	}
	lift := lifting(own)
	if first := way.Count().All() - 1; first != 7+lift { // less the ping of Open
		t.Errorf("the first connection took %d round trips, want %d", first, 7+lift)
	}
	for range 2 {
		if got := connect(); got != 6+lift {
			t.Errorf("another connection took %d round trips, want %d", got, 6+lift)
		}
	}
	// A server that takes something else from now on: one attempt is lost, and it is learnt.
	own.Set(t, "ssl_ecdh_curve", "secp384r1")
	if got := connect(); got <= 7+lift {
		t.Errorf("the first connection after the change took %d round trips, want a lost attempt and %d", got, 7+lift)
	}
	if got := connect(); got != 6+lift {
		t.Errorf("the second connection after the change took %d round trips, want %d", got, 6+lift)
	}
}

// lifting is what a connection of a command's pays, in round trips, to be free of transaction_timeout,
// which servers know since 17. A server's own connections are not: see db/connect.
func lifting(own *dbtest.Own) int {
	if major, _, _ := strings.Cut(own.Version(), "."); len(major) == 2 && major >= "17" {
		return 1
	}
	return 0
}

// A server that takes what Go offers first pays nothing for what is done for the others.
func TestAPoolOffersEverythingWhereThatIsTaken(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	if major, _, _ := strings.Cut(own.Version(), "."); len(major) == 2 && major < "18" {
		t.Skip("PostgreSQL " + own.Version() + " takes P-256 and its like only; scripts/test runs this on a newer one")
	}
	for i, groups := range []string{"X25519:prime256v1", "X25519"} {
		if i == 0 {
			own.Secure(t, groups)
		} else {
			own.Set(t, "ssl_groups", groups)
		}
		through, way := dbtest.Lagged(t, own.PasswordURL(t, "postgres", "require"), time.Millisecond)
		book, err := db.Open(t.Context(), through, db.Options{MaxConns: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(book.Close)
		each := 6 + lifting(own)
		for want := each + 1; want <= 2*each+1; want += each { // with the ping of Open
			conn, err := book.Pool().Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(conn.Release)
			if got := way.Count().All(); got != want {
				t.Errorf("%s: %d round trips in all, want %d", groups, got, want)
			}
		}
	}
}
