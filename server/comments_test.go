package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
)

type comments struct {
	Market   string
	Comments []db.Comment
	Next     *int64
}

func TestCommentsOverHTTP(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana, bo, op := s.Market(t), s.signIn(t, "ana"), s.signIn(t, "bo"), s.signIn(t, "op")
	_, err := s.SetRole(t.Context(), "op", db.Operator, "")
	must(t, err)
	path := "/api/v1/markets/" + market + "/comments"

	var made db.Comment
	for range 2 { // one key, one comment
		got := ana.post(t, path, map[string]string{"body": "hello @bo"}, "Idempotency-Key", "k")
		if got.status != http.StatusCreated {
			t.Fatalf("comment: %s", got)
		}
		got.read(t, &made)
	}
	if made.Account != "ana" || made.Seq != 2 || made.Market != market {
		t.Errorf("made %+v", made)
	}
	for range 2 {
		bo.post(t, path, `{"body":"so"}`)
	}
	var list comments
	s.nobody().get(t, path+"?limit=2").read(t, &list)
	if len(list.Comments) != 2 || list.Next == nil || *list.Next != list.Comments[1].ID {
		t.Fatalf("first page %+v", list)
	}
	s.nobody().get(t, fmt.Sprintf("%s?before=%d", path, *list.Next)).read(t, &list)
	if len(list.Comments) != 1 || list.Next != nil || list.Comments[0].Body != "hello @bo" {
		t.Errorf("second page %+v", list)
	}

	one := fmt.Sprintf("/api/v1/comments/%d", made.ID)
	tests := []struct {
		name   string
		got    answer
		status int
	}{
		{"nobody comments", s.nobody().post(t, path, `{"body":"so"}`), 401},
		{"not without words", ana.post(t, path, `{"body":"  "}`), 400},
		{"not with others", ana.post(t, path, `{"body":"so","account":"bo"}`), 400},
		{"not too many", ana.post(t, path, map[string]string{"body": strings.Repeat("x", 2001)}), 400},
		{"not about nothing", ana.post(t, "/api/v1/markets/none/comments", `{"body":"so"}`), 404},
		{"nothing about nothing", ana.get(t, "/api/v1/markets/none/comments"), 404},
		{"before what", ana.get(t, path+"?before=x"), 400},
		{"from another site", ana.post(t, path, `{"body":"so"}`, "Origin", "https://evil.example"), 403},
		{"nobody removes", s.nobody().do(t, http.MethodDelete, one, nil), 401},
		{"another trader does not remove", bo.do(t, http.MethodDelete, one, nil), 403},
		{"an operator not without a reason", op.do(t, http.MethodDelete, one, nil), 400},
		{"an operator with one", op.do(t, http.MethodDelete, one+"?reason=spam", nil), 204},
		{"and nobody twice", ana.do(t, http.MethodDelete, one, nil), 404},
		{"no number", ana.do(t, http.MethodDelete, "/api/v1/comments/x", nil), 400},
		{"holders", ana.get(t, "/api/v1/markets/"+market+"/holders"), 200},
		{"holders of nothing", ana.get(t, "/api/v1/markets/none/holders"), 404},
		{"a timeline", ana.get(t, "/api/v1/markets/"+market+"/timeline"), 200},
		{"a timeline of nothing", ana.get(t, "/api/v1/markets/none/timeline"), 404},
	}
	for _, tt := range tests {
		if tt.got.status != tt.status {
			t.Errorf("%s: %s, want %d", tt.name, tt.got, tt.status)
		}
	}
	s.Verify(t)
}

func TestATabIsAPageAndAPart(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.follow(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	ana.trade(t, market, buyTen)
	ana.post(t, "/api/v1/markets/"+market+"/comments", map[string]string{"body": "**so** <script>alert(1)</script> @ana"})
	_, err := s.HaltMarket(context.WithoutCancel(t.Context()), market, "<b>why</b>")
	must(t, err)
	for tab, want := range map[string]string{
		"holders":  `<a href="/u/ana">ana</a></th><td class="right" title="10.000000">10.00`,
		"comments": `<strong>so</strong> &lt;script&gt;alert(1)&lt;/script&gt; <a href="/u/ana">@ana</a>`,
		"rules":    "a share of Yes pays ¤\u00a00.50, No pays ¤\u00a00.50",
		"timeline": "&lt;b&gt;why&lt;/b&gt;",
	} {
		page := ana.get(t, "/m/"+market+"/"+tab)
		if page.status != http.StatusOK || !strings.Contains(string(page.body), want) || !strings.Contains(string(page.body), "<title>Will it?") {
			t.Errorf("%s: %s, want %s in it", tab, page, want)
		}
		if tab == "rules" {
			continue
		}
		part := ana.get(t, "/m/"+market+"/"+tab+"?part")
		if part.status != http.StatusOK || !strings.Contains(string(part.body), want) || strings.Contains(string(part.body), "<html") {
			t.Errorf("part %s: %s", tab, part)
		}
		if !strings.Contains(string(part.body), `data-version="4"`) {
			t.Errorf("part %s is of another version: %s", tab, part)
		}
	}
	for _, path := range []string{"/m/" + market + "/nothing", "/m/none/comments", "/m/none/holders?part"} {
		if got := ana.get(t, path); got.code() != db.NotFound {
			t.Errorf("%s: %s", path, got)
		}
	}
	nobody := string(s.nobody().get(t, "/m/"+market+"/comments?part").body)
	if strings.Contains(nobody, "<form") || !strings.Contains(nobody, "Sign in to say something") {
		t.Errorf("nobody sees %s", nobody)
	}
}

func TestNotificationsOverHTTP(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana, bo := s.Market(t), s.signIn(t, "ana"), s.signIn(t, "bo")
	for range 2 {
		bo.post(t, "/api/v1/markets/"+market+"/comments", `{"body":"@ana <img src=x onerror=alert(1)>"}`)
	}
	type list struct {
		Unread        int
		Notifications []db.Notification
		Next          *int64
	}
	want := func(u user, unread, all int) list {
		t.Helper()
		var got list
		u.get(t, "/api/v1/notifications").read(t, &got)
		if got.Unread != unread || len(got.Notifications) != all {
			t.Errorf("told %+v, want %d, %d of them not read", got, all, unread)
		}
		return got
	}
	want(bo, 0, 0)
	told := want(ana, 2, 2)
	ids := fmt.Sprintf(`{"ids":[%d]}`, told.Notifications[0].ID)
	if got := bo.post(t, "/api/v1/notifications/read", ids); got.status != http.StatusOK {
		t.Errorf("%s", got)
	}
	want(ana, 2, 2) // those of others stay as they are
	ana.post(t, "/api/v1/notifications/read", ids)
	want(ana, 1, 2)
	page := string(ana.get(t, "/notifications").body)
	if !strings.Contains(page, "<b>bo</b> mentioned you") || !strings.Contains(page, "&lt;img src=x") || strings.Contains(page, "<img") {
		t.Errorf("the page says %s", page)
	}
	ana.post(t, "/api/v1/notifications/read", `{}`)
	want(ana, 0, 2)
	var count list
	ana.get(t, "/api/v1/notifications?limit=0").read(t, &count)
	if len(count.Notifications) != 0 || count.Unread != 0 {
		t.Errorf("counted %+v", count)
	}
	for _, got := range []answer{s.nobody().get(t, "/api/v1/notifications"), s.nobody().post(t, "/api/v1/notifications/read", `{}`)} {
		if got.code() != db.NotSignedIn {
			t.Errorf("nobody: %s", got)
		}
	}
	if got := s.nobody().get(t, "/notifications"); got.status != http.StatusOK || !strings.Contains(string(got.body), "You are not signed in") {
		t.Errorf("nobody: %s", got)
	}
}

func TestAKeyToTradeRemovesNobodyElsesComments(t *testing.T) {
	t.Parallel()
	s := open(t)
	boss, market := s.operator(t, "boss"), s.Market(t)
	key := func(scopes ...string) []string {
		made, _, err := s.CreateKey(t.Context(), "boss", "k", scopes, 0)
		must(t, err)
		return []string{"Authorization", "Bearer " + made}
	}
	var said struct{ ID int64 }
	s.signIn(t, "ana").post(t, "/api/v1/markets/"+market+"/comments", `{"body":"buy shoes"}`).read(t, &said)
	path := fmt.Sprintf("/api/v1/comments/%d?reason=spam", said.ID)
	if got := s.nobody().do(t, http.MethodDelete, path, nil, key("read", "trade")...); got.code() != db.NotPermitted {
		t.Errorf("a key to trade: %s", got)
	}
	if got := s.nobody().do(t, http.MethodDelete, path, nil, key("trade", "operate")...); got.status != http.StatusNoContent {
		t.Errorf("a key to operate: %s", got)
	}
	if got := boss.get(t, "/api/v1/markets/"+market+"/comments"); strings.Contains(string(got.body), "shoes") {
		t.Errorf("it is still there: %s", got)
	}
}
