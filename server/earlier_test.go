package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server"
)

// shownPages are all that shows markets to everybody; %s is a slug.
var shownPages = []string{
	"/", "/?sort=hot", "/?sort=volume", "/?sort=new", "/?sort=closing", "/?q=rain", "/leaderboard", "/calibration",
	"/u/ana", "/u/bo", "/feed.atom", "/feed.rss", "/api/v1/accounts/ana", "/api/v1/leaderboard",
	"/api/v1/markets?sort=hot", "/api/v1/markets?sort=closing&limit=2", "/api/v1/markets?sort=volume&limit=1",
	"/m/%s", "/m/%s/comments", "/m/%s/holders", "/m/%s/activity", "/m/%s/timeline", "/m/%s/card.png", "/embed/%s",
	"/api/v1/markets/%s", "/api/v1/markets/%s/state", "/api/v1/markets/%s/history", "/api/v1/markets/%s/tape",
	"/api/v1/markets/%s/timeline", "/api/v1/markets/%s/holders", "/api/v1/markets/%s/comments",
}

// showsEverything asks for every page of every market, follows them all on a socket, and fails the test
// with each that is a server's error.
func (s *site) showsEverything(t *testing.T, markets ...string) {
	t.Helper()
	for _, page := range shownPages {
		for _, market := range markets {
			path := page
			if strings.Contains(page, "%s") {
				path = fmt.Sprintf(page, market)
			} else if market != markets[0] {
				continue
			}
			got := s.nobody().get(t, path)
			if got.status != http.StatusOK && (got.status != http.StatusNotFound || !strings.HasPrefix(path, "/m/")) {
				t.Errorf("%s: %d %.200s", path, got.status, got.body)
			}
		}
	}
	for _, market := range markets {
		ws := s.dial(t)
		ws.subscribe(market, "", "tape")
		if f, err := ws.any(); err != nil || f.Op != "snapshot" {
			t.Errorf("a socket of %s: %+v, %v", market, f, err)
		}
	}
}

// One market that an earlier version took with a date that cannot be said took the front page from everybody.
func TestDatesOfEarlierVersionsAreShownAndHarmNobody(t *testing.T) {
	t.Parallel()
	d := dbtest.Earlier(t, dbtest.EarlierDates)
	s := openOn(t, d)
	s.follow(t)
	markets := []string{"sound", "edge", "far", "farther", "busy"}
	s.showsEverything(t, markets...)

	ana, bo := s.signIn(t, "ana"), s.signIn(t, "bo")
	for _, who := range []user{ana, bo} {
		for _, page := range []string{"/portfolio", "/settings", "/notifications", "/portfolio/history.csv", "/api/v1/account/export", "/api/v1/keys", "/api/v1/sessions"} {
			if got := who.get(t, page); got.status != http.StatusOK {
				t.Errorf("%s: %d %.200s", page, got.status, got.body)
			}
		}
	}
	var market struct {
		ClosesAt string `json:"closes_at"`
	}
	must(t, json.Unmarshal(s.nobody().get(t, "/api/v1/markets/far").body, &market))
	if !strings.HasPrefix(market.ClosesAt, "9999-12-31T23:59:59") {
		t.Errorf("closes at %s, want the last moment that can be said", market.ClosesAt)
	}
	bo.trade(t, "far", buyTen)

	// Every list, page by page, names each market once.
	for _, sort := range []string{"", "new", "hot", "volume", "closing"} {
		seen, next := map[string]bool{}, ""
		for range len(markets) {
			var list struct {
				Markets []struct{ Slug string }
				Next    string `json:"next"`
			}
			must(t, json.Unmarshal(s.nobody().get(t, "/api/v1/markets?limit=1&sort="+sort+"&cursor="+next).body, &list))
			for _, m := range list.Markets {
				seen[m.Slug] = true
			}
			next = list.Next
		}
		if len(seen) != len(markets) || next != "" {
			t.Errorf("sort=%s lists %v, and then %q", sort, seen, next)
		}
	}

	found := map[string]bool{}
	violations, err := d.DB.Verify(t.Context())
	must(t, err)
	for _, v := range violations {
		found[v.Subject] = true
		if v.Invariant != "every value can be shown" {
			t.Errorf("broken: %+v", v)
		}
	}
	for _, subject := range []string{"market edge", "market far", "market farther", "session 1", "key 1"} {
		if !found[subject] {
			t.Errorf("verify does not name %s among %v", subject, violations)
		}
	}
}

func TestADateThatCannotBeSaidIsRefusedAndHarmsNobody(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	for _, at := range []string{
		`"9999-12-31T23:59:59-08:00"`, `"9999-12-31T00:00:00Z"`, `"12026-01-01T00:00:00Z"`, `"+012026-01-01T00:00:00Z"`, `"0000-01-01T00:00:00Z"`,
		`"infinity"`, `253402300800`, `"3000-01-01T00:00:00Z"`,
	} {
		got := ana.post(t, "/api/v1/markets", `{"slug":"x","question":"Will it?","liquidity":"1","closes_at":`+at+`}`)
		if got.status != http.StatusBadRequest || got.code() != "invalid_request" {
			t.Errorf("a market that closes at %s: %s", at, got)
		}
		if got := s.nobody().get(t, "/"); got.status != http.StatusOK {
			t.Fatalf("the front page after %s: %s", at, got)
		}
	}
	market := s.Market(t)
	for _, query := range []string{"from=9999-12-31T23:59:59-08:00", "to=0001-01-01T00:00:00Z", "from=3000-01-01T00:00:00Z"} {
		if got := s.nobody().get(t, "/api/v1/markets/"+market+"/history?"+query); got.status != http.StatusBadRequest {
			t.Errorf("%s: %s", query, got)
		}
	}
}

// Names that look alike, or like nothing, stay where an earlier version took them.
func TestNamesOfEarlierVersionsAreShownAndHarmNobody(t *testing.T) {
	t.Parallel()
	d := dbtest.Earlier(t, dbtest.EarlierNames)
	s := openOn(t, d)
	s.follow(t)
	s.showsEverything(t, "twins", "blank", "shout", "constructor")
	for _, query := range []string{"category=x", "category=X", "category=x%20", "category=%C2%A0x"} {
		var list struct{ Markets []struct{ Slug string } }
		must(t, json.Unmarshal(s.nobody().get(t, "/api/v1/markets?"+query).body, &list))
		if len(list.Markets) != 3 {
			t.Errorf("%s lists %v, want all three of the category", query, list.Markets)
		}
	}

	// Each twin is traded by its own name.
	bo := s.signIn(t, "bo")
	for _, outcome := range []string{"No", "no\u00a0", "caf\u00e9", "cafe\u0301", "N\u200bo"} {
		order, err := json.Marshal(map[string]string{"outcome": outcome, "side": "buy", "shares": "1", "max_cost": "1"})
		must(t, err)
		if receipt := bo.trade(t, "twins", string(order)); receipt.Outcome != outcome {
			t.Errorf("%+q was traded for %+q", receipt.Outcome, outcome)
		}
	}
	violations, err := d.DB.Verify(t.Context())
	must(t, err)
	found := map[string]bool{}
	for _, v := range violations {
		found[v.Subject] = true
		if v.Invariant != "every value can be shown" {
			t.Errorf("broken: %+v", v)
		}
	}
	for _, subject := range []string{"market twins", "market blank", "market shout", `category "X"`, `category "x "`, "comment 1", "key 1"} {
		if !found[subject] {
			t.Errorf("verify does not name %s among %v", subject, violations)
		}
	}
}

// Who types a name with a space too many, or in capitals, means who and what everybody means.
func TestNamesAreReadAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *server.Config) { c.SignUp = server.Open })
	s.Exec(t, "select pgtape.create_market('rain', 'Will it?', '{Yes,Café}')")
	const secret = "correct horse battery"
	if got := s.nobody().post(t, "/api/v1/session", map[string]any{"handle": " bob ", "password": secret, "new": true}); got.status != http.StatusCreated {
		t.Fatalf("signing up: %s", got)
	}
	for _, handle := range []string{"bob", "bob ", " Bob", "BOB\u00a0", "\u2003bob\t", "bob\u200b", "bob\n"} {
		got := s.nobody().post(t, "/api/v1/session", map[string]any{"handle": handle, "password": secret})
		if got.status != http.StatusCreated || !strings.Contains(string(got.body), `"handle":"bob"`) {
			t.Errorf("signing in as %q: %s", handle, got)
		}
	}
	if got := s.nobody().post(t, "/api/v1/session", map[string]any{"handle": "BOB ", "password": secret, "new": true}); got.code() != db.AlreadyExists {
		t.Errorf("a second bob: %s", got)
	}
	for path, want := range map[string]string{
		"/m/RAIN": "/m/rain", "/m/rain%20": "/m/rain", "/m/Rain/holders?x=1": "/m/rain/holders?x=1",
		"/api/v1/markets/Rain": "/api/v1/markets/rain", "/api/v1/markets/RAIN/history?points=5": "/api/v1/markets/rain/history?points=5",
	} {
		if got := s.nobody().get(t, path); got.status != http.StatusPermanentRedirect || got.header.Get("Location") != want {
			t.Errorf("%s: %d to %s, want %s", path, got.status, got.header.Get("Location"), want)
		}
	}
	for _, path := range []string{"/u/BOB", "/u/bob%20", "/api/v1/accounts/Bob%C2%A0"} {
		if got := s.nobody().get(t, path); got.status != http.StatusOK {
			t.Errorf("%s: %.200s", path, got)
		}
	}
	if got := s.nobody().get(t, "/m/no%20where"); got.status != http.StatusNotFound {
		t.Errorf("no market: %.200s", got)
	}
}
