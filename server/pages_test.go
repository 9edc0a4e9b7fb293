package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/static"
)

// embedded is the state that a page carries for its scripts.
func embedded(t *testing.T, page answer, v any) {
	t.Helper()
	_, rest, found := strings.Cut(string(page.body), `id="state">`)
	text, _, closed := strings.Cut(rest, "</script>")
	if !found || !closed {
		t.Fatalf("no state in %s", page)
	}
	must(t, json.Unmarshal([]byte(text), v))
}

func TestPagesCarryTheirState(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	ana.trade(t, market, buyTen)

	list := s.nobody().get(t, "/?q=will&sort=volume")
	var listed struct {
		Account *db.Account
		Markets []db.Market
		Next    *string
		Query   map[string]string
	}
	embedded(t, list, &listed)
	if list.status != http.StatusOK || listed.Account != nil || len(listed.Markets) != 1 || listed.Query["sort"] != "volume" {
		t.Errorf("list = %+v", listed)
	}
	if got := list.header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control of a page for anybody: %s", got)
	}
	page := ana.get(t, "/m/"+market)
	var shown struct {
		Account *db.Account
		Market  db.Market
		Trades  []frame
	}
	embedded(t, page, &shown)
	if page.status != http.StatusOK || shown.Account == nil || shown.Account.Handle != "ana" || shown.Market.Version != 2 {
		t.Errorf("market = %+v", shown)
	}
	if len(shown.Trades) != 2 || shown.Trades[0].Seq != 2 || shown.Trades[0].Trade == nil {
		t.Errorf("newest first: %+v", shown.Trades)
	}
	if kind := page.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		t.Errorf("Content-Type: %s", kind)
	}
	for name, part := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		if got := page.header.Get(name); !strings.HasPrefix(got, part) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAPageThatIsNotThereIsAPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	browser := []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}
	for _, path := range []string{"/m/nosuch", "/nowhere"} {
		got := s.nobody().get(t, path, browser...)
		var state struct{ Error struct{ Status int } }
		embedded(t, got, &state)
		if got.status != http.StatusNotFound || state.Error.Status != http.StatusNotFound {
			t.Errorf("%s: %s", path, got)
		}
		if got := s.nobody().get(t, path); got.code() != db.NotFound {
			t.Errorf("%s for a program: %s", path, got)
		}
	}
	if got := s.nobody().get(t, "/api/v1/markets/nosuch", browser...); got.code() != db.NotFound {
		t.Errorf("the API answers a browser, too: %s", got)
	}
}

func TestTheListHasTheDayBeforeScriptsRun(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.follow(t)
	ana := s.signIn(t, "ana")
	quiet, busy := s.Market(t), s.Market(t, dbtest.Outcomes("a", "b", "c"))
	receipt := ana.trade(t, busy, `{"outcome":"b","side":"buy","shares":"50","max_cost":"50"}`)
	want, err := static.Change("0.333333333333", string(receipt.PriceAfter))
	must(t, err)
	for _, query := range []string{"", "?sort=hot", "?sort=closing", "?status=open", "?sort=volume&status=open"} {
		got := string(s.nobody().get(t, "/"+query).body)
		if !strings.Contains(got, want) || !strings.Contains(got, "±0.0") {
			t.Errorf("the page of %q lacks %s", query, want)
		}
		if first := strings.Index(got, `data-market="`+busy); query != "" && query != "?sort=closing" && query != "?status=open" && first > strings.Index(got, `data-market="`+quiet) {
			t.Errorf("%s: what is traded most is not first", query)
		}
	}
	if got := s.nobody().get(t, "/?sort=best"); got.status != http.StatusBadRequest {
		t.Errorf("an order that is none: %s", got)
	}
}
