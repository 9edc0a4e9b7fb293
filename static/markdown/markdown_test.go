package markdown

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	const rel = ` rel="nofollow noopener ugc"`
	tests := []struct{ name, text, want string }{
		{"text", "a <b> & c\nd", "<p>a &lt;b&gt; &amp; c<br>\nd</p>"},
		{"emphasis", "**so** *it* ~~is~~ `now`", "<p><strong>so</strong> <em>it</em> <del>is</del> <code>now</code></p>"},
		{"a list", "- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"},
		{"a headline below the page's", "# a", "<h3>a</h3>"},
		{"a link", "[x](https://a.example/?b=1&c=2)", `<p><a href="https://a.example/?b=1&amp;c=2"` + rel + `>x</a></p>`},
		{"an address", "see https://a.example/b.", `<p>see <a href="https://a.example/b"` + rel + `>https://a.example/b</a>.</p>`},
		{"a mailbox", "<bo@a.example>", `<p><a href="mailto:bo@a.example"` + rel + `>bo@a.example</a></p>`},
		{"a mention", "@bo, and (@c.d).", `<p><a href="/u/bo">@bo</a>, and (<a href="/u/c.d">@c.d</a>).</p>`},
		{"a mention in any script", "「@bo」、“@c”、مرحبا@d", `<p>「<a href="/u/bo">@bo</a>」、“<a href="/u/c">@c</a>”、مرحبا<a href="/u/d">@d</a></p>`},
		{"no mention", "bo@a @@b a/@c `@d`", "<p>bo@a @@b a/@c <code>@d</code></p>"},
		{"no link in a link", "[@bo](https://a.example/)", `<p>[<a href="/u/bo">@bo</a>](<a href="https://a.example/"` + rel + `>https://a.example/</a>)</p>`},
		{"an image is a link", "![cat](https://a.example/c.png)", `<p><a href="https://a.example/c.png"` + rel + `>cat</a></p>`},
		{"a script in a link", "[x](javascript:alert(1))", "<p>x</p>"},
		{"a script in brackets", "<javascript:alert(1)>", "<p>javascript:alert(1)</p>"},
		{"data", "[x](data:text/html,x) ![y](data:image/png,x)", "<p>x y</p>"},
		{"our own pages", "[x](/logout) [y](//a.example) [z](https:///a)", "<p>x y z</p>"},
		{"a title with quotes", `[x](https://a.example "\" onclick=alert(1)")`, `<p><a href="https://a.example"` + rel + `>x</a></p>`},
		{"HTML is text", "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n<p>&lt;img src=x onerror=alert(1)&gt;</p>"},
		{"a comment is text", "<!-- a -->", "<p>&lt;!-- a --&gt;</p>"},
		{"no attributes", "# a {#b onclick=alert(1)}", "<h3>a {#b onclick=alert(1)}</h3>"},
		{"no language", "```\" onclick=alert(1)\na\n```", "<pre><code>a\n</code></pre>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.TrimSpace(string(HTML(tt.text))); plain(got) != plain(tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// plain writes quotes in one of the ways there are.
func plain(html string) string {
	return strings.NewReplacer("&#34;", `"`, "&quot;", `"`, "&#39;", "'").Replace(html)
}

func TestWhatNobodyWritesTakesNoTime(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"quotes":    strings.Repeat(">", 20000),
		"lists":     strings.Repeat("- ", 10000),
		"numbers":   strings.Repeat("1. ", 6600),
		"brackets":  strings.Repeat("[", 20000),
		"images":    strings.Repeat("![", 10000),
		"stars":     strings.Repeat("*a_", 6600),
		"ticks":     strings.Repeat("`a", 10000),
		"mentions":  strings.Repeat("@a ", 6600),
		"links":     strings.Repeat("[a](b", 4000),
		"addresses": strings.Repeat("http://a.b ", 1800),
		"stairs":    stairs(150),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			check(t, text)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// stairs are lists within lists, a step further on each line.
func stairs(steps int) string {
	var text strings.Builder
	for i := range steps {
		text.WriteString(strings.Repeat(" ", 2*i) + "- a\n")
	}
	return text.String()
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range []string{
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](JaVaScRiPt&colon;alert(1))",
		"[x](https://a\" onmouseover=\"alert(1))", "![x](data:image/svg+xml,<svg onload=alert(1)>)", "<https://a?\"><script>alert(1)</script>>",
		"@bo](javascript:1)", "[@bo](https://a)", "[![a](b)](c)", "[a]: javascript:1\n[a]", "```\"><script>\n</code><script>\n```", "> > - 1. a\n",
		"<a href=javascript:1>", "&lt;script&gt;", "&#60;script&#62;", "\x00\xff<scr\x00ipt>", "[x](\x01javascript:alert(1))", "[x](java\nscript:1)",
		"[x](vbscript:1)", "www.a.b/\"onclick=1", "mailto:a@b.c?\"onclick=1", "# a {onclick=1}", "</p></div></body><svg/onload=1>", "~~<style>~~",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { check(t, text) })
}

var (
	elements = []string{"p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "a"}
	address  = regexp.MustCompile(`^(?i:https?://[^/]|mailto:)|^/u/[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)
)

// check parses what a browser would be given, and fails for what may not be there.
func check(t *testing.T, text string) {
	t.Helper()
	rendered := string(HTML(text))
	nodes, err := html.ParseFragment(strings.NewReader(rendered), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		t.Fatalf("%q gives what is no HTML: %v", text, err)
	}
	for _, root := range nodes {
		for n := range root.Descendants() {
			checkNode(t, text, n)
		}
		checkNode(t, text, root)
	}
}

func checkNode(t *testing.T, text string, n *html.Node) {
	t.Helper()
	if n.Type != html.ElementNode {
		if n.Type != html.TextNode {
			t.Errorf("%q gives a node of type %d", text, n.Type)
		}
		return
	}
	if !slices.Contains(elements, n.Data) {
		t.Errorf("%q gives the element %s", text, n.Data)
	}
	for _, a := range n.Attr {
		switch n.Data + " " + a.Key {
		case "a href":
			if !address.MatchString(a.Val) {
				t.Errorf("%q gives a link to %q", text, a.Val)
			}
			if !strings.HasPrefix(a.Val, "/u/") && !slices.Contains(n.Attr, html.Attribute{Key: "rel", Val: relation}) {
				t.Errorf("%q gives a link without rel", text)
			}
		case "a rel", "ol start":
		default:
			t.Errorf("%q gives %s the attribute %s", text, n.Data, a.Key)
		}
	}
}
