package server_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest/texts"
)

// most of the markets and handles of a walk that are read on every page: those of a long walk differ little.
const mostRead = 40

var tabs = []string{"holders", "comments", "rules", "timeline", "comments?part", "rules?part", "timeline?part"}

// readEverything asks for each GET of the route table, so that what is added to it is read, too.
func (n *namesWalk) readEverything() {
	n.Helper()
	read, links := map[string]bool{}, map[string]user{}
	for _, line := range n.site.server.Lines() {
		if line.Method != http.MethodGet || line.Path == "/ws" || strings.HasSuffix(line.Path, "/stream") || strings.HasPrefix(line.Path, "/signin/oidc") || line.Path == "/static/*" {
			continue
		}
		for _, path := range n.addresses(line.Path) {
			read[line.Path] = true
			who := n.reader(path)
			for _, link := range n.read(who, path) {
				links[link] = who
			}
		}
	}
	if len(read) < 40 {
		n.Errorf("%d routes are read", len(read))
	}
	for link, who := range links {
		if got := n.send(who, http.MethodGet, link, "", "Accept", "text/html"); got.status >= 400 {
			n.Errorf("a page leads to %s: %d", link, got.status)
		}
	}
}

// addresses are those of a route, for all that was taken.
func (n *namesWalk) addresses(route string) (paths []string) {
	switch {
	case strings.Contains(route, ":slug"):
		for _, m := range n.markets[max(0, len(n.markets)-mostRead):] {
			path := strings.Replace(route, ":slug", m.Slug, 1)
			switch {
			case strings.HasSuffix(path, ":tab"):
				for _, tab := range tabs {
					paths = append(paths, strings.Replace(path, ":tab", tab, 1))
				}
			case strings.HasSuffix(path, "/quote"):
				for _, name := range m.Outcomes {
					paths = append(paths, path+"?side=buy&shares=1&outcome="+url.QueryEscape(name))
				}
			default:
				paths = append(paths, path)
			}
		}
	case strings.Contains(route, ":handle"):
		for _, handle := range append(n.handles[max(0, len(n.handles)-mostRead):], "ana") {
			paths = append(paths, strings.Replace(route, ":handle", handle, 1))
		}
	case route == "/" || route == "/api/v1/markets":
		paths = []string{route, route + "?sort=new&limit=200"}
		for _, m := range n.markets[max(0, len(n.markets)-mostRead):] {
			paths = append(paths, route+"?sort=new&q="+url.QueryEscape(m.Question))
			if m.Category != "" {
				paths = append(paths, route+"?sort=new&category="+url.QueryEscape(m.Category))
			}
		}
	case route == "/api/v1/market-preview":
		paths = []string{route + "?liquidity=10"}
	default:
		paths = []string{route}
	}
	return paths
}

// reader is who may read what is at an address.
func (n *namesWalk) reader(path string) user {
	for _, part := range []string{"/admin", "audit", "/api/v1/invites"} {
		if strings.Contains(path, part) || path == "/api/v1/accounts" {
			return n.boss
		}
	}
	return n.ana
}

// read checks what there is at an address, and gives the addresses of ours that it leads to.
func (n *namesWalk) read(who user, path string) (links []string) {
	n.Helper()
	got := n.send(who, http.MethodGet, path, "", "Accept", "text/html,*/*")
	if got.status >= 400 {
		n.Errorf("%s: %.300s", path, got)
		return nil
	}
	switch kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); kind {
	case "text/html":
		return n.checkPage(path, got)
	case "application/json":
		if !json.Valid(got.body) {
			n.Errorf("%s: no JSON: %.300s", path, got)
		}
	case "image/png":
		if p, err := png.DecodeConfig(bytes.NewReader(got.body)); err != nil || p.Width != 1200 || p.Height != 630 {
			n.Errorf("%s: %v, %v", path, p, err)
		}
	case "text/csv":
		n.checkCSV(path, got)
	}
	if !strings.Contains(path, ".png") && bytes.ContainsAny(got.body, "\x00\x1b\x7f\u202e\u2066") {
		n.Errorf("%s has what is not seen", path)
	}
	return nil
}

// checkCSV reads a table back: each question and outcome is one that was given, and none a formula.
func (n *namesWalk) checkCSV(path string, got answer) {
	n.Helper()
	rows, err := csv.NewReader(bytes.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) < 2 {
		n.Errorf("%s: %d rows, %v", path, len(rows), err)
		return
	}
	for _, row := range rows[1:] {
		i := slices.IndexFunc(n.markets, func(m db.Market) bool { return m.Slug == row[3] })
		if i < 0 {
			continue
		}
		for _, cell := range []string{row[4], row[5]} {
			if strings.ContainsAny(firstOf(cell), "=+-@＝＋－＠\t\r") {
				n.Errorf("%s: the cell %q is a formula to a spreadsheet", path, cell)
			}
		}
		if unguarded(row[4]) != unguarded(n.markets[i].Question) || row[5] != "" && !slices.ContainsFunc(n.markets[i].Outcomes, func(o string) bool { return unguarded(o) == unguarded(row[5]) }) {
			n.Errorf("%s: %+q is none of %+v", path, row, n.markets[i])
		}
	}
}

func firstOf(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

func unguarded(cell string) string { return strings.TrimPrefix(cell, "'") }

var (
	attributeName = regexp.MustCompile(`^[a-z][a-z0-9:-]*$`)
	elementName   = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	notOurs       = []string{"img", "iframe", "object", "embed", "style", "base", "applet", "frame", "math", "video", "audio"}
)

// checkPage parses a page: no element or attribute is anybody's but ours. It gives the addresses of ours
// that it leads to; those that somebody wrote into a text aside.
func (n *namesWalk) checkPage(path string, got answer) (links []string) {
	n.Helper()
	page, err := html.Parse(bytes.NewReader(got.body))
	if err != nil {
		n.Errorf("%s: %v", path, err)
		return nil
	}
	states := 0
	for node := range page.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		if !elementName.MatchString(node.Data) && node.Namespace == "" || slices.Contains(notOurs, node.Data) {
			n.Errorf("%s has an element %q", path, node.Data)
		}
		of := map[string]string{}
		for _, a := range node.Attr {
			of[a.Key] = a.Val
			if node.Namespace == "" && (!attributeName.MatchString(a.Key) || strings.HasPrefix(a.Key, "on") || a.Key == "style") {
				n.Errorf("%s has <%s %s=%q>", path, node.Data, a.Key, a.Val)
			}
		}
		if node.Data == "script" {
			states += n.checkScript(path, node, of)
		}
		for _, address := range []string{of["href"], of["src"], of["action"]} {
			if n.checkAddress(path, address) && !inMarkdown(node) {
				links = append(links, strings.TrimPrefix(address, n.site.url))
			}
		}
	}
	if states > 1 {
		n.Errorf("%s has %d states", path, states)
	}
	return links
}

// checkScript tells whether a script is the page's state; the others are files of ours.
func (n *namesWalk) checkScript(path string, node *html.Node, of map[string]string) int {
	n.Helper()
	switch {
	case of["type"] == "application/json" && of["id"] == "state":
		if node.FirstChild == nil || !json.Valid([]byte(node.FirstChild.Data)) {
			n.Errorf("%s has a state that is no JSON", path)
		}
		return 1
	case strings.HasPrefix(of["src"], "/static/") && strings.HasSuffix(of["src"], ".js") && node.FirstChild == nil:
	default:
		n.Errorf("%s has a script: %v %v", path, of, node.FirstChild)
	}
	return 0
}

// checkAddress tells whether an address is one of ours.
func (n *namesWalk) checkAddress(path, address string) bool {
	n.Helper()
	switch {
	case strings.HasPrefix(address, n.site.url), strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//"):
		return true
	case address == "", strings.HasPrefix(address, "#"), strings.HasPrefix(address, "https://"), strings.HasPrefix(address, "http://"), strings.HasPrefix(address, "mailto:"):
	case strings.HasPrefix(address, "?"):
	default:
		n.Errorf("%s leads to %q", path, address)
	}
	return false
}

func inMarkdown(node *html.Node) bool {
	for ; node != nil; node = node.Parent {
		for _, a := range node.Attr {
			if a.Key == "class" && slices.Contains(strings.Fields(a.Val), "markdown") {
				return true
			}
		}
	}
	return false
}

// readFeeds finds the newest markets in both feeds, by their questions.
func (n *namesWalk) readFeeds() {
	n.Helper()
	entries := readAtom(n.T, n.send(n.ana, http.MethodGet, "/feed.atom", "")).Entries
	inRSS := readRSS(n.T, n.send(n.ana, http.MethodGet, "/feed.rss", ""))
	for _, m := range n.markets[max(0, len(n.markets)-20):] {
		for kind, list := range map[string][]told{"Atom": entries, "RSS": inRSS} {
			if !slices.ContainsFunc(list, func(e told) bool {
				return e.Link == n.site.url+"/m/"+m.Slug && texts.Kept(e.Title, false) == texts.Kept("New market: "+m.Question, false)
			}) {
				n.Errorf("%s does not tell of %+q (%s)", kind, m.Question, m.Slug)
			}
		}
	}
}

// hear follows some markets by WebSocket, by Server-Sent Events and through an edge: all say what the API says.
func (n *namesWalk) hear() {
	n.Helper()
	e := n.site.edge(n.T)
	wire := n.site.dial(n.T)
	wire.send(`{"op":"subscribe","market":` + jsonOf(n.Line(64)) + `}`)
	if f := wire.next("error"); !slices.Contains([]db.Code{db.NotFound, db.InvalidRequest}, f.Code) || texts.Harms(f.Message) {
		n.Errorf("a market of any name: %+v", f)
	}
	for _, m := range n.markets[max(0, len(n.markets)-5):] {
		wire.subscribe(m.Slug, "", "tape")
		state := wire.next("snapshot").State
		st := n.site.stream(n.T, m.Slug, "")
		streamed := (<-st.events).frame.State
		var asked, byEdge db.Market
		n.send(n.ana, http.MethodGet, "/api/v1/markets/"+m.Slug, "").read(n.T, &asked)
		e.nobody().get(n.T, "/api/v1/markets/"+m.Slug).read(n.T, &byEdge)
		for by, got := range map[string]*db.Market{"the socket": state, "the stream": streamed, "the edge": &byEdge, "the API": &asked} {
			if got == nil || got.Question != m.Question || got.Description != m.Description || got.Category != m.Category || !slices.Equal(got.Outcomes, m.Outcomes) {
				n.Errorf("%s says %+v, want %+v", by, got, m)
			}
		}
		order := jsonOf(db.Order{Outcome: m.Outcomes[1], Side: "buy", Shares: "0.5", MaxCost: "1"})
		if got := n.send(n.ana, http.MethodPost, "/api/v1/markets/"+m.Slug+"/trades", order, "Idempotency-Key", newKey()); got.status != http.StatusCreated {
			n.Errorf("an order for %+q: %s", m.Outcomes[1], got)
			continue
		}
		for _, f := range nextTrades(wire, st) {
			if f.Trade == nil || f.Trade.Outcome != m.Outcomes[1] || len(f.Prices.Outcomes) != len(m.Outcomes) {
				n.Errorf("an order for %+q is told as %+v", m.Outcomes[1], f)
			}
		}
	}
}

// nextTrades gives the next trade that a socket tells of, and that a stream does.
func nextTrades(w *wire, st *stream) [2]frame {
	w.t.Helper()
	var told [2]frame
	for told[0].Kind != "trade" {
		told[0] = w.next("event")
	}
	for e := range st.events {
		if told[1] = e.frame; e.frame.Kind == "trade" {
			break
		}
	}
	return told
}
