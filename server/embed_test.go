package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

// words are what a page says, without its markup and state.
func words(page answer) string {
	text, _, _ := strings.Cut(string(page.body), `<script type="application/json"`)
	return text
}

func TestAnEmbeddedCardSaysWhatTheMarketDoes(t *testing.T) {
	t.Parallel()
	s := open(t)
	closes := time.Now().Add(time.Hour)
	many := []string{"a", "b", "c", "d", "e", "f"}
	for _, m := range []db.NewMarket{
		{Slug: "rain", Question: "Will it rain?", ClosesAt: &closes},
		{Slug: "many", Question: "Which?", Outcomes: many},
		{Slug: "over", Question: "Was it?"},
		{Slug: "shared", Question: "How much?"},
		{Slug: "hostile", Question: `</h1><script>alert(1)</script>`, Outcomes: []string{`"><b>`, "no"}},
	} {
		_, err := s.CreateMarket(t.Context(), m)
		must(t, err)
	}
	s.signIn(t, "ana").trade(t, "rain", buyTen)
	_, err := s.ResolveMarket(t.Context(), "over", []db.Decimal{"0", "1"}, "why")
	must(t, err)
	_, err = s.ResolveMarket(t.Context(), "shared", []db.Decimal{"0.5", "0.5"}, "why")
	must(t, err)
	_, err = s.HaltMarket(t.Context(), "hostile", "why")
	must(t, err)

	for slug, parts := range map[string][]string{
		"rain":    {"Will it rain?", "52.5", "47.5", "Open", "¤ 5.12 traded", "closes " + closes.UTC().Format("2 Jan 2006, 15:04 UTC"), s.url + "/m/rain", `d="M0 `},
		"many":    {"16.7", "and 2 more", `class="oc3" d="M`},
		"over":    {"Resolved: No"},
		"shared":  {">Resolved<"},
		"hostile": {"Halted", "&lt;/h1&gt;&lt;script&gt;", "&#34;&gt;&lt;b&gt;"},
	} {
		got := s.nobody().get(t, "/embed/"+slug)
		for _, part := range parts {
			if got.status != http.StatusOK || !strings.Contains(words(got), part) {
				t.Errorf("%s does not say %q: %d %s", slug, part, got.status, words(got))
			}
		}
		if slug != "many" && strings.Contains(words(got), "more</li>") {
			t.Errorf("%s has more outcomes than it has", slug)
		}
		if strings.Contains(words(got), "<script>") || strings.Contains(words(got), "style=") {
			t.Errorf("%s holds something inline", slug)
		}
	}
}

func TestOnlyCardsMayBeFramed(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	browser := []string{"Accept", "text/html"}
	for path, want := range map[string]string{
		"/embed/" + market: "frame-ancestors *", "/embed/nosuch": "frame-ancestors *",
		"/": "frame-ancestors 'none'", "/m/" + market: "frame-ancestors 'none'", "/m/nosuch": "frame-ancestors 'none'",
		"/feed.atom": "frame-ancestors 'none'", "/m/" + market + "/card.png": "frame-ancestors *",
	} {
		got := s.signIn(t, "somebody").get(t, path, browser...)
		if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, want) || !strings.Contains(policy, "script-src 'self'") {
			t.Errorf("%s: %s, want %s", path, policy, want)
		}
		// A card knows nobody, and has nothing to press.
		if strings.HasPrefix(path, "/embed/") && (strings.Contains(string(got.body), "somebody") || strings.Contains(string(got.body), "<form")) {
			t.Errorf("%s shows its visitor, or a form: %s", path, got)
		}
	}
	if got := s.nobody().get(t, "/embed/nosuch"); got.status != http.StatusNotFound || !strings.Contains(string(got.body), "there is no market nosuch") {
		t.Errorf("of no market: %s", got)
	}
}
