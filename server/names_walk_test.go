package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest/texts"
)

// namesWalk gives names of all kinds over HTTP, and remembers what was taken.
type namesWalk struct {
	*testing.T
	*texts.Walk
	site      *site
	ana, boss user // who trades, and who runs the site

	markets []db.Market
	handles []string
}

// Through every field over HTTP, and then every page, feed, card, export and socket.
func TestRandomNamesOnEveryPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.follow(t)
	s.Exec(t, "select pgtape.set_setting('markets_per_day', '999999'), pgtape.set_setting('comments_per_minute', '999999')")
	n := &namesWalk{T: t, Walk: texts.New(t, 2), site: s, ana: s.signIn(t, "ana"), boss: s.operator(t, "boss")}
	s.Exec(t, "select pgtape.set_role('boss', 'admin'), pgtape.grant_credits('ana', 1000000, 'for the walk')")
	for range n.Rounds() {
		n.giveHandle()
		n.giveMarket()
		n.giveKey()
		n.ask()
		n.misuse()
		if n.IntN(4) == 0 {
			n.givePassword() // which is hashed some six times
		}
	}
	for tries := 0; len(n.markets) == 0 && tries < 50; tries++ {
		n.giveMarket() // most are taken: one of their texts is not plain
	}
	for i := range n.markets {
		n.tellAbout(n.markets[i].Slug)
	}
	t.Logf("%d markets, %d handles", len(n.markets), len(n.handles))
	n.hear()
	n.readEverything()
	n.readFeeds()
	if log := s.log.String(); strings.Contains(log, "panic") || strings.Contains(log, "request failed") {
		t.Errorf("in the log: %s", grepLog(log, "panic", "request failed"))
	}
	s.Verify(t)
}

// send sends a request of somebody. What is refused is refused by a code, in words that can be shown.
func (n *namesWalk) send(who user, method, path, body string, headers ...string) answer {
	n.Helper()
	a := attacker{T: n.T, site: n.site, cookie: who.cookie}
	if path == "/api/v1/session" && method == http.MethodGet {
		headers = append(headers, "Cookie", who.cookie)
	}
	got := a.send(method, path, body, headers...)
	if got.status >= 400 {
		var p struct{ Code, Detail, Hint string }
		if strings.HasPrefix(path, "/api/") && (json.Unmarshal(got.body, &p) != nil || p.Code == "" || texts.Harms(p.Detail+p.Hint)) {
			n.Errorf("%s %.200q %.300q: %.500s", method, path, body, got)
		}
	}
	if !utf8.Valid(got.body) && !strings.Contains(path, "card.png") {
		n.Errorf("%s %.200q: an answer that is not UTF-8", method, path)
	}
	return got
}

// body is JSON; now and then with half a character in it, which is refused.
func (n *namesWalk) body(of map[string]any) (text string, broken bool) {
	n.Helper()
	marshalled, err := json.Marshal(of)
	must(n.T, err)
	text = string(marshalled)
	if n.IntN(12) > 0 {
		return text, false
	}
	at := strings.LastIndex(text, `"}`)
	if at < 0 {
		return text, false
	}
	return text[:at] + []string{`\ud800`, `\udc00x`, "\xff", "\xed\xa0\x80", `\u0000`}[n.IntN(5)] + text[at:], true
}

func (n *namesWalk) giveHandle() {
	n.Helper()
	given := n.Handle()
	body, broken := n.body(map[string]any{"handle": given})
	got := n.send(n.site.nobody(), http.MethodPost, "/api/v1/session", body)
	var account db.Account
	if got.status != http.StatusCreated {
		return
	}
	got.read(n.T, &account)
	if broken || !strings.EqualFold(account.Handle, texts.Kept(given, false)) {
		n.Errorf("%s is signed in as %q", body, account.Handle)
	}
	n.handles = append(n.handles, account.Handle)
}

// giveMarket makes a market of which one text is not plain, and trades in it.
func (n *namesWalk) giveMarket() {
	n.Helper()
	m := db.NewMarket{Slug: n.Slug(), Question: n.Fresh(100), Outcomes: []string{n.Fresh(30), n.Fresh(30)}, Liquidity: "1"}
	switch n.IntN(6) {
	case 0:
		m.Question = n.Line(500)
	case 1:
		m.Description = n.Lines(20000)
	case 2:
		m.Category = n.Line(60)
	case 3:
		m.Slug = n.Line(64)
	default:
		m.Outcomes = append(m.Outcomes, n.Line(60), n.Line(60))
	}
	body, broken := n.body(map[string]any{"slug": m.Slug, "liquidity": m.Liquidity, "category": m.Category, "outcomes": m.Outcomes, "description": m.Description, "question": m.Question})
	got := n.send(n.ana, http.MethodPost, "/api/v1/markets", body)
	if got.status != http.StatusCreated {
		if !slices.Contains([]db.Code{db.InvalidRequest, db.AlreadyExists}, got.code()) {
			n.Errorf("%s: %s", body, got)
		}
		return
	}
	var made db.Market
	got.read(n.T, &made)
	if broken {
		n.Errorf("%q makes the market %+v", body, made)
	}
	for i, name := range made.Outcomes {
		if name != texts.Kept(m.Outcomes[i], false) {
			n.Errorf("the outcome %+q is %+q", m.Outcomes[i], name)
		}
	}
	if made.Question != texts.Kept(m.Question, false) || made.Description != texts.Kept(m.Description, true) {
		n.Errorf("%+v is made of %+v", made, m)
	}
	n.markets = append(n.markets, made)
	for i, name := range []string{m.Outcomes[len(m.Outcomes)-1], made.Outcomes[0]} {
		order, err := json.Marshal(db.Order{Outcome: name, Side: "buy", Shares: "1", MaxCost: "2"})
		must(n.T, err)
		got := n.send(n.ana, http.MethodPost, "/api/v1/markets/"+made.Slug+"/trades", string(order), "Idempotency-Key", newKey())
		if got.status != http.StatusCreated {
			n.Errorf("an order (%d) for %+q: %s", i, name, got)
		}
	}
}

func (n *namesWalk) giveKey() {
	n.Helper()
	given := n.Line(60)
	body, broken := n.body(map[string]any{"scopes": []string{"read"}, "name": given})
	got := n.send(n.ana, http.MethodPost, "/api/v1/keys", body)
	var list struct {
		Keys []struct {
			ID   int64
			Name string
		}
	}
	if got.status != http.StatusCreated {
		return
	}
	n.send(n.ana, http.MethodGet, "/api/v1/keys", "").read(n.T, &list)
	if broken || list.Keys[0].Name != texts.Kept(given, false) {
		n.Errorf("the key %s is %+q", body, list.Keys[0].Name)
	}
	if len(list.Keys) > 8 { // of the fifty that an account may have
		n.send(n.ana, http.MethodDelete, "/api/v1/keys/"+jsonOf(list.Keys[len(list.Keys)-1].ID), "")
	}
}

func jsonOf(v any) string {
	text, _ := json.Marshal(v) // of numbers and texts
	return string(text)
}

// ask asks for what there may not be, by every word of a query and at every address.
func (n *namesWalk) ask() {
	n.Helper()
	text := n.Line(200)
	query, at := url.QueryEscape(text), url.PathEscape(text)
	for _, path := range []string{
		"/?q=" + query, "/?category=" + query, "/?sort=" + query, "/?cursor=" + query, "/m/" + at, "/u/" + at, "/embed/" + at, "/signin?to=" + query, "/" + at, "/m/" + at + "/card.png",
		"/api/v1/markets?q=" + query, "/api/v1/markets?category=" + query, "/api/v1/accounts/" + at, "/api/v1/markets/" + at, "/api/v1/markets/" + at + "/quote?side=buy&shares=1&outcome=" + query,
		"/admin?q=" + query, "/admin?after=" + query, "/api/v1/accounts?q=" + query, "/portfolio?range=" + query, "/api/v1/markets/" + at + "/stream?after=" + query, "/api/v1/markets/" + at + "/comments",
	} {
		got := n.send(n.boss, http.MethodGet, path, "", "Accept", "text/html")
		if strings.Contains(got.header.Get("Content-Type"), "text/html") {
			n.checkPage(path, got)
		}
	}
	for _, form := range []string{"/signin?link", "/signup?invite", "/signin?to", "/signup?provider"} {
		path, name, _ := strings.Cut(form, "?")
		n.checkPage(path, n.send(n.site.nobody(), http.MethodPost, path, name+"="+query, "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"))
	}
}

// givePassword sets a password, and signs in by other ways to type it.
func (n *namesWalk) givePassword() {
	n.Helper()
	u, given := n.site.signIn(n.T, "p"+strings.ToLower(newKey()[:12])), n.Line(200)
	var account db.Account
	u.get(n.T, "/api/v1/session").read(n.T, &account)
	body, broken := n.body(map[string]any{"password": given})
	if got := n.send(u, http.MethodPost, "/api/v1/password", body); got.status >= 400 {
		return
	}
	if broken && !strings.Contains(body, `\u0000`) {
		n.Errorf("the password %s is taken", body)
	}
	if broken {
		given += "\x00"
	}
	for typed, want := range map[string]int{given: 201, norm.NFC.String(given): 201, norm.NFD.String(given): 201, given + "x": 401, " " + given: 401} {
		if got := n.send(n.site.nobody(), http.MethodPost, "/api/v1/session", jsonOf(map[string]string{"handle": account.Handle, "password": typed})); got.status != want {
			n.Errorf("signing in with %+q, typed %+q: %s", given, typed, got)
		}
	}
}

// misuse gives a text where a word of ours belongs, a number or a secret, and in headers.
func (n *namesWalk) misuse() {
	n.Helper()
	text, slug := n.Line(200), "x"
	if len(n.markets) > 0 {
		slug = n.markets[n.IntN(len(n.markets))].Slug
	}
	for path, body := range map[string]map[string]any{
		"/session":                        {"handle": "boss", "password": text, "invite": text, "link": ""},
		"/session?link":                   {"link": text, "password": text + " and more"},
		"/session?invite":                 {"handle": n.Handle(), "password": text, "invite": text, "new": true},
		"/keys":                           {"name": "k", "scopes": []string{text}},
		"/invites":                        {"uses": 1, "days": 1, "role": text},
		"/accounts/ana/role":              {"role": text},
		"/markets/" + slug + "/trades":    {"outcome": text, "side": text, "shares": "1", "max_cost": "1"},
		"/markets/" + slug + "/trades?at": {"outcome": text, "side": "buy", "shares": text, "max_cost": "1", "market": text},
		"/markets/" + slug + "/moves":     {"move": text, "reason": text, "payout": []string{text}},
		"/markets":                        {text: text, "slug": "x"},
	} {
		who := n.ana
		switch {
		case strings.HasPrefix(path, "/session"): // signing in ends the session of before
			who = n.site.nobody()
		case strings.HasPrefix(path, "/invites"), strings.HasPrefix(path, "/accounts"):
			who = n.boss
		}
		if got := n.send(who, http.MethodPost, "/api/v1"+path, jsonOf(body), "Idempotency-Key", newKey()); got.status < 400 && !strings.HasPrefix(path, "/session") {
			n.Errorf("%s takes %+q: %s", path, jsonOf(body), got)
		}
	}
	n.send(n.ana, http.MethodDelete, "/api/v1/comments/1?reason="+url.QueryEscape(text), "")
	for _, header := range []string{"Idempotency-Key", "X-Pgtape-Account", "If-None-Match", "Last-Event-ID", "User-Agent", "Accept-Language", "Authorization", "X-Forwarded-Host", "Origin", "Referer", "Cookie"} {
		n.send(n.ana, http.MethodPost, "/api/v1/markets/"+slug+"/trades", buyTen, header, text)
		n.send(n.ana, http.MethodGet, "/m/"+slug, "", header, text)
	}
}

// tellAbout says something about a market, and why its trading stops and goes on.
func (n *namesWalk) tellAbout(slug string) {
	n.Helper()
	said, why := n.Lines(2000), n.Lines(2000)
	body, broken := n.body(map[string]any{"body": said})
	got := n.send(n.ana, http.MethodPost, "/api/v1/markets/"+slug+"/comments", body)
	if got.status == http.StatusCreated {
		var list struct{ Comments []db.Comment }
		n.send(n.ana, http.MethodGet, "/api/v1/markets/"+slug+"/comments", "").read(n.T, &list)
		if broken || list.Comments[0].Body != texts.Kept(said, true) {
			n.Errorf("the comment %s is %+q", body, list.Comments[0].Body)
		}
	}
	body, broken = n.body(map[string]any{"move": "halt", "reason": why})
	if got := n.send(n.boss, http.MethodPost, "/api/v1/markets/"+slug+"/moves", body); got.status == http.StatusCreated {
		if broken {
			n.Errorf("%s is taken: %s", body, got)
		}
		if got := n.send(n.boss, http.MethodPost, "/api/v1/markets/"+slug+"/moves", jsonOf(map[string]string{"move": "open", "reason": texts.Kept(why, true)})); got.status != http.StatusCreated {
			n.Errorf("a reason that was taken, %+q, is not taken again: %s", why, got)
		}
	}
}
