package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// operator signs somebody in who runs markets.
func (s *site) operator(t *testing.T, handle string) user {
	t.Helper()
	u := s.signIn(t, handle)
	_, err := s.SetRole(t.Context(), handle, db.Operator, "")
	must(t, err)
	return u
}

func TestAMarketIsRunOverHTTP(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, bo, boss := s.signIn(t, "ana"), s.signIn(t, "bo"), s.operator(t, "boss")
	if got := ana.post(t, "/api/v1/markets", `{"slug":"rain","question":"Will it rain?"}`); got.status != http.StatusCreated {
		t.Fatal(got)
	}
	bo.trade(t, "rain", `{"outcome":"yes","side":"buy","shares":"10","max_cost":"10"}`)

	moves := func(u user) []string {
		var list struct{ Moves []string }
		u.get(t, "/api/v1/markets/rain/moves").read(t, &list)
		return list.Moves
	}
	var at struct{ Version int64 }
	if bo.get(t, "/api/v1/markets/rain/moves").read(t, &at); at.Version != 2 {
		t.Errorf("moves of version %d, after two events", at.Version)
	}
	if got := moves(ana); !slices.Equal(got, []string{"close"}) {
		t.Errorf("its maker may %v", got)
	}
	if got := moves(boss); !slices.Equal(got, []string{"halt", "close", "resolve", "void"}) {
		t.Errorf("an operator may %v", got)
	}
	if got := bo.post(t, "/api/v1/markets/rain/moves", `{"move":"resolve","payout":["1","0"],"reason":"I say so"}`); got.code() != db.NotPermitted {
		t.Errorf("a holder resolved: %s", got)
	}

	steps := []struct {
		who    user
		body   string
		status string
	}{
		{ana, `{"move":"close","reason":"it is night"}`, "closed"},
		{ana, `{"move":"propose","payout":["0","1"],"reason":"it was dry"}`, "proposed"},
		{bo, `{"move":"dispute","reason":"I got wet"}`, "disputed"},
		{boss, `{"move":"resolve","payout":["1","0"],"reason":"the station says 3 mm"}`, "resolved"},
		{boss, `{"move":"correct","payout":["0.5","0.5"],"reason":"it was another station"}`, "resolved"},
	}
	for _, step := range steps {
		var market db.Market
		got := step.who.post(t, "/api/v1/markets/rain/moves", step.body)
		got.read(t, &market)
		if got.status != http.StatusCreated || market.Status != step.status {
			t.Fatalf("%s: %s", step.body, got)
		}
	}
	for body, want := range map[string]db.Code{
		`{"move":"close","reason":"again"}`:                          db.MarketNotOpen,
		`{"move":"correct","payout":["1","1"],"reason":"why"}`:       db.InvalidRequest,
		`{"move":"correct","payout":["1"],"reason":"why"}`:           db.InvalidRequest,
		`{"move":"correct","payout":["NaN","0"],"reason":"why"}`:     db.InvalidRequest,
		`{"move":"correct","reason":"why"}`:                          db.InvalidRequest,
		`{"move":"correct","payout":["1","0"]}`:                      db.InvalidRequest,
		`{"move":"burn","reason":"why"}`:                             db.InvalidRequest,
		`{"move":"halt_market(''rain''); --","reason":"why"}`:        db.InvalidRequest,
		`{"move":"correct","payout":["1","0"],"reason":"why","x":1}`: db.InvalidRequest,
	} {
		if got := boss.post(t, "/api/v1/markets/rain/moves", body); got.code() != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	s.Verify(t)
}

func TestASettlementAndAPreviewAreTold(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	market := s.Market(t)
	ana.trade(t, market, `{"outcome":"yes","side":"buy","shares":"10","max_cost":"10"}`)
	var settlement db.Settlement
	s.nobody().get(t, "/api/v1/markets/"+market+"/settlement?payout=1,0").read(t, &settlement)
	if settlement.People != 1 || settlement.Paid != "10.000000" || settlement.Funder != "house" {
		t.Errorf("settlement %+v", settlement)
	}
	var preview db.Preview
	s.nobody().get(t, "/api/v1/market-preview?outcomes=2&liquidity=100&spend=10").read(t, &preview)
	if preview.Subsidy != "69.314719" || preview.PriceBefore != "0.500000000000" {
		t.Errorf("preview %+v", preview)
	}
	for _, path := range []string{
		"/api/v1/markets/" + market + "/settlement?payout=1,x", "/api/v1/markets/" + market + "/settlement?payout=1",
		"/api/v1/market-preview?liquidity=0", "/api/v1/market-preview", "/api/v1/market-preview?liquidity=1e400",
		"/api/v1/market-preview?outcomes=99&liquidity=1", "/api/v1/market-preview?liquidity=1&spend=-1",
	} {
		if got := s.nobody().get(t, path); got.status != http.StatusBadRequest {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestTheAuditLogIsForOperators(t *testing.T) {
	t.Parallel()
	s := open(t)
	boss, ana := s.operator(t, "boss"), s.signIn(t, "ana")
	_, err := s.GrantCredits(t.Context(), "ana", "5", "<b>cake</b>")
	must(t, err)
	var list struct {
		Entries []db.AuditEntry
		Next    *int64
	}
	boss.get(t, "/api/v1/audit?limit=1").read(t, &list)
	if len(list.Entries) != 1 || list.Entries[0].Act != "granted" || list.Next == nil {
		t.Fatalf("the log has %+v", list)
	}
	page := boss.get(t, "/audit")
	for _, want := range []string{"granted", "&lt;b&gt;cake", "role_given"} {
		if !strings.Contains(string(page.body), want) {
			t.Errorf("the page lacks %s: %s", want, page)
		}
	}
	for _, path := range []string{"/api/v1/audit", "/audit"} {
		if got := ana.get(t, path); got.status != http.StatusForbidden {
			t.Errorf("a trader reads %s: %s", path, got)
		}
		if got := s.nobody().get(t, path); got.status != http.StatusUnauthorized {
			t.Errorf("nobody reads %s: %s", path, got)
		}
	}
}

// The page of operators shows who lost to whom, and who waits for credits; traders see neither.
func TestTransfersAndWhoWaitsAreOnTheAdminPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, boss, winner, loser := s.Market(t), s.operator(t, "boss"), s.signIn(t, "winner"), s.signIn(t, "loser")
	winner.trade(t, market, `{"outcome":"yes","side":"buy","shares":"100","max_cost":"100"}`)
	loser.trade(t, market, `{"outcome":"yes","side":"buy","shares":"200","max_cost":"200"}`)
	winner.trade(t, market, `{"outcome":"yes","side":"sell","shares":"100","min_proceeds":"1"}`)
	s.Exec(t, "select pgtape.set_setting('opening_credits', 'approval')")
	waiting := s.signIn(t, "waiting")
	if got := waiting.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey()); got.code() != db.InsufficientFunds {
		t.Errorf("a trade without credits: %s", got)
	}
	page := string(boss.get(t, "/admin").body)
	for _, want := range []string{`data-testid="transfer"`, `href="/u/loser"`, `href="/u/winner"`, `data-testid="waiting"`, `href="/u/waiting"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s: %s", want, page)
		}
	}
	if got := winner.get(t, "/admin"); got.status != http.StatusForbidden {
		t.Errorf("a trader reads /admin: %s", got)
	}

	_, err := s.ApproveAccount(t.Context(), "waiting", "")
	must(t, err)
	waiting.trade(t, market, buyTen)
	if page := string(boss.get(t, "/admin").body); strings.Contains(page, `href="/u/waiting"`) {
		t.Error("who has credits still waits for them")
	}
}
