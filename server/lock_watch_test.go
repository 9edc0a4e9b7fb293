package server_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
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
