package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
)

var badOrders = []struct {
	body   string
	status int
	code   db.Code
}{
	{``, 400, db.InvalidOrder},
	{`null`, 400, db.InvalidOrder},
	{`[]`, 400, db.InvalidOrder},
	{`"buy"`, 400, db.InvalidOrder},
	{`{`, 400, db.InvalidOrder},
	{buyTen + `x`, 400, db.InvalidOrder},
	{buyTen + buyTen, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"NaN","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"Infinity","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":1e400,"max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1e400","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1.0000001","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"-1","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"0","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"` + strings.Repeat("9", 40) + `","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":{},"max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1","spend":"1","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"hold","shares":"1","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":5,"side":"buy","shares":"1","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"maybe","side":"buy","shares":"1","max_cost":"10"}`, 404, db.NotFound},
	{`{"outcome":"yes\u0000","side":"buy","shares":"1","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1","max_cost":"10","limit":"1"}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1","expected_price":"2","max_slippage_bps":1}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1","expected_price":"0.5","max_slippage_bps":1.5}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1","max_cost":"10","expected_version":99999999999999999999}`, 400, db.InvalidOrder},
	{`{"outcome":"yes","side":"buy","shares":"1","max_cost":"10","deadline":"tomorrow"}`, 400, db.InvalidOrder},
	{`{"market":"another","outcome":"yes","side":"buy","shares":"1","max_cost":"10"}`, 400, db.InvalidOrder},
	{`{"outcome":"` + strings.Repeat("y", 1<<20) + `"}`, 413, db.InvalidRequest},
}

// badPosts are answered with 400 invalid_request.
var badPosts = []struct{ path, body string }{
	{"/api/v1/session", `{}`},
	{"/api/v1/session", `{"handle":""}`},
	{"/api/v1/session", `{"handle":"two words"}`},
	{"/api/v1/session", `{"handle":"ana\u0000"}`},
	{"/api/v1/session", `{"handle":"new","password":"x"}`},
	{"/api/v1/session", `{"handle":"ana","pass":"x"}`},
	{"/api/v1/password", `{"password":"short"}`},
	{"/api/v1/password", `{"password":"passw0rd"}`},
	{"/api/v1/keys", `{"name":"k","scopes":[]}`},
	{"/api/v1/keys", `{"name":"k","scopes":["all"]}`},
	{"/api/v1/keys", `{"name":" ","scopes":["read"]}`},
	{"/api/v1/keys", `{"name":"k","scopes":["read"],"days":-1}`},
	{"/api/v1/session", `{"handle":`},
	{"/api/v1/markets", `{}`},
	{"/api/v1/markets", `{"slug":"UPPER","question":"?"}`},
	{"/api/v1/markets", `{"slug":"one","question":"?","outcomes":["yes"]}`},
	{"/api/v1/markets", `{"slug":"one","question":"?","liquidity":"0.0000001"}`},
	{"/api/v1/markets", `{"slug":"one","question":"?","closes_at":"2001-01-01T00:00:00Z"}`},
	{"/api/v1/markets", `{"slug":"one","question":"?","account":"bo"}`},
}

// badGets have :market where the test's market goes.
var badGets = []struct {
	path   string
	status int
	code   db.Code
}{
	{"/api/v1/markets/nosuch", 404, db.NotFound},
	{"/api/v1/markets/nosuch/tape", 404, db.NotFound},
	{"/api/v1/markets/nosuch/history", 404, db.NotFound},
	{"/api/v1/markets/nosuch/stream", 404, db.NotFound},
	{"/api/v1/markets/nosuch/quote?outcome=yes&side=buy&shares=1", 404, db.NotFound},
	{"/api/v1/markets/" + strings.Repeat("m", 5000), 404, db.NotFound},
	{"/api/v1/markets/%00", 400, db.InvalidRequest},
	{"/api/v1/markets/%ff", 400, db.InvalidRequest},
	{"/api/v1/markets/a%2Fb", 404, db.NotFound},
	{"/api/v1/accounts/nosuch", 404, db.NotFound},
	{"/api/v1/accounts/house", 404, db.NotFound},
	{"/api/v1/markets?sort=upwards", 400, db.InvalidRequest},
	{"/api/v1/markets?cursor=!", 400, db.InvalidRequest},
	{"/api/v1/markets?limit=0", 400, db.InvalidRequest},
	{"/api/v1/leaderboard?limit=many", 400, db.InvalidRequest},
	{"/api/v1/markets/:market?min_version=-1", 400, db.InvalidRequest},
	{"/api/v1/markets/:market/tape?after=here", 400, db.InvalidRequest},
	{"/api/v1/markets/:market/tape?latest=1001", 400, db.InvalidRequest},
	{"/api/v1/markets/:market/stream?after=here", 400, db.InvalidRequest},
	{"/api/v1/markets/:market/stream?mode=loud", 400, db.InvalidRequest},
	{"/api/v1/markets/:market/history?from=yesterday", 400, db.InvalidRequest},
	{"/api/v1/markets/:market/history?points=1", 400, db.InvalidRequest},
	{"/api/v1/markets/:market/quote?outcome=yes&side=buy&shares=NaN", 400, db.InvalidOrder},
	{"/api/v1/markets/:market/quote?outcome=yes&side=buy&shares=1e400", 400, db.InvalidOrder},
	{"/api/v1/markets/:market/quote?outcome=yes&side=buy&shares=-1", 400, db.InvalidOrder},
	{"/api/v1/markets/:market/quote?outcome=yes&side=buy&shares=1.0000001", 400, db.InvalidOrder},
	{"/api/v1/markets/:market/quote", 400, db.InvalidOrder},
	{"/api/v1/markets?q=%zz", 400, db.InvalidRequest},
	{"/api/v1/markets?q=a;b", 400, db.InvalidRequest},
	{"/static/../server.go", 404, db.NotFound},
	{"/static/js", 404, db.NotFound},
}

func TestBadInputWritesNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	trades := "/api/v1/markets/" + market + "/trades"
	before := s.written(t)

	for _, tt := range badOrders {
		got := ana.post(t, trades, tt.body, "Idempotency-Key", newKey())
		if got.status != tt.status || got.code() != tt.code {
			t.Errorf("order %.80s: %s", tt.body, got)
		}
	}
	for _, key := range []string{strings.Repeat("k", 256), "\xff\xfe"} {
		if got := ana.post(t, trades, buyTen, "Idempotency-Key", key); got.code() != db.InvalidOrder {
			t.Errorf("key %.10q: %s", key, got)
		}
	}
	for _, tt := range badPosts {
		if got := ana.post(t, tt.path, tt.body); got.status != 400 || got.code() != db.InvalidRequest {
			t.Errorf("POST %s %s: %s", tt.path, tt.body, got)
		}
	}
	for _, tt := range badGets {
		path := strings.Replace(tt.path, ":market", market, 1)
		if got := s.nobody().get(t, path); got.status != tt.status || got.code() != tt.code {
			t.Errorf("GET %.80s: %s", path, got)
		}
	}

	if after := s.written(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
	if got := s.nobody().get(t, "/healthz"); got.status != http.StatusOK {
		t.Errorf("alive? %s", got)
	}
	s.Verify(t)
}

// written counts all that callers can write.
func (s *site) written(t *testing.T) string {
	t.Helper()
	var counts json.RawMessage
	must(t, s.Pool().QueryRow(t.Context(), `
		select json_build_object(
			'trade', (select count(*) from pgtape_core.trade), 'tape', (select count(*) from pgtape_core.tape),
			'account', (select count(*) from pgtape_core.account), 'market', (select count(*) from pgtape_core.market),
			'ledger', (select count(*) from pgtape_core.ledger_entry), 'session', (select count(*) from pgtape_core.session))`,
	).Scan(&counts))
	return string(counts)
}
