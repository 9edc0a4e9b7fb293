package server_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server"
)

// sqlLogin connects as an SQL login of a trader of its own.
func (s *site) sqlLogin(t *testing.T) *pgx.Conn {
	t.Helper()
	name := "trader_" + strings.ToLower(rand.Text()[:8])
	_, err := s.CreateAccount(t.Context(), name, "")
	must(t, err)
	s.Exec(t, "create role "+name+" login in role pgtape_trader")
	must(t, s.MapLogin(t.Context(), name, name))
	config, err := pgx.ParseConfig(s.URL())
	must(t, err)
	config.User = name
	conn, err := pgx.ConnectConfig(t.Context(), config)
	must(t, err)
	t.Cleanup(func() {
		_ = conn.Close(context.WithoutCancel(t.Context()))
		admin, err := pgx.Connect(context.WithoutCancel(t.Context()), s.URL())
		must(t, err)
		defer admin.Close(context.WithoutCancel(t.Context()))
		_, err = admin.Exec(context.WithoutCancel(t.Context()), "drop owned by "+name+"; drop role "+name)
		must(t, err)
	})
	return conn
}

// keepLocked has a login trade in markets and do nothing then.
func keepLocked(t *testing.T, conn *pgx.Conn, markets ...string) {
	t.Helper()
	var orders []string
	for _, m := range markets {
		orders = append(orders, fmt.Sprintf(`{"market":%q,"outcome":"yes","side":"buy","shares":"1","max_cost":"1"}`, m))
	}
	for _, statement := range []string{
		"set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set lock_timeout = 0", "begin",
		"select pgtape.trade_batch('[" + strings.Join(orders, ",") + "]')",
	} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
}

// An SQL login that keeps markets locked is ended, whatever limits it has taken off: traders go on
// after a few seconds, operators at once, and other markets never notice.
func TestWhoKeepsMarketsLockedIsEnded(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, operator := s.signIn(t, "ana"), s.signIn(t, "op")
	_, err := s.SetRole(t.Context(), "op", db.Operator, "")
	must(t, err)
	rain, snow, other := s.Market(t), s.Market(t), s.Market(t)
	const order = `{"outcome":"yes","side":"buy","shares":"1","max_cost":"1"}`

	first, second := s.sqlLogin(t), s.sqlLogin(t)
	keepLocked(t, first, rain)
	ana.trade(t, other, order)
	start := time.Now()
	ana.trade(t, rain, order)
	if took := time.Since(start); took > 12*time.Second {
		t.Errorf("a trade waited %v", took)
	}
	if _, err := first.Exec(t.Context(), "select 1"); err == nil {
		t.Error("the session that kept the market locked goes on")
	}

	keepLocked(t, second, rain, snow)
	if got := operator.post(t, "/api/v1/markets/"+snow+"/moves", `{"move":"halt","reason":"news"}`); got.status != http.StatusCreated {
		t.Errorf("halting what a login keeps locked: %s", got)
	}
	var ended int
	must(t, s.Pool().QueryRow(t.Context(), "select count(*) from pgtape.audit where act = 'login_ended' and subject like 'trader_%'").Scan(&ended))
	if ended != 2 {
		t.Errorf("the audit log tells of %d sessions that were ended, want 2", ended)
	}
	s.Verify(t)
}

// Only sessions that keep markets locked are ended, and only by servers and operators.
func TestNobodyElseIsEnded(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Market(t)
	conn := s.sqlLogin(t)
	for _, statement := range []string{"begin", "select * from pgtape.markets"} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
	if holders, err := s.MarketLockHolders(t.Context()); err != nil || len(holders) != 0 {
		t.Errorf("who only reads keeps locked: %v, %v", holders, err)
	}
	if ended, err := s.EndLockHolder(t.Context(), db.LockHolder{PID: int32(conn.PgConn().PID()), Transaction: "1/1"}); err != nil || ended {
		t.Errorf("ended who keeps nothing locked: %v, %v", ended, err)
	}
	_, err := conn.Exec(t.Context(), "select pgtape.end_lock_holder(1, '1/1')")
	if err == nil {
		t.Error("a trader ends sessions")
	}
}

// A large market takes an operator's statement long to settle: it is not ended. A transaction in which
// the operator does nothing is, as anybody's.
func TestAnOperatorsStatementIsNotEnded(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.LockCheck = -1 })
	market, conn := s.Market(t), s.sqlLogin(t)
	s.Exec(t, "grant pgtape_operator to "+conn.Config().User)
	holders := func() int {
		found, err := s.MarketLockHolders(t.Context())
		must(t, err)
		return len(found)
	}
	keepLocked(t, conn, market)
	if n := holders(); n != 1 {
		t.Errorf("%d sessions keep markets locked while an operator does nothing, want 1", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = conn.Exec(ctx, "select pg_sleep(60)") // ends with ctx
	}()
	wait := "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active' and datname = current_database()"
	dbtest.WaitUntil(t, "the statement runs", func() bool {
		var n int
		must(t, s.Pool().QueryRow(t.Context(), wait).Scan(&n))
		return n == 1
	})
	if n := holders(); n != 0 {
		t.Errorf("%d sessions keep markets locked while an operator's statement runs, want none", n)
	}
	cancel()
	<-done
}

// The limit is a login's, not a transaction's: whose transactions are each shorter and follow one another
// is ended too, if others wait. Looks are a second apart here by their own count.
func TestWhoLocksAgainAndAgainIsEnded(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.LockCheck = -1 })
	rain, ana := s.Market(t), s.Account(t, "1000")
	asServer := s.AsServer(t)
	look := server.LockLook(asServer, slog.New(slog.NewTextHandler(t.Output(), nil)))
	conn := s.sqlLogin(t)
	rounds := 0
	// again has the login lock the market, somebody wait if they are to, and the watch look.
	again := func(waits bool) error {
		if _, err := conn.Exec(t.Context(), "begin"); err != nil {
			return err
		}
		if _, err := conn.Exec(t.Context(), "select pgtape.trade($1, 'yes', 'buy', shares => 1, max_cost => 1)", rain); err != nil {
			return err
		}
		rounds++
		traded := make(chan error, 1)
		if waits {
			go func() {
				_, err := asServer.Trade(t.Context(), db.Order{
					Market: rain, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: ana, IdempotencyKey: fmt.Sprint(rounds),
				})
				traded <- err
			}()
			for blocked := false; !blocked && len(traded) == 0; {
				must(t, s.Pool().QueryRow(t.Context(), "select exists (select from pgtape.market_lock_blockers())").Scan(&blocked))
			}
		}
		look(t.Context())
		_, err := conn.Exec(t.Context(), "rollback")
		if waits {
			must(t, <-traded)
		}
		return err
	}
	for range 17 {
		must(t, again(false))
	}
	rounds = 0
	for again(true) == nil {
		if rounds > 20 {
			t.Fatal("it goes on for ever")
		}
	}
	// It may be a few less: a slot that a test beside this one makes waits for every transaction, too.
	if rounds > 15 || rounds < 8 {
		t.Errorf("ended after %d s of locks, want 15", rounds)
	}
	s.Verify(t)
}

// A commit that waits for its standby keeps its market locked, and is not the login's to hurry: who ends
// the wait has the commit seen that no standby has.
func TestACommitThatWaitsForAStandbyIsNotEnded(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	d := own.Provisioned(t)
	market := d.Market(t)
	_, err := d.CreateAccount(t.Context(), "bob", "")
	must(t, err)
	own.Exec(t, "create role bob login in role pgtape_trader")
	must(t, d.MapLogin(t.Context(), "bob", "bob"))
	open := func(user string) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), own.URL(user, db.OwnDatabase))
		must(t, err)
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
		return conn
	}
	bob, super := open("bob"), open(own.Superuser())
	watched, err := db.Open(t.Context(), own.URL(db.OwnServer, db.OwnDatabase), db.Options{AsServer: true})
	must(t, err)
	t.Cleanup(watched.Close)

	own.Set(t, "synchronous_standby_names", "nobody")
	committed := make(chan error, 1)
	go func() {
		_, err := bob.Exec(t.Context(), "select pgtape.trade($1, 'yes', 'buy', shares => 1, max_cost => 1)", market)
		committed <- err
	}()
	waits := func() (n int) {
		must(t, super.QueryRow(t.Context(), "select count(*) from pg_stat_activity where wait_event = 'SyncRep' and usename = 'bob'").Scan(&n))
		return n
	}
	for deadline := time.Now().Add(patience); waits() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the commit does not wait")
		}
	}
	look := server.LockLook(watched, slog.New(slog.NewTextHandler(t.Output(), nil)))
	for range 8 {
		look(t.Context())
	}
	if ended, err := watched.EndLockHolder(t.Context(), db.LockHolder{PID: int32(bob.PgConn().PID()), Transaction: transactionOf(t, super, bob)}); ended || err != nil {
		t.Errorf("ended: %v, %v", ended, err)
	}
	if waits() != 1 {
		t.Error("the commit was ended")
	}
	_, err = super.Exec(t.Context(), "set synchronous_commit = local; revoke pg_read_all_stats from pgtape_owner")
	must(t, err)
	_, err = watched.EndLockHolder(t.Context(), db.LockHolder{PID: int32(bob.PgConn().PID()), Transaction: transactionOf(t, super, bob)})
	if db.CodeOf(err) != db.NotPermitted {
		t.Errorf("an owner that cannot see which commits wait ends one: %v", err)
	}
	own.Set(t, "synchronous_standby_names", "")
	must(t, <-committed)
}

// transactionOf is what a session is in, as MarketLockHolders names it.
func transactionOf(t *testing.T, super, of *pgx.Conn) (transaction string) {
	t.Helper()
	must(t, super.QueryRow(t.Context(), "select virtualtransaction from pg_locks where pid = $1 limit 1", of.PgConn().PID()).Scan(&transaction))
	return transaction
}
