package static

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPayoutsInWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		payout map[string]any
		want   string
	}{
		{map[string]any{"yes": "1.000000", "no": "0.000000"}, "Yes pays ¤ 1.00, No nothing"},
		{map[string]any{"no": "0.500000", "yes": "0.500000"}, "Yes pays ¤ 0.50, No pays ¤ 0.50"},
		{map[string]any{"c": "0.333333", "a": "0.333334", "b": "0.333333"}, "a pays ¤ 0.333334, b pays ¤ 0.333333, c pays ¤ 0.333333"},
		{map[string]any{"a": "0", "b": "0", "c": "1", "d": "0"}, "c pays ¤ 1.00, a and b and d nothing"},
		{map[string]any{"a": "0", "b": "0", "c": "1", "d": "0", "e": "0"}, "c pays ¤ 1.00"},
	} {
		if got, err := pays(tt.payout, names(tt.payout)); err != nil || strings.ReplaceAll(got, "\u00a0", " ") != tt.want {
			t.Errorf("%q, %v, want %q", got, err, tt.want)
		}
	}
	if _, err := pays(map[string]any{"yes": "1"}, []any{"no"}); err == nil {
		t.Error("a payout of other outcomes has words")
	}
}

func TestNotificationsAreTold(t *testing.T) {
	t.Parallel()
	notice := func(kind string, detail map[string]any) any {
		return map[string]any{
			"id": 1, "kind": kind, "market": "rain", "question": "Will it?", "detail": detail, "words": nil,
			"at": "2026-02-03T12:04:11.5Z", "read_at": nil,
		}
	}
	yes := map[string]any{"no": "0.000000", "yes": "1.000000"}
	for want, n := range map[string]any{
		"Resolved: Yes pays ¤ 1.00, No nothing. You were paid ¤ 5.00.": notice("resolved", map[string]any{"act": "resolved", "paid": "5.000000", "payout": yes}),
		"The resolution was corrected":                                 notice("resolved", map[string]any{"act": "corrected", "paid": "-5.000000", "payout": yes}),
		"You gave back ¤ 5.00.":                                        notice("resolved", map[string]any{"act": "void", "paid": "-5.000000", "payout": yes}),
		"You may dispute it":                                           notice("proposed", map[string]any{"payout": yes}),
		"1 trade by others":                                            notice("traded", map[string]any{"trades": json.Number("1")}),
		"12 trades by others":                                          notice("traded", map[string]any{"trades": json.Number("12")}),
		"/m/rain/comments#comment-7":                                   notice("mention", map[string]any{"account": "bo", "comment": 7}),
		"<b>bo</b> commented":                                          notice("comment", map[string]any{"account": "bo", "comment": 7}),
		"Closes 4 Feb 2026, 12:00 UTC":                                 notice("closing_soon", map[string]any{"closes_at": "2026-02-04T12:00:00.000000Z"}),
	} {
		html := page(t, "notifications", map[string]any{
			"account": map[string]any{"handle": "ana", "balance": "1"}, "unread": 1, "notifications": []any{n}, "next": nil,
		})
		if !strings.Contains(strings.ReplaceAll(html, "\u00a0", " "), want) {
			t.Errorf("the page lacks %q: %s", want, html)
		}
	}
}
