package server_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

type historyPage struct {
	Entries []db.Entry
	Next    string
}

func TestAPortfolioAddsUp(t *testing.T) {
	t.Parallel()
	s := open(t)
	rain, snow, ana := s.Market(t), s.Market(t), s.signIn(t, "ana")
	ana.trade(t, rain, buyTen)
	ana.trade(t, snow, buyTen)
	ana.trade(t, rain, `{"outcome":"yes","side":"sell","shares":"4","min_proceeds":"1"}`)
	got := ana.post(t, "/api/v1/markets", `{"slug":"own","question":"Is it mine?","liquidity":"10"}`)
	if got.status != http.StatusCreated {
		t.Fatal(got)
	}
	if _, err := s.ResolveMarket(t.Context(), snow, []db.Decimal{"1", "0"}, "it did"); err != nil {
		t.Fatal(err)
	}
	page := ana.get(t, "/portfolio")
	var shown struct {
		Account      db.Account
		Value, Total db.Decimal
		Profit       db.Decimal
		Points       []db.ProfitPoint
		Positions    []struct{ Cost, Value, Profit db.Decimal }
		Gains        []db.MarketGain
		Made         []db.MadeMarket
		History      historyPage
		Plot         struct{ Path string }
		Later        bool
		Range        string
	}
	embedded(t, page, &shown)
	var total, profit, ofMarkets, points string
	must(t, s.Pool().QueryRow(t.Context(), `
		select (balance + positions_value)::text, profit::text from pgtape.leaderboard where account = 'ana'`).Scan(&total, &profit))
	must(t, s.Pool().QueryRow(t.Context(), `
		select ((select sum(profit) from pgtape.account_markets('ana')) - (select sum(cost) from pgtape.markets_made('ana')))::text`).Scan(&ofMarkets))
	points = string(shown.Points[len(shown.Points)-1].Profit)
	if string(shown.Total) != total || string(shown.Profit) != profit || ofMarkets != profit || points != profit {
		t.Errorf("total %s, want %s; profit %s, of markets %s, last point %s, want %s", shown.Total, total, shown.Profit, ofMarkets, points, profit)
	}
	if len(shown.Points) != 101 || shown.Points[0].Profit != "0.000000" || len(shown.Positions) != 1 || len(shown.Gains) != 2 || len(shown.Made) != 1 {
		t.Errorf("shown %+v", shown)
	}
	if text := string(page.body); strings.Contains(text, "style=") || !strings.Contains(text, `<svg class="plot"`) {
		t.Error("the chart is drawn by the server, with classes only")
	}
	for path, want := range map[string]int{"/portfolio?range=1w": 200, "/portfolio?range=1m": 200, "/portfolio?range=2m": 400, "/portfolio?cursor=x": 400} {
		if got := ana.get(t, path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := s.nobody().get(t, "/portfolio"); got.status != http.StatusOK || !strings.Contains(string(got.body), `href="/signin"`) {
		t.Errorf("for nobody: %s", got)
	}
	s.Verify(t)
}

func TestAHistoryIsWholePageByPageAndAsCSV(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "sum", Question: `=HYPERLINK("x"), "quoted" and more`, Outcomes: []string{"+1", "-1"}})
	must(t, err)
	for range 5 {
		ana.trade(t, "sum", `{"outcome":"-1","side":"buy","shares":"1","max_cost":"1"}`)
	}
	_, err = s.ResolveMarket(t.Context(), "sum", []db.Decimal{"0", "1"}, "it is")
	must(t, err)

	var all, paged historyPage
	ana.get(t, "/api/v1/portfolio/history").read(t, &all)
	for cursor := ""; ; cursor = paged.Next {
		var page historyPage
		ana.get(t, "/api/v1/portfolio/history?limit=3&cursor="+cursor).read(t, &page)
		paged.Entries, paged.Next = append(paged.Entries, page.Entries...), page.Next
		if page.Next == "" {
			break
		}
	}
	if len(all.Entries) != 7 || fmt.Sprint(all.Entries[0].Balance, all.Entries[6].Balance) != fmt.Sprint(paged.Entries[0].Balance, paged.Entries[6].Balance) {
		t.Fatalf("%+v, paged %+v", all, paged)
	}
	var account db.Account
	ana.get(t, "/api/v1/session").read(t, &account)
	if first, last := all.Entries[0], all.Entries[6]; first.Kind != "payout" || first.Balance != account.Balance || last.Balance != last.Amount {
		t.Errorf("from %+v to %+v, balance %s", last, first, account.Balance)
	}
	for i, e := range all.Entries {
		if p := paged.Entries[i]; p.Balance != e.Balance || p.TransactionID != e.TransactionID {
			t.Errorf("entry %d is %+v, paged %+v", i, e, p)
		}
	}

	got := ana.get(t, "/portfolio/history.csv")
	rows, err := csv.NewReader(strings.NewReader(string(got.body))).ReadAll()
	must(t, err)
	if len(rows) != 8 || !strings.HasSuffix(string(got.body), "\r\n") || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("%s", got)
	}
	if trade := rows[2]; trade[4] != `'=HYPERLINK("x"), "quoted" and more` || trade[5] != "'-1" || trade[8] != string(all.Entries[1].Amount) || trade[8][0] != '-' {
		t.Errorf("a trade is %q", trade)
	}
	for _, path := range []string{"/portfolio/history.csv", "/api/v1/portfolio/history", "/api/v1/account/export"} {
		if got := s.nobody().get(t, path); got.status != http.StatusUnauthorized {
			t.Errorf("%s for nobody: %s", path, got)
		}
	}
	if got := ana.get(t, "/api/v1/portfolio/history?cursor=-1"); got.code() != db.InvalidRequest {
		t.Errorf("a bad cursor: %s", got)
	}
}

func TestTheLeaderboardHasPagesAndOnesOwnLine(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	for i := range 60 {
		_, err := s.CreateAccount(t.Context(), fmt.Sprintf("other%02d", i), "10")
		must(t, err)
	}
	ana.trade(t, market, buyTen)
	_, err := s.ResolveMarket(t.Context(), market, []db.Decimal{"0", "1"}, "it did not") // ana is last
	must(t, err)
	type line struct {
		Rank    int
		Account string
		Brier   *db.Decimal
	}
	var first, second struct {
		Standings      []line
		Own            *line
		Previous, Next *int
	}
	embedded(t, ana.get(t, "/leaderboard"), &first)
	embedded(t, ana.get(t, "/leaderboard?page=2"), &second)
	if len(first.Standings) != 50 || first.Own == nil || first.Own.Rank != 61 || first.Own.Account != "ana" || first.Previous != nil || *first.Next != 2 {
		t.Errorf("first page %+v", first)
	}
	if len(second.Standings) != 11 || second.Own != nil || second.Next != nil || *second.Previous != 1 || second.Standings[10].Account != "ana" {
		t.Errorf("second page %+v", second)
	}
	// It made yes 52.5 % likely; it did not happen: (0.524979 − 0)².
	if brier := second.Standings[10].Brier; brier == nil || *brier != "0.2756" {
		t.Errorf("its Brier score is %v", brier)
	}
	bo := s.signIn(t, "other00") // is on the first page: shown once, also from the second
	embedded(t, bo.get(t, "/leaderboard?page=2"), &second)
	if second.Own == nil || second.Own.Account != "other00" || len(second.Standings) != 11 {
		t.Errorf("second page of who is on the first: %+v", second)
	}
	if got := ana.get(t, "/leaderboard?page=0"); got.status != http.StatusBadRequest {
		t.Errorf("page 0: %d", got.status)
	}
}

func TestTrackRecordsArePublic(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	right, half, void := s.Market(t), s.Market(t), s.Market(t)
	for _, market := range []string{right, half, void} {
		ana.trade(t, market, `{"outcome":"yes","side":"buy","shares":"100","max_cost":"100"}`) // to 73.1 %
	}
	for market, payout := range map[string][]db.Decimal{right: {"1", "0"}, half: {"0.5", "0.5"}} {
		_, err := s.ResolveMarket(t.Context(), market, payout, "so it was")
		must(t, err)
	}
	_, err := s.VoidMarket(t.Context(), void, "no answer")
	must(t, err)
	// As if they had been made long ago, and at 50 % until just now.
	s.Exec(t, "update pgtape_core.market set created_at = created_at - interval '10 days'")
	var shown struct {
		Record struct {
			Forecasts, Brier, Even, Base db.Decimal
			Tenths                       []struct {
				From                 int
				Price, Frequency     db.Decimal
				Low, High, Forecasts db.Decimal
			}
		}
		Profile db.Profile
	}
	// ((0.731059 − 1)² + (0.731059 − 0.5)²) / 2; a coin (0.25 + 0) / 2; the base rate 0.75: (0.0625 + 0.0625) / 2.
	for _, path := range []string{"/u/ana", "/u/ANA", "/calibration", "/calibration?at=hour", "/calibration?at=day"} {
		embedded(t, s.nobody().get(t, path), &shown)
		r := shown.Record
		want := "2 0.0629 0.1250 0.0625"
		if strings.Contains(path, "at=") {
			want = "2 0.1250 0.1250 0.0625"
		}
		if got := fmt.Sprintf("%s %s %s %s", r.Forecasts, r.Brier, r.Even, r.Base); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if len(r.Tenths) != 1 || r.Tenths[0].Frequency != "0.7500" || r.Tenths[0].Low >= "0.7500" || r.Tenths[0].High <= "0.7500" {
			t.Errorf("%s: %+v", path, r.Tenths)
		}
	}
	if shown.Profile.Trades != 3 || shown.Profile.Markets != 3 {
		t.Errorf("profile %+v", shown.Profile)
	}
	for path, want := range map[string]int{"/u/nobody": 404, "/u/house": 404, "/calibration?at=noon": 400} {
		if got := s.nobody().get(t, path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
}

func TestWhoLeavesIsForgottenAndSocketsRecover(t *testing.T) {
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.reader = tape.NewReader(tape.Options{URL: s.URL(), Mode: mode})
			market, ana, bo := s.Market(t), s.signIn(t, "ana"), s.signIn(t, "bo")
			s.follow(t)
			watcher := s.dial(t)
			watcher.subscribe(market, "", "tape")
			watcher.next("snapshot")
			ana.trade(t, market, buyTen)
			old := watcher.next("event").Cursor
			for _, path := range []string{"/api/v1/markets/" + market, "/api/v1/markets/" + market + "/history"} {
				ana.get(t, path)
			}

			if got := ana.do(t, http.MethodDelete, "/api/v1/account", strings.NewReader(`{"handle":"bo"}`)); got.code() != db.InvalidRequest {
				t.Fatalf("with another's handle: %s", got)
			}
			var gone struct{ Account string }
			ana.do(t, http.MethodDelete, "/api/v1/account", strings.NewReader(`{"handle":"ana"}`)).read(t, &gone)
			if !strings.HasPrefix(gone.Account, "gone-") {
				t.Fatalf("called %q", gone.Account)
			}

			// A live socket gets the new history, and is fed from it.
			fresh := watcher.next("snapshot")
			if fresh.Seq != 2 || fresh.Cursor == old {
				t.Errorf("snapshot %+v, want v2 of another history than %s", fresh, old)
			}
			bo.trade(t, market, buyTen)
			if e := watcher.next("event"); e.Seq != 3 || e.Trade.Account != "bo" {
				t.Errorf("event %+v", e)
			}
			if got := bo.get(t, "/api/v1/markets/"+market+"/tape?after="+old); got.code() != db.CursorUnknown {
				t.Errorf("the old cursor: %s", got)
			}
			page := string(bo.get(t, "/m/"+market).body)
			if strings.Contains(page, ">ana<") || !strings.Contains(page, gone.Account) {
				t.Error("the page of the market names ana")
			}

			// Its sessions are none, also on this node, which had taken them on trust.
			if got := ana.post(t, "/api/v1/markets/"+market+"/trades", buyTen, "Idempotency-Key", newKey()); got.status != http.StatusUnauthorized {
				t.Errorf("trading: %s", got)
			}
			if got := ana.do(t, http.MethodDelete, "/api/v1/account", strings.NewReader(`{"handle":"ana"}`)); got.status != http.StatusUnauthorized {
				t.Errorf("a second time: %s", got)
			}
			if got := s.nobody().get(t, "/u/ana"); got.status != http.StatusNotFound {
				t.Errorf("its profile: %d", got.status)
			}
			if got := s.nobody().get(t, "/u/"+gone.Account); got.status != http.StatusOK || !strings.Contains(string(got.body), "has left") {
				t.Errorf("the profile of what it is called now: %d", got.status)
			}
			var board struct{ Standings []db.Standing }
			s.nobody().get(t, "/api/v1/leaderboard").read(t, &board)
			if len(board.Standings) != 1 || board.Standings[0].Account != "bo" {
				t.Errorf("the leaderboard has %+v", board)
			}
			if got := s.nobody().post(t, "/api/v1/session", map[string]string{"handle": gone.Account}); got.status == http.StatusCreated {
				t.Errorf("somebody signed in as %s", gone.Account)
			}
			s.Verify(t)
		})
	}
}

func TestAnExportIsOnesOwn(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	ana.trade(t, market, buyTen)
	got := ana.get(t, "/api/v1/account/export")
	var export struct {
		Account db.Account
		Trades  []map[string]any
	}
	got.read(t, &export)
	if export.Account.Handle != "ana" || len(export.Trades) != 1 || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%s", got)
	}
}

// TestAHistoryThatBreaksOffDoesNotLookWhole cancels its database query in the middle.
func TestAHistoryThatBreaksOffDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	market := s.Market(t)
	s.Exec(t, `insert into pgtape_core.ledger_entry
		select nextval('pgtape_core.ledger_transaction'), a.id, 1, 'grant', m.id, null, now()
		from pgtape_core.account a, pgtape_core.market m, generate_series(1, 200000)
		where a.handle = 'ana' and m.slug = $1`, market)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+"/portfolio/history.csv", nil)
	must(t, err)
	request.Header.Set("Cookie", ana.cookie)
	response, err := http.DefaultTransport.RoundTrip(request)
	must(t, err)
	defer response.Body.Close()
	begun := make([]byte, 1000)
	_, err = response.Body.Read(begun)
	must(t, err)
	s.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgtape' and pid <> pg_backend_pid() and datname = current_database()")
	for err == nil {
		_, err = response.Body.Read(begun)
	}
	if err.Error() == "EOF" {
		t.Errorf("the answer ended as if it were whole")
	}
}
