package server_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func newKey() string { return rand.Text() }

func TestChoosingAHandleSignsIn(t *testing.T) {
	t.Parallel()
	s := open(t)
	got := s.nobody().post(t, "/api/v1/session", `{"handle":"ana"}`)
	if got.status != http.StatusCreated {
		t.Fatal(got)
	}
	cookie := got.header.Get("Set-Cookie")
	for _, part := range []string{"pgtape_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q has no %s", cookie, part)
		}
	}
	if strings.Contains(cookie, "Secure") {
		t.Errorf("cookie %q would not come back over plain HTTP", cookie)
	}

	ana, again := s.signIn(t, "ana"), s.signIn(t, "ANA")
	var first, second db.Account
	ana.get(t, "/api/v1/session").read(t, &first)
	again.get(t, "/api/v1/session").read(t, &second)
	if first != second || first.Handle != "ana" || first.Balance != "1000.000000" {
		t.Fatalf("%+v and %+v are not one account", first, second)
	}

	if got := ana.do(t, http.MethodDelete, "/api/v1/session", nil); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	if got := ana.get(t, "/api/v1/session"); got.code() != db.NotSignedIn {
		t.Errorf("after signing out: %s", got)
	}
	if got := again.get(t, "/api/v1/session"); got.status != http.StatusOK {
		t.Errorf("another browser of the same account: %s", got)
	}
	if got := s.nobody().do(t, http.MethodDelete, "/api/v1/session", nil); got.status != http.StatusNoContent {
		t.Errorf("signing out when not signed in: %s", got)
	}
}

func TestTheCookieStaysOnTLS(t *testing.T) {
	t.Parallel()
	s := open(t)
	got := s.nobody().post(t, "/api/v1/session", `{"handle":"ana"}`, "X-Forwarded-Proto", "https")
	if cookie := got.header.Get("Set-Cookie"); !strings.Contains(cookie, "; Secure") {
		t.Errorf("cookie %q is sent over plain HTTP, too", cookie)
	}
}

func TestMarketsAreListedAPageAtATime(t *testing.T) {
	t.Parallel()
	s := open(t)
	made := map[string]bool{s.Market(t): true, s.Market(t): true, s.Market(t): true}
	type page struct {
		Markets []db.Market
		Next    *string
	}
	cursor, pages := "", 0
	for more := true; more; pages++ {
		var got page
		s.nobody().get(t, "/api/v1/markets?limit=2&cursor="+cursor).read(t, &got)
		for _, m := range got.Markets {
			if !made[m.Slug] {
				t.Errorf("%s is listed twice, or was never made", m.Slug)
			}
			delete(made, m.Slug)
		}
		if more = got.Next != nil; more {
			cursor = *got.Next
		}
	}
	if pages != 2 || len(made) > 0 {
		t.Errorf("%d pages leave out %v", pages, made)
	}
	var none page
	s.nobody().get(t, "/api/v1/markets?q=nothinglikethis").read(t, &none)
	if none.Markets == nil || len(none.Markets) > 0 || none.Next != nil {
		t.Errorf("a search without a find: %+v", none)
	}
}

func TestAMarketIsFundedByWhoOpensIt(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	got := ana.post(t, "/api/v1/markets", `{"slug":"rain","question":"Will it rain?","liquidity":"50"}`)
	if got.status != http.StatusCreated || got.header.Get("Location") != "/api/v1/markets/rain" {
		t.Fatal(got)
	}
	var market db.Market
	got.read(t, &market)
	if market.CreatedBy != "ana" || market.Status != "open" || market.Version != 1 {
		t.Errorf("%+v", market)
	}
	var ana2 db.Account
	s.nobody().get(t, "/api/v1/accounts/ana").read(t, &ana2)
	if ana2.Balance != "965.342640" { // 1000 - ceil(50 ln 2)
		t.Errorf("balance = %s", ana2.Balance)
	}
	s.Verify(t)
}

func TestTradingThroughHTTP(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	address := "/api/v1/markets/" + market

	var quote db.Quote
	s.nobody().get(t, address+"/quote?outcome=yes&side=buy&shares=50").read(t, &quote)
	if quote.Amount != "28.092981" || quote.Version != 1 {
		t.Fatalf("quote = %+v", quote)
	}
	order := fmt.Sprintf(`{"outcome":"yes","side":"buy","shares":"50","expected_price":%q,"expected_version":1,"max_slippage_bps":0}`, quote.AvgPrice)
	first := ana.post(t, address+"/trades", order, "Idempotency-Key", "one")
	again := ana.post(t, address+"/trades", order, "Idempotency-Key", "one")
	if first.status != http.StatusCreated || again.status != http.StatusOK {
		t.Fatalf("%s, then %s", first, again)
	}
	var receipt, repeated db.Receipt
	first.read(t, &receipt)
	again.read(t, &repeated)
	if receipt.Amount != quote.Amount || receipt.Version != 2 || receipt.Account != "ana" || receipt.Replayed {
		t.Errorf("receipt = %+v", receipt)
	}
	if !repeated.Replayed || repeated.TradeID != receipt.TradeID {
		t.Errorf("repeated = %+v", repeated)
	}

	var portfolio struct {
		Account   db.Account
		Positions []db.Position
	}
	ana.get(t, "/api/v1/portfolio").read(t, &portfolio)
	if portfolio.Account.Balance != "971.907019" || len(portfolio.Positions) != 1 || portfolio.Positions[0].Shares != "50.000000" {
		t.Errorf("portfolio = %+v", portfolio)
	}
	var board struct{ Standings []db.Standing }
	s.nobody().get(t, "/api/v1/leaderboard?limit=1").read(t, &board)
	if len(board.Standings) != 1 || board.Standings[0].Account != "ana" {
		t.Errorf("leaderboard = %+v", board)
	}
	var history struct {
		Market   string
		Outcomes []string
		Points   []db.Point
	}
	s.nobody().get(t, address+"/history?points=100").read(t, &history)
	if n := len(history.Points); n == 0 || history.Points[n-1].Seq != 2 || history.Points[n-1].Prices[0] != "0.622459331202" {
		t.Errorf("history = %+v", history)
	}
	s.nobody().get(t, address+"/history?to=2000-01-01T00:00:00Z").read(t, &history)
	if len(history.Points) != 0 {
		t.Errorf("history of before = %+v", history)
	}
	s.Verify(t)
}

// frame is any frame of a socket, a stream or a page of the tape.
type frame struct {
	Op      string
	Market  string
	Seq     int64
	Prev    int64
	Cursor  string
	At      time.Time
	Kind    string
	Trade   *struct{ Account, Outcome, Side, Shares, Amount string }
	Prices  db.ByOutcome
	State   *db.Market
	Heads   map[string]int64
	Source  string
	Code    db.Code
	Message string
}

func TestTheTapeGoesOnFromACursor(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	address := "/api/v1/markets/" + market + "/tape"
	for range 3 {
		ana.trade(t, market, buyTen)
	}
	type page struct {
		Market string
		Events []frame
		Next   string
	}
	read := func(query string) (p page) {
		t.Helper()
		s.nobody().get(t, address+query).read(t, &p)
		return p
	}
	first := read("?limit=2")
	rest := read("?after=" + first.Next)
	seqs := func(p page) (list []int64) {
		for _, e := range p.Events {
			list = append(list, e.Seq)
			if e.Op != "event" || e.Market != market || e.Prev != e.Seq-1 {
				t.Errorf("%+v is no event of %s", e, market)
			}
		}
		return list
	}
	if got := fmt.Sprint(seqs(first), seqs(rest)); got != "[1 2] [3 4]" {
		t.Errorf("pages = %s", got)
	}
	if trade := rest.Events[1].Trade; trade == nil || trade.Account != "ana" || trade.Shares != "10.000000" {
		t.Errorf("event = %+v", rest.Events[1])
	}
	if end := read("?after=" + rest.Next); end.Events == nil || len(end.Events) != 0 || end.Next != rest.Next {
		t.Errorf("at the end: %+v", end)
	}
	if latest := read("?latest=1"); fmt.Sprint(seqs(latest)) != "[4]" || latest.Next != rest.Next {
		t.Errorf("latest = %+v", latest)
	}
}

func TestAnUnchangedMarketIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	address := "/api/v1/markets/" + market
	first := s.nobody().get(t, address)
	var state db.Market
	first.read(t, &state)
	etag := first.header.Get("ETag")
	if etag != `"`+state.Cursor+`"` {
		t.Fatalf("ETag %s is not the cursor %s", etag, state.Cursor)
	}
	for _, header := range []string{etag, `"other", W/` + etag, "*"} {
		if got := s.nobody().get(t, address, "If-None-Match", header); got.status != http.StatusNotModified || len(got.body) > 0 {
			t.Errorf("If-None-Match: %s: %s", header, got)
		}
	}
	ana.trade(t, market, buyTen)
	if got := s.nobody().get(t, address, "If-None-Match", etag); got.status != http.StatusOK || got.header.Get("ETag") == etag {
		t.Errorf("after a trade: %s", got)
	}
	if got := s.nobody().do(t, http.MethodHead, address, nil); got.status != http.StatusOK || got.header.Get("ETag") == "" {
		t.Errorf("HEAD: %s", got)
	}
}

func TestMinVersionWaitsForTheTape(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	s.follow(t)
	receipt := ana.trade(t, market, buyTen)
	got := s.nobody().get(t, fmt.Sprintf("/api/v1/markets/%s?min_version=%d", market, receipt.Version))
	var state db.Market
	got.read(t, &state)
	if state.Version != receipt.Version {
		t.Fatal(got)
	}
	s.server.SetPatience(time.Millisecond)
	got = s.nobody().get(t, "/api/v1/markets/"+market+"?min_version=9999")
	if got.code() != db.Unavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("a version that does not come: %s", got)
	}
	if got = s.nobody().get(t, "/api/v1/markets/none?min_version=9999"); got.code() != db.NotFound {
		t.Errorf("of no market: %s", got)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	s := open(t)
	if got := s.nobody().get(t, "/healthz"); got.status != http.StatusOK {
		t.Errorf("healthz: %s", got)
	}
	got := s.nobody().get(t, "/readyz")
	var which struct{ Database, Reader string }
	got.read(t, &which)
	if got.code() != db.Unavailable || which.Reader != "lost" || which.Database != "reachable" {
		t.Errorf("without a tape: %s", got)
	}
	s.follow(t)
	if got := s.nobody().get(t, "/readyz"); got.status != http.StatusOK {
		t.Errorf("with a live tape: %s", got)
	}
	var source struct {
		Mode, State, Why string
		Lag              *float64 `json:"lag_ms"`
		Connects         int64
	}
	s.nobody().get(t, "/api/v1/source").read(t, &source)
	if source.State != "live" || source.Mode == "" || source.Why == "" || source.Connects != 1 || source.Lag == nil {
		t.Errorf("source = %+v", source)
	}
}

func TestMetricsCountWhatHappens(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t, dbtest.Liquidity("10")), s.signIn(t, "ana")
	s.follow(t)
	w := s.dial(t)
	w.subscribe(market, "", "")
	w.next("snapshot")
	receipt := ana.trade(t, market, buyTen)
	if e := w.next("event"); e.Seq != receipt.Version {
		t.Fatalf("event = %+v", e)
	}
	s.nobody().get(t, "/api/v1/nothing")
	metrics := string(s.nobody().get(t, "/metrics").body)
	for _, line := range []string{
		`pgtape_http_requests_total{method="POST",route="/api/v1/markets/:slug/trades",status="201"} 1`,
		`pgtape_http_requests_total{method="GET",route="unknown",status="404"} 1`,
		`pgtape_http_request_seconds_count{method="POST",route="/api/v1/markets/:slug/trades"} 1`,
		`pgtape_connections{door="socket"} 1`,
		`pgtape_subscriptions 1`,
		`pgtape_snapshots_total 1`,
		`pgtape_events_delivered_total 1`,
		`pgtape_slow_closes_total 0`,
		`pgtape_reader_state{state="live"} 1`,
		`pgtape_reader_connects_total 1`,
		`pgtape_reader_reconciled_total 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("no line %s in\n%s", line, grep(metrics, strings.SplitN(line, "{", 2)[0]))
		}
	}
	if !strings.Contains(metrics, "go_goroutines") {
		t.Error("nothing of the Go runtime")
	}
}

func grep(text, word string) string {
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, word) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n")
}
