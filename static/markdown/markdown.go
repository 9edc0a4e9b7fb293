// Package markdown makes HTML of what people write: comments and descriptions.
//
// HTML in it is text like any other: no parser of HTML is among those that read it. What comes out
// goes through a sanitiser all the same, which knows a short list of elements and two attributes, so
// that a mistake in the one is caught by the other. template.HTML comes from nowhere else.
package markdown

import (
	"bytes"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// relation is what a link that somebody else wrote is to this site.
const relation = "nofollow noopener ugc"

var (
	foreign = regexp.MustCompile(`^(?i:https?://[^/]|mailto:)`)
	mention = regexp.MustCompile(`^@[A-Za-z0-9][A-Za-z0-9_.-]{0,31}`)
	allowed = regexp.MustCompile(`^(?i:https?://[^/]|mailto:)|^/u/[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)
)

var writer = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(mentions{}, 400),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
		parser.WithASTTransformers(util.Prioritized(tame{}, 1000)),
	)),
	goldmark.WithExtensions(
		extension.Strikethrough,
		extension.NewLinkify(extension.WithLinkifyAllowedProtocols([]string{"http:", "https:", "mailto:"})),
	),
	goldmark.WithRendererOptions(html.WithHardWraps()),
)

var sanitiser = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("href").Matching(allowed).OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile("^" + relation + "$")).OnElements("a")
	p.AllowURLSchemes("mailto")
	somewhere := func(u *url.URL) bool { return u.Host != "" } // https:#top is an address of ours
	p.AllowURLSchemeWithCustomPolicy("http", somewhere)
	p.AllowURLSchemeWithCustomPolicy("https", somewhere)
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	return p
}()

// Of what is nested deeper than anybody writes, the text is shown as it is. Parsing takes a time that
// grows with the product of length and depth.
const (
	maxDepth   = 24
	maxMarkers = 64
)

var markers = regexp.MustCompile(`(?m)^[>\s*+\-0-9.)]*`)

// HTML renders what somebody wrote. Links lead to https, http and mailto only; @handle leads to
// somebody's page; there are no images, and a headline is never above those of the page.
func HTML(text string) template.HTML {
	var out bytes.Buffer
	if deep(text) || writer.Convert([]byte(text), &out) != nil || nested(out.String()) {
		out.Reset()
		out.WriteString("<p>" + strings.ReplaceAll(template.HTMLEscapeString(text), "\n", "<br>") + "</p>")
	}
	return template.HTML(sanitiser.SanitizeBytes(out.Bytes()))
}

// deep tells whether a line begins with more markers of quotes and lists than anybody writes.
func deep(text string) bool {
	for _, line := range markers.FindAllString(text, -1) {
		if strings.Count(line, ">")+strings.Count(line, "-")+strings.Count(line, "*")+strings.Count(line, "+") > maxMarkers {
			return true
		}
	}
	return false
}

// nested tells whether HTML of ours is nested too deeply.
func nested(html string) bool {
	depth := 0
	for i := range len(html) - 1 {
		if html[i] != '<' {
			continue
		}
		switch {
		case html[i+1] == '/':
			depth--
		case !strings.HasPrefix(html[i:], "<br") && !strings.HasPrefix(html[i:], "<hr"):
			depth++
		}
		if depth > maxDepth {
			return true
		}
	}
	return false
}
