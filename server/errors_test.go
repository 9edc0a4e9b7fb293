package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestEveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	s := open(t)
	open, closed := s.Market(t), s.Market(t, dbtest.Closed)
	poor, ana := s.signIn(t, s.Account(t, "0.01")), s.signIn(t, "ana")
	ana.trade(t, open, buyTen)
	ana.post(t, "/api/v1/markets/"+open+"/trades", buyTen, "Idempotency-Key", "used")
	trade := func(u user, market, order, key string) func(*testing.T) answer {
		return func(t *testing.T) answer {
			t.Helper()
			return u.post(t, "/api/v1/markets/"+market+"/trades", order, "Idempotency-Key", key)
		}
	}
	get := func(path string) func(*testing.T) answer {
		return func(t *testing.T) answer {
			t.Helper()
			return s.nobody().get(t, path)
		}
	}

	tests := []struct {
		ask    func(*testing.T) answer
		status int
		code   db.Code
	}{
		{trade(ana, open, `{"outcome":"yes","side":"buy","shares":"10","max_cost":"1"}`, newKey()), 409, db.StaleQuote},
		{trade(ana, closed, buyTen, newKey()), 409, db.MarketNotOpen},
		{trade(poor, open, buyTen, newKey()), 422, db.InsufficientFunds},
		{trade(poor, open, `{"outcome":"yes","side":"sell","shares":"1","min_proceeds":"0.1"}`, newKey()), 422, db.InsufficientShares},
		{trade(ana, open, `{"outcome":"yes","side":"buy","shares":"1","max_cost":"1","deadline":"2020-01-01T00:00:00Z"}`, newKey()), 409, db.DeadlinePassed},
		{trade(ana, open, `{"outcome":"no","side":"buy","shares":"1","max_cost":"1"}`, "used"), 422, db.IdempotencyMismatch},
		{trade(ana, "nosuchmarket", buyTen, newKey()), 404, db.NotFound},
		{trade(ana, open, `{"outcome":"yes","side":"buy","shares":"10"}`, newKey()), 400, db.InvalidOrder},
		{trade(ana, open, buyTen, ""), 400, db.InvalidRequest},
		{trade(s.nobody(), open, buyTen, newKey()), 401, db.NotSignedIn},
		{func(t *testing.T) answer {
			return ana.post(t, "/api/v1/markets", `{"slug":"x","question":"?"}`, "Origin", "https://evil.example")
		}, 403, db.NotPermitted},
		{func(t *testing.T) answer {
			return ana.post(t, "/api/v1/markets", `{"slug":"`+open+`","question":"Again?"}`)
		}, 409, db.AlreadyExists},
		{get("/api/v1/markets/" + open + "/tape?after=1.0123456789abcdef"), 410, db.CursorUnknown},
		{get("/readyz"), 503, db.Unavailable},
		{get("/api/v1/nothing/here"), 404, db.NotFound},
		{func(t *testing.T) answer { return ana.do(t, http.MethodPut, "/api/v1/portfolio", nil) }, 405, db.InvalidRequest},
		{func(t *testing.T) answer {
			return ana.post(t, "/api/v1/session", "handle=ana", "Content-Type", "application/x-www-form-urlencoded")
		}, 415, db.InvalidRequest},
	}
	for _, tt := range tests {
		got := tt.ask(t)
		if got.status != tt.status || got.code() != tt.code {
			t.Errorf("want %d %s, got %s", tt.status, tt.code, got)
		}
		var p struct {
			Type, Title, Detail string
			Status              int
		}
		if kind := got.header.Get("Content-Type"); kind != "application/problem+json" {
			t.Errorf("%s: Content-Type %s", tt.code, kind)
		}
		got.read(t, &p)
		if p.Status != tt.status || p.Type != "about:blank" || p.Title != http.StatusText(tt.status) || p.Detail == "" {
			t.Errorf("%s: %s is no problem of RFC 9457", tt.code, got)
		}
		if (tt.status == 503) != (got.header.Get("Retry-After") != "") {
			t.Errorf("%s: Retry-After: %q", tt.code, got.header.Get("Retry-After"))
		}
	}
	s.Verify(t)
}

func TestRefusalsSayHowToGoOn(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")

	stale := ana.post(t, "/api/v1/markets/"+market+"/trades", `{"outcome":"yes","side":"buy","shares":"10","max_cost":"1"}`,
		"Idempotency-Key", newKey())
	var fresh struct{ Quote db.Quote }
	stale.read(t, &fresh)
	if fresh.Quote.Amount != "5.124948" || fresh.Quote.Version != 1 {
		t.Errorf("no fresh quote in %s", stale)
	}
	unknown := s.nobody().get(t, "/api/v1/markets/"+market+"/tape?after=99.0123456789abcdef")
	var link struct{ Snapshot string }
	unknown.read(t, &link)
	if got := s.nobody().get(t, link.Snapshot); got.status != http.StatusOK {
		t.Errorf("%s leads to %s", unknown, got)
	}
	keyless := ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen)
	if !strings.Contains(string(keyless.body), "Idempotency-Key") {
		t.Errorf("%s does not name the header", keyless)
	}
}

func TestWhatGoesWrongHereIsLoggedNotTold(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	s.Exec(t, "drop function pgtape.history")
	got := s.nobody().get(t, "/api/v1/markets/"+market+"/history")
	if got.status != http.StatusInternalServerError || got.code() != db.Internal {
		t.Fatal(got)
	}
	if strings.Contains(string(got.body), "function") {
		t.Errorf("%s tells of the inside", got)
	}
	id := got.header.Get("X-Request-Id")
	if id == "" || !strings.Contains(string(got.body), id) || !strings.Contains(grepAny(s.log.String(), id), "42883") {
		t.Errorf("request %q is not in the log:\n%s", id, s.log)
	}
}

func grepAny(text, word string) string {
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, word) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n")
}

func TestOnlyTheOwnerOfASessionActs(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	s.signIn(t, "bo")
	forged := user{s, "pgtape_session=AAAAAAAAAAAAAAAAAAAAAAAAAA"}
	for _, u := range []user{s.nobody(), forged} {
		for _, got := range []answer{
			u.get(t, "/api/v1/session"),
			u.get(t, "/api/v1/portfolio"),
			u.post(t, "/api/v1/markets", `{"slug":"mine","question":"Mine?"}`),
			u.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey()),
		} {
			if got.status != http.StatusUnauthorized || got.code() != db.NotSignedIn {
				t.Error(got)
			}
		}
	}
	// The account is the session's; no body, header or query names another.
	named := strings.TrimSuffix(buyTen, "}") + `,"account":"bo"}`
	if got := ana.post(t, "/api/v1/markets/"+market+"/trades", named, "Idempotency-Key", newKey()); got.code() != db.InvalidOrder {
		t.Error(got)
	}
	if receipt := ana.trade(t, market+"/trades?account=bo&x=", buyTen); receipt.Account != "ana" {
		t.Errorf("receipt = %+v", receipt)
	}
	for _, origin := range []string{"https://evil.example", "null", s.url + ".evil.example"} {
		got := ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey(), "Origin", origin)
		if got.status != http.StatusForbidden || got.code() != db.NotPermitted {
			t.Errorf("from %s: %s", origin, got)
		}
	}
	if got := ana.do(t, http.MethodDelete, "/api/v1/session", nil, "Origin", "https://evil.example"); got.code() != db.NotPermitted {
		t.Error(got)
	}
	own := ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey(), "Origin", s.url)
	if own.status != http.StatusCreated {
		t.Errorf("from our own page: %s", own)
	}
}
