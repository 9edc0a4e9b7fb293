package server_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// example is a request for a route which is answered by anything but 401 and 403 when it is let in.
type example struct{ path, body string }

// examples are one for each route that has parameters or takes a body; the others are asked for as they
// are. Who may ask is written in the route table only.
var examples = map[string]example{
	"POST /api/v1/session":                   {"", `{"handle":"%s"}`},
	"DELETE /api/v1/sessions/:id":            {"/api/v1/sessions/999999", ""},
	"POST /signin":                           {"", `{}`},
	"POST /signup":                           {"", `{}`},
	"POST /api/v1/password":                  {"", `{"password":"correct horse battery"}`},
	"POST /api/v1/identity":                  {"", `{}`},
	"POST /api/v1/keys":                      {"", `{"name":"k","scopes":["read"]}`},
	"DELETE /api/v1/keys/:id":                {"/api/v1/keys/999999", ""},
	"POST /api/v1/invites":                   {"", `{}`},
	"DELETE /api/v1/invites/:id":             {"/api/v1/invites/999999", ""},
	"POST /api/v1/accounts/:handle/approval": {"/api/v1/accounts/nosuch/approval", `{}`},
	"POST /api/v1/accounts/:handle/ranking":  {"/api/v1/accounts/nosuch/ranking", `{"ranked":false,"reason":"so"}`},
	"POST /api/v1/markets":                   {"", `{"slug":"m-%s","question":"Will it?","liquidity":"1"}`},
	"GET /api/v1/markets/:slug":              {"/api/v1/markets/nosuch", ""},
	"GET /api/v1/markets/:slug/quote":        {"/api/v1/markets/nosuch/quote", ""},
	"POST /api/v1/markets/:slug/trades":      {"/api/v1/markets/nosuch/trades", `{"outcome":"yes","side":"buy","shares":"1","max_cost":"1"}`},
	"GET /api/v1/markets/:slug/tape":         {"/api/v1/markets/nosuch/tape", ""},
	"GET /api/v1/markets/:slug/history":      {"/api/v1/markets/nosuch/history", ""},
	"GET /api/v1/markets/:slug/stream":       {"/api/v1/markets/nosuch/stream", ""},
	"GET /api/v1/accounts/:handle":           {"/api/v1/accounts/nosuch", ""},
	"POST /api/v1/accounts/:handle/role":     {"/api/v1/accounts/nosuch/role", `{"role":"trader"}`},
	"POST /api/v1/accounts/:handle/link":     {"/api/v1/accounts/nosuch/link", `{}`},
	"DELETE /api/v1/accounts/:handle/access": {"/api/v1/accounts/nosuch/access", ""},
	"GET /api/v1/markets/:slug/moves":        {"/api/v1/markets/nosuch/moves", ""},
	"POST /api/v1/markets/:slug/moves":       {"/api/v1/markets/nosuch/moves", `{"move":"dispute","reason":"why"}`},
	"GET /api/v1/markets/:slug/settlement":   {"/api/v1/markets/nosuch/settlement", ""},
	"GET /api/v1/markets/:slug/state":        {"/api/v1/markets/nosuch/state", ""},
	"GET /api/v1/markets/:slug/holders":      {"/api/v1/markets/nosuch/holders", ""},
	"GET /api/v1/markets/:slug/timeline":     {"/api/v1/markets/nosuch/timeline", ""},
	"GET /api/v1/markets/:slug/comments":     {"/api/v1/markets/nosuch/comments", ""},
	"POST /api/v1/markets/:slug/comments":    {"/api/v1/markets/nosuch/comments", `{"body":"so it is"}`},
	"DELETE /api/v1/comments/:id":            {"/api/v1/comments/999999", ""},
	"POST /api/v1/notifications/read":        {"", `{"ids":null}`},
	"DELETE /api/v1/account":                 {"", `{"handle":"somebody else"}`},
	"GET /u/:handle":                         {"/u/nosuch", ""},
	"GET /m/:slug/:tab":                      {"/m/nosuch/holders", ""},
	"GET /m/:slug/card.png":                  {"/m/nosuch/card.png", ""},
	"GET /embed/:slug":                       {"/embed/nosuch", ""},
	"GET /m/:slug":                           {"/m/nosuch", ""},
	"GET /static/*":                          {"/static/js/app.js", ""},
}

// somebody asks for each route.
type somebody struct {
	name   string
	user   user
	key    string // sent as a bearer
	role   db.Role
	scopes []string // of the key
	dead   bool     // the key is no good: nothing is answered
}

// expected is what the route table says of somebody's request: 0, 401 or 403.
func expected(line server.Line, who somebody) int {
	switch {
	case who.dead:
		return http.StatusUnauthorized
	case line.Role == "":
		return 0
	case who.role == "":
		return http.StatusUnauthorized
	case who.key != "" && (line.Scope == "" || !slices.Contains(who.scopes, line.Scope)), !who.role.Has(line.Role):
		return http.StatusForbidden
	}
	return 0
}

// everybody makes one of each kind, with accounts of their own.
func (s *site) everybody(t *testing.T) []somebody {
	t.Helper()
	tag := strings.ToLower(newKey()[:8])
	member := func(name string, role db.Role) user {
		u := s.signIn(t, name+"-"+tag)
		if role != db.Trader {
			_, err := s.SetRole(t.Context(), name+"-"+tag, role, "")
			must(t, err)
		}
		return u
	}
	key := func(owner string, scopes ...string) string {
		made, _, err := s.CreateKey(t.Context(), owner+"-"+tag, "k", scopes, 0)
		must(t, err)
		return made
	}
	nobody, trader, operator, admin := s.nobody(), member("trader", db.Trader), member("operator", db.Operator), member("admin", db.Admin)
	expired, revoked := member("expired", db.Admin), member("revoked", db.Admin)
	all := []string{"read", "trade", "operate"}
	keys := map[string]string{"revoked": key("admin", all...), "expired": key("admin", all...)}

	// Those that end have been used, so that this node has taken them on trust before.
	used := func(u user, headers ...string) {
		if got := u.post(t, "/api/v1/markets/nosuch/trades", buyTen, append([]string{"Idempotency-Key", "k"}, headers...)...); got.code() != db.NotFound {
			t.Fatalf("a trade in no market: %s", got)
		}
	}
	used(revoked)
	used(nobody, "Authorization", "Bearer "+keys["revoked"])
	if got := revoked.do(t, http.MethodDelete, "/api/v1/session", nil); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	var list struct{ Keys []db.Key }
	admin.get(t, "/api/v1/keys").read(t, &list)
	if got := admin.do(t, http.MethodDelete, fmt.Sprintf("/api/v1/keys/%d", list.Keys[1].ID), nil); got.status != http.StatusNoContent {
		t.Fatal(got)
	}
	s.Exec(t, "update pgtape_core.api_key set expires_at = now() - interval '1 s' where id = $1", list.Keys[0].ID)
	s.Exec(t, "update pgtape_core.session set expires_at = now() - interval '1 s' where account_id = (select id from pgtape_core.account where handle = $1)", "expired-"+tag)

	return []somebody{
		{name: "nobody", user: nobody},
		{name: "a trader", user: trader, role: db.Trader},
		{name: "another trader", user: member("other", db.Trader), role: db.Trader},
		{name: "an operator", user: operator, role: db.Operator},
		{name: "an admin", user: admin, role: db.Admin},
		{name: "a key to read", user: nobody, key: key("trader", "read"), role: db.Trader, scopes: all[:1]},
		{name: "a key to trade", user: nobody, key: key("trader", "trade"), role: db.Trader, scopes: all[1:2]},
		{name: "a key to operate", user: nobody, key: key("operator", "operate"), role: db.Operator, scopes: all[2:]},
		{name: "an admin's key for everything", user: nobody, key: key("admin", all...), role: db.Admin, scopes: all},
		{name: "a key, and a cookie that may more", user: admin, key: key("trader", "read"), role: db.Trader, scopes: all[:1]},
		{name: "a revoked key", user: nobody, key: keys["revoked"], dead: true},
		{name: "an expired key", user: nobody, key: keys["expired"], dead: true},
		{name: "no key, and a good cookie", user: admin, key: "pgt_nonsense", dead: true},
		{name: "an expired session", user: expired},
		{name: "a revoked session", user: revoked},
	}
}

// TestWhoMayAskWhat asks for every route as everybody. What is allowed is written once, in routes.go.
func TestWhoMayAskWhat(t *testing.T) {
	t.Parallel()
	s := open(t)
	unused := map[string]bool{}
	for name := range examples {
		unused[name] = true
	}
	readers := s.everybody(t)
	for _, line := range s.server.Lines() {
		name := line.Method + " " + line.Path
		if line.Method == http.MethodHead {
			name = "GET " + line.Path
		}
		e, known := examples[name]
		delete(unused, name)
		if !known && (line.Method == http.MethodPost || strings.ContainsAny(line.Path, ":*")) {
			t.Errorf("%s is in no row of the examples", name)
			continue
		}
		people := readers
		if line.Method != http.MethodGet && line.Method != http.MethodHead { // may sign somebody out
			people = s.everybody(t)
		}
		for _, who := range people {
			if got, want := s.ask(t, line, e, who), expected(line, who); refused(got.status) != want {
				t.Errorf("%s %s by %s: %s, want %d", line.Method, line.Path, who.name, got, want)
			}
		}
	}
	for name := range unused {
		t.Errorf("the example of %s is of no route", name)
	}
}

func (s *site) ask(t *testing.T, line server.Line, e example, who somebody) answer {
	t.Helper()
	path := line.Path
	if e.path != "" {
		path = e.path
	}
	headers := []string{"Idempotency-Key", newKey()}
	var body io.Reader
	if e.body != "" {
		text := e.body
		if strings.Contains(text, "%s") {
			text = fmt.Sprintf(text, strings.ToLower(newKey()[:10]))
		}
		body = strings.NewReader(text)
		headers = append(headers, "Content-Type", "application/json")
	}
	if who.key != "" {
		headers = append(headers, "Authorization", "Bearer "+who.key)
	}
	return who.user.do(t, line.Method, path, body, headers...)
}

func refused(status int) int {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return status
	}
	return 0
}

func TestWhatIsSomebodyElsesIsNotThere(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana, bo := s.signIn(t, "ana"), s.signIn(t, "bo")
	made := ana.post(t, "/api/v1/keys", `{"name":"mine","scopes":["read"]}`)
	if made.status != http.StatusCreated {
		t.Fatal(made)
	}
	var keys struct{ Keys []db.Key }
	ana.get(t, "/api/v1/keys").read(t, &keys)
	var sessions struct{ Sessions []db.Session }
	ana.get(t, "/api/v1/sessions").read(t, &sessions)
	for _, path := range []string{
		fmt.Sprintf("/api/v1/keys/%d", keys.Keys[0].ID), fmt.Sprintf("/api/v1/sessions/%d", sessions.Sessions[0].ID),
		"/api/v1/keys/x", "/api/v1/sessions/-1", "/api/v1/sessions/99999999999999999999",
	} {
		if got := bo.do(t, http.MethodDelete, path, nil); got.code() != db.NotFound {
			t.Errorf("DELETE %s by another: %s", path, got)
		}
	}
	var none struct{ Keys []db.Key }
	bo.get(t, "/api/v1/keys").read(t, &none)
	if len(none.Keys) > 0 {
		t.Errorf("another sees %+v", none)
	}
	if got := ana.get(t, "/api/v1/session"); got.status != http.StatusOK {
		t.Errorf("ana is signed in no more: %s", got)
	}

	one, two, admin := s.signIn(t, "one"), s.signIn(t, "two"), s.signIn(t, "root")
	for handle, role := range map[string]db.Role{"one": db.Operator, "two": db.Operator, "root": db.Admin} {
		_, err := s.SetRole(t.Context(), handle, role, "")
		must(t, err)
	}
	if got := one.post(t, "/api/v1/invites", `{"role":"operator"}`); got.code() != db.NotPermitted {
		t.Errorf("an operator invites an operator: %s", got)
	}
	var invite struct{ ID int64 }
	one.post(t, "/api/v1/invites", `{"uses":2}`).read(t, &invite)
	path := fmt.Sprintf("/api/v1/invites/%d", invite.ID)
	if got := two.do(t, http.MethodDelete, path, nil); got.code() != db.NotPermitted {
		t.Errorf("another operator's invite: %s", got)
	}
	if got := admin.do(t, http.MethodDelete, path, nil); got.status != http.StatusNoContent {
		t.Errorf("an admin takes an invite back: %s", got)
	}
	audited := map[string]bool{}
	entries, err := s.Audit(t.Context(), 0, 50)
	must(t, err)
	for _, e := range entries {
		audited[e.Act+" by "+e.Actor] = true
	}
	if !audited["invite_made by one"] || !audited["invite_revoked by root"] {
		t.Errorf("audited: %v", audited)
	}
}

func TestASessionThatIsUsedGoesOn(t *testing.T) {
	t.Parallel()
	s := open(t)
	ana := s.signIn(t, "ana")
	s.Exec(t, "update pgtape_core.session set last_seen_at = now() - interval '20 days', expires_at = now() + interval '10 days'")
	got := ana.get(t, "/api/v1/session")
	if got.status != http.StatusOK || !strings.Contains(got.header.Get("Set-Cookie"), ana.cookie) {
		t.Errorf("%s %v, want the cookie again", got, got.header)
	}
	var left time.Duration
	must(t, s.Pool().QueryRow(t.Context(), "select expires_at - now() from pgtape_core.session").Scan(&left))
	if left < 29*24*time.Hour {
		t.Errorf("the session has %v left", left)
	}
	if got := ana.get(t, "/api/v1/session"); got.header.Get("Set-Cookie") != "" {
		t.Errorf("the cookie is set each time: %v", got.header)
	}
}
