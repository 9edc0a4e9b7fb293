package static

import (
	"bytes"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var hostile = map[string]any{
	"slug": "rain", "question": `</script><script>alert("q")</script>`, "description": "<b>d</b>", "category": "weather & sky",
	"status": "open", "outcomes": []string{"yes", "no"}, "prices": map[string]string{"yes": "0.622459331202", "no": "0.377540668798"},
	"volume": "28.092981", "trades": 1, "traders": 1, "version": 2,
}

func page(t *testing.T, name string, state map[string]any) string {
	t.Helper()
	var html bytes.Buffer
	if err := Render(&html, name, state); err != nil {
		t.Fatalf("rendering %s: %v", name, err)
	}
	return html.String()
}

func TestPagesHaveContentWithoutScripts(t *testing.T) {
	t.Parallel()
	trade := map[string]any{
		"seq": 2, "at": "2026-02-03T12:04:11.5Z", "kind": "trade",
		"trade": map[string]any{"account": "ana", "side": "buy", "outcome": "yes", "shares": "50.000000"},
	}
	none := map[string]any{}
	ana := map[string]string{"handle": "ana", "balance": "982.404000"}
	tests := []struct {
		name, page string
		state      map[string]any
		want       []string
	}{
		{
			"a list shows questions and prices", "list",
			map[string]any{"account": nil, "markets": []any{hostile}, "next": nil, "query": none, "categories": []any{"weather & sky"}, "days": map[string]any{"rain": map[string]any{"line": "M0 14H100", "change": "▲ 3.1"}}},
			[]string{`href="/m/rain"`, "62.2\u202f%", "¤ 28.09", `d="M0 14H100"`, "▲ 3.1", `<option>weather &amp; sky`, `href="/?status=open"`},
		},
		{
			"an empty list says what to do", "list",
			map[string]any{"account": ana, "markets": []any{}, "next": nil, "query": none, "days": none},
			[]string{"No markets yet", "pgtape.create_market", "ana", "982.40"},
		},
		{
			"a search without a result says so", "list",
			map[string]any{"account": nil, "markets": []any{}, "next": "4 x", "days": none, "query": map[string]string{"q": "zz", "sort": "hot"}},
			[]string{"Nothing matches", `name="q" value="zz"`, `value="hot" selected`, `href="/?cursor=4&#43;x&amp;q=zz&amp;sort=hot"`},
		},
		{
			"a market shows its prices and its tape", "market",
			map[string]any{"account": ana, "market": hostile, "trades": []any{trade}},
			[]string{"62.2\u202f%", "37.8\u202f%", `<h1 dir="auto">`, `<span class="board-label" dir="auto">Yes`, "12:04:11", "<b>ana</b> bought", "50.00", "v2"},
		},
		{
			"an error says what is wrong", "error",
			map[string]any{"account": nil, "error": map[string]any{"status": 404, "title": "No such market", "detail": "Try another."}},
			[]string{"404", "No such market", "Try another.", `name="q"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			html := page(t, tt.page, tt.state)
			for _, want := range tt.want {
				if !strings.Contains(html, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
		})
	}
}

func TestWhatPeopleWroteIsText(t *testing.T) {
	t.Parallel()
	none := map[string]any{}
	for name, state := range map[string]map[string]any{
		"list":   {"account": nil, "markets": []any{hostile}, "query": none, "days": none},
		"market": {"account": nil, "market": hostile, "trades": []any{}},
	} {
		html := page(t, name, state)
		if strings.Contains(html, "<script>alert") || strings.Contains(html, "<b>d</b>") {
			t.Errorf("page %s lets markup through", name)
		}
	}
}

// The content security policy allows neither inline scripts nor inline styles.
func TestPagesHoldNothingInline(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|javascript:`)
	err := fs.WalkDir(pages, "pages", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := pages.ReadFile(name)
		if found := inline.Find(text); found != nil {
			t.Errorf("%s holds %q", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPagesAndModulesNameFilesThatExist(t *testing.T) {
	t.Parallel()
	html := page(t, "market", map[string]any{"account": nil, "market": hostile, "trades": []any{}})
	asset := regexp.MustCompile(`(?:href|src)="/static/` + Build() + `/([^"]+)"`)
	found := asset.FindAllStringSubmatch(html, -1)
	if len(found) < 10 {
		t.Fatalf("only %d assets on the page", len(found))
	}
	for _, m := range found {
		if _, err := fs.Stat(FS, m[1]); err != nil {
			t.Errorf("the page names a file that is not there: %v", err)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for price, want := range map[string]string{
		"0": "0\u202f%", "1.000000": "100\u202f%", "0.000001": "<1\u202f%", "0.01": "1.0\u202f%", "0.99": "99.0\u202f%",
		"0.990001": ">99\u202f%", "0.622459331202": "62.2\u202f%", "0.0625": "6.3\u202f%",
	} {
		got, err := percent(price)
		if err != nil || got != want {
			t.Errorf("percent(%s) = %q, %v, want %q", price, got, err, want)
		}
	}
	if _, err := percent("NaN"); err == nil {
		t.Error("NaN is no price")
	}
}

func TestLeaderIsYesOrTheLikeliest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		outcomes []any
		prices   map[string]any
		want     string
	}{
		{[]any{"yes", "no"}, map[string]any{"yes": "0.1", "no": "0.9"}, "yes"},
		{[]any{"no", "yes"}, map[string]any{"yes": "0.1", "no": "0.9"}, "yes"},
		{[]any{"up", "down"}, map[string]any{"up": "0.1", "down": "0.9"}, "up"},
		{[]any{"a", "b", "c"}, map[string]any{"a": "0.2", "b": "0.5", "c": "0.3"}, "b"},
	}
	for _, tt := range tests {
		got, err := leader(map[string]any{"outcomes": tt.outcomes, "prices": tt.prices})
		if err != nil || got != tt.want {
			t.Errorf("leader of %v = %q, %v, want %q", tt.outcomes, got, err, tt.want)
		}
	}
}

// What a phone loads for a page is to be little, with the coding that every browser takes.
func TestPagesAreLight(t *testing.T) {
	t.Parallel()
	const most = 75 << 10
	for name, files := range modules {
		files = slices.Concat(files, []string{"js/theme.js", "css/base.css", "css/pages.css", "css/parts.css"})
		asGzip, asBrotli := 0, 0
		for _, file := range files {
			asGzip += len(Assets()[file].Gzip)
			asBrotli += len(Assets()[file].Brotli)
		}
		if asGzip > most {
			t.Errorf("scripts and styles of the page %q have %d bytes, each file compressed by gzip, want at most %d", name, asGzip, most)
		}
		t.Logf("%q: %d bytes as gzip, %d as brotli", name, asGzip, asBrotli)
	}
}

// A theme that is chosen and one that the system asks for are the same; CSS has no way to say it once.
func TestBothDarkThemesAreTheSame(t *testing.T) {
	t.Parallel()
	css, err := FS.ReadFile("css/base.css")
	if err != nil {
		t.Fatal(err)
	}
	block := func(selector string) string {
		_, rest, found := strings.Cut(string(css), selector+" {")
		if !found {
			t.Fatalf("no %s in base.css", selector)
		}
		body, _, _ := strings.Cut(rest, "}")
		return strings.Join(strings.Fields(body), " ")
	}
	system, chosen := block(`:root:not([data-theme="light"])`), block(`:root[data-theme="dark"]`)
	if system != chosen {
		t.Errorf("the system's:\n%s\nthe chosen:\n%s", system, chosen)
	}
}
