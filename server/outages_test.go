package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server"
)

// faulty makes each trade raise what raises says, so many times.
func faulty(t *testing.T, s *site) (raises func(sqlstate string, times int)) {
	t.Helper()
	s.Exec(t, "create table public.fault (sqlstate text, times int)")
	s.Exec(t, "create sequence public.raised") // which no rollback takes back
	s.Exec(t, `
		create function public.raise_fault() returns trigger language plpgsql as $$
		declare v_fault public.fault;
		begin
			select * into v_fault from public.fault;
			if found and pg_catalog.nextval('public.raised') <= v_fault.times then
				raise exception using errcode = v_fault.sqlstate, message = 'as Postgres says it';
			end if;
			return new;
		end; $$`)
	s.Exec(t, "create trigger fault before insert on pgtape_core.trade for each row execute function public.raise_fault()")
	return func(sqlstate string, times int) {
		s.Exec(t, "delete from public.fault")
		s.Exec(t, "select setval('public.raised', 1, false)")
		if times > 0 {
			s.Exec(t, "insert into public.fault values ($1, $2)", sqlstate, times)
		}
	}
}

func reasonOf(a answer) string {
	var body struct {
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal(a.body, &body)
	return body.Reason
}

func (s *site) tryToTrade(t *testing.T, u user, market string) answer {
	t.Helper()
	return u.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey())
}

// What the database cannot do now is 503 with the reason, in the answer, in the log and in the metrics;
// what did nothing and may pass is sent again; anything else is a fault of ours.
func TestWhatTheDatabaseCannotDoNowHasAReason(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.follow(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	raises := faulty(t, s)
	tests := []struct {
		sqlstate string
		times    int
		status   int
		reason   string
		ready    bool
	}{
		{"40001", 2, http.StatusCreated, "", true}, // and it is tried again
		{"40P01", 2, http.StatusCreated, "", true},
		{"26000", 1, http.StatusCreated, "", true},
		{"40001", 99, http.StatusServiceUnavailable, db.ReasonConflict, true},
		{"40P01", 99, http.StatusServiceUnavailable, db.ReasonConflict, true},
		{"55P03", 1, http.StatusServiceUnavailable, db.ReasonLocked, true},
		{"55006", 1, http.StatusServiceUnavailable, db.ReasonLocked, true},
		{"57014", 1, http.StatusServiceUnavailable, db.ReasonCanceled, true},
		{"25006", 99, http.StatusServiceUnavailable, db.ReasonReadOnly, true}, // the probe can write again
		{"53100", 1, http.StatusServiceUnavailable, db.ReasonDiskFull, true},
		{"53200", 1, http.StatusServiceUnavailable, db.ReasonMemory, true},
		{"53300", 1, http.StatusServiceUnavailable, db.ReasonConnections, true},
		{"53400", 1, http.StatusServiceUnavailable, db.ReasonLimit, true},
		{"53999", 1, http.StatusServiceUnavailable, db.ReasonLimit, true},
		{"54000", 1, http.StatusServiceUnavailable, db.ReasonLimit, true},
		{"54001", 1, http.StatusBadRequest, "", true},
		{"57P01", 1, http.StatusServiceUnavailable, db.ReasonRestarting, true},
		{"57P02", 1, http.StatusServiceUnavailable, db.ReasonRestarting, true},
		{"57P03", 1, http.StatusServiceUnavailable, db.ReasonRestarting, true},
		{"58030", 1, http.StatusServiceUnavailable, db.ReasonDiskFull, true},
		{"25P03", 1, http.StatusServiceUnavailable, db.ReasonCanceled, true},
		{"XX000", 1, http.StatusInternalServerError, "", true},
		{"42501", 1, http.StatusInternalServerError, "", true},
	}
	for _, tt := range tests {
		raises(tt.sqlstate, tt.times)
		got := s.tryToTrade(t, ana, market)
		if got.status != tt.status || reasonOf(got) != tt.reason {
			t.Errorf("%s: %v, want %d and the reason %q", tt.sqlstate, got, tt.status, tt.reason)
		}
		if after, _ := strconv.Atoi(got.header.Get("Retry-After")); (tt.reason != "") != (after > 0) {
			t.Errorf("%s: Retry-After is %q", tt.sqlstate, got.header.Get("Retry-After"))
		}
		if tt.reason == "" {
			continue
		}
		if strings.Contains(got.String(), "as Postgres") {
			t.Errorf("%s: callers are told what Postgres says: %s", tt.sqlstate, got)
		}
		if !strings.Contains(s.log.String(), "reason="+tt.reason) {
			t.Errorf("%s: the log says nothing of %s", tt.sqlstate, tt.reason)
		}
		metrics := string(s.nobody().get(t, "/metrics").body)
		if !strings.Contains(metrics, fmt.Sprintf(`pgtape_db_unavailable_total{reason="%s"}`, tt.reason)) {
			t.Errorf("%s: no metric counts %s", tt.sqlstate, tt.reason)
		}
	}
	if !strings.Contains(s.log.String(), "as Postgres says it") {
		t.Error("the log does not say what Postgres says")
	}
	raises("", 0)
	dbtest.WaitUntil(t, "readiness", func() bool { return s.nobody().get(t, "/readyz").status == http.StatusOK })
	s.Verify(t)
}

// A database that became read-only, or short of time, says so; readiness does, too.
func TestADatabaseThatTakesNoWritesIsNotReady(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market := d.Market(t)
	d.Account(t, "1000")
	alter := func(setting string) {
		d.Exec(t, "do $$ begin execute format('alter database %I set "+setting+"', current_database()); end; $$")
	}
	alter("lock_timeout = ''50ms''")
	s := openOn(t, d)
	s.follow(t)
	ana := s.signIn(t, "ana")

	tx, err := d.Pool().Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "select from pgtape_core.book for update")
	must(t, err)
	if got := s.tryToTrade(t, ana, market); reasonOf(got) != db.ReasonLocked {
		t.Errorf("behind a lock: %v", got)
	}
	must(t, tx.Rollback(context.WithoutCancel(t.Context())))
	if got := s.tryToTrade(t, ana, market); got.status != http.StatusCreated {
		t.Errorf("when it is gone: %v", got)
	}

	alter("default_transaction_read_only = on")
	d.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename <> 'x' and application_name = 'pgtape' and pid <> pg_backend_pid()")
	dbtest.WaitUntil(t, "the answer of a new session", func() bool { return reasonOf(s.tryToTrade(t, ana, market)) == db.ReasonReadOnly })
	if got := s.nobody().get(t, "/readyz"); got.status != http.StatusServiceUnavailable || reasonOf(got) != db.ReasonReadOnly {
		t.Errorf("readiness: %v", got)
	}
	if got := s.nobody().get(t, "/healthz"); got.status != http.StatusOK {
		t.Errorf("alive: %v", got)
	}
	if got := s.nobody().get(t, "/api/v1/markets/"+market); got.status != http.StatusOK {
		t.Errorf("what can be read: %v", got)
	}
}

// A login that is no server's any more is for the operator to mend: callers hear neither of it nor how.
func TestWhatIsWrongWithOurLoginIsNotTold(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	var login string
	must(t, d.Pool().QueryRow(t.Context(), "select 'serves_' || current_database()").Scan(&login))
	name := pgx.Identifier{login}.Sanitize()
	d.Exec(t, "create role "+name+" login in role pgtape_server")
	t.Cleanup(func() {
		_, err := d.Pool().Exec(context.WithoutCancel(t.Context()), "drop role "+name)
		must(t, err)
	})
	u, err := url.Parse(d.URL())
	must(t, err)
	u.User = url.User(login)
	pool, err := db.Open(t.Context(), u.String(), db.Options{AsServer: true, MaxConns: 4})
	must(t, err)
	defer pool.Close()
	s := openOn(t, d, func(c *server.Config) { c.DB = pool })
	d.Exec(t, "revoke pgtape_server from "+name)
	d.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", login)
	var got answer
	dbtest.WaitUntil(t, "the refusal of a new session", func() bool {
		got = s.nobody().post(t, "/api/v1/session", `{"handle":"ana"}`)
		return reasonOf(got) == db.ReasonLogin
	})
	if told := got.String(); got.status != http.StatusServiceUnavailable || strings.Contains(told, "serves_") || strings.Contains(told, "grant") || strings.Contains(told, "permission") {
		t.Errorf("callers are told %s", told)
	}
	if log := s.log.String(); !strings.Contains(log, "permission denied") || !strings.Contains(log, "grant pgtape_server to") {
		t.Errorf("the log does not say how to mend it: %s", log)
	}
}
