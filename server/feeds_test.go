package server_test

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
)

// told are the entries of a feed, of either kind.
type told struct {
	ID, Title, Text, Link string
}

func readAtom(t *testing.T, got answer) (feed struct {
	ID, Updated string
	Entries     []told
},
) {
	t.Helper()
	var atom struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		ID      string   `xml:"id"`
		Updated string   `xml:"updated"`
		Entries []struct {
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Summary string `xml:"summary"`
			Link    struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(got.body, &atom); err != nil || got.status != http.StatusOK {
		t.Fatalf("%v: %s", err, got)
	}
	feed.ID, feed.Updated = atom.ID, atom.Updated
	for _, e := range atom.Entries {
		feed.Entries = append(feed.Entries, told{e.ID, e.Title, e.Summary, e.Link.Href})
	}
	return feed
}

func readRSS(t *testing.T, got answer) (entries []told) {
	t.Helper()
	var rss struct {
		XMLName xml.Name `xml:"rss"`
		Items   []struct {
			GUID        string `xml:"guid"`
			Title       string `xml:"title"`
			Description string `xml:"description"`
			Link        string `xml:"link"`
		} `xml:"channel>item"`
	}
	if err := xml.Unmarshal(got.body, &rss); err != nil || got.status != http.StatusOK {
		t.Fatalf("%v: %s", err, got)
	}
	for _, i := range rss.Items {
		entries = append(entries, told{i.GUID, i.Title, i.Description, i.Link})
	}
	return entries
}

func TestFeedsTellOfMarketsAndResolutions(t *testing.T) {
	t.Parallel()
	s := open(t)
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "which", Question: "Which one?", Outcomes: []string{"a", "b", "c"}})
	must(t, err)
	_, err = s.ResolveMarket(t.Context(), "which", []db.Decimal{"0.25", "0", "0.75"}, "The station <says> so.")
	must(t, err)
	m, err := s.DB.DB.Market(t.Context(), "which")
	must(t, err)

	atom, rss := readAtom(t, s.nobody().get(t, "/feed.atom")), readRSS(t, s.nobody().get(t, "/feed.rss"))
	want := told{
		"urn:pgtape:which:" + m.Cursor, "Resolved: Which one?",
		"a pays ¤ 0.25 a share, c pays ¤ 0.75 a share. The station &lt;says&gt; so.", s.url + "/m/which",
	}
	if len(atom.Entries) != 2 || atom.Entries[0] != want || atom.Entries[1].Title != "New market: Which one?" {
		t.Errorf("Atom has %q, want first %q", atom.Entries, want)
	}
	if len(rss) != 2 || rss[0] != want || rss[1] != atom.Entries[1] {
		t.Errorf("RSS has %q", rss)
	}
}

func TestAFeedIsNotSentTwice(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Market(t)
	for _, path := range []string{"/feed.atom", "/feed.rss"} {
		got := s.nobody().get(t, path)
		again := s.nobody().get(t, path, "If-None-Match", got.header.Get("ETag"))
		if again.status != http.StatusNotModified || len(again.body) > 0 {
			t.Errorf("%s again: %s", path, again)
		}
		// What is not ten seconds old may still be followed by something older.
		if said := got.header.Get("Last-Modified"); said != "" {
			t.Errorf("%s is said to be of %s at once", path, said)
		}
	}
	s.Exec(t, `alter table pgtape_core.tape disable trigger all`)
	s.Exec(t, `update pgtape_core.tape set at = at - interval '1 hour'`)
	got := s.nobody().get(t, "/feed.atom")
	again := s.nobody().get(t, "/feed.atom", "If-Modified-Since", got.header.Get("Last-Modified"))
	if got.header.Get("Last-Modified") == "" || again.status != http.StatusNotModified {
		t.Errorf("of an hour ago: %v, again: %s", got.header, again)
	}
	s.Market(t)
	if news := s.nobody().get(t, "/feed.atom", "If-None-Match", got.header.Get("ETag")); len(readAtom(t, news).Entries) != 2 {
		t.Errorf("after a new market: %s", news)
	}
}

func TestFeedsAreWellFormedWhateverIsInThem(t *testing.T) {
	t.Parallel()
	s := open(t)
	if got := readAtom(t, s.nobody().get(t, "/feed.atom")); got.ID == "" || got.Updated == "" {
		t.Errorf("an empty feed: %+v", got)
	}
	readRSS(t, s.nobody().get(t, "/feed.rss"))

	const hostile = "]]> <script>alert(1)</script> &amp; 雨"
	_, err := s.CreateMarket(t.Context(), db.NewMarket{
		Slug: "hostile", Question: hostile, Description: hostile, Outcomes: []string{"]]>", "<b>", "&"},
	})
	must(t, err)
	_, err = s.VoidMarket(t.Context(), "hostile", hostile)
	must(t, err)
	atom, rss := readAtom(t, s.nobody().get(t, "/feed.atom")).Entries, readRSS(t, s.nobody().get(t, "/feed.rss"))
	if len(atom) != 2 || len(rss) != 2 || atom[0] != rss[0] {
		t.Fatalf("Atom has %q, RSS %q", atom, rss)
	}
	if atom[0].Title != "Void: "+hostile || strings.Contains(atom[0].Text, "<") {
		t.Errorf("told as %q", atom[0])
	}
}

func TestThePagesNameTheirFeedsAndPictures(t *testing.T) {
	t.Parallel()
	s := open(t)
	market := s.Market(t)
	for path, parts := range map[string][]string{
		"/": {
			`<meta property="og:title" content="Markets · pgtape">`, `<link rel="alternate" type="application/atom+xml" title="Markets" href="/feed.atom">`,
			`<link rel="alternate" type="application/rss+xml" title="Markets" href="/feed.rss">`,
		},
		"/m/" + market: {
			`<meta property="og:title" content="Will it?">`, `content="50.0` + "\u202f" + `% Yes · ¤ 0.00 traded · 0 people"`,
			`<meta property="og:image" content="https://` + strings.TrimPrefix(s.url, "http://") + "/m/" + market + `/card.png">`,
			`<meta name="twitter:card" content="summary_large_image">`,
		},
	} {
		page := string(s.nobody().get(t, path, "X-Forwarded-Proto", "https").body)
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("%s lacks %s", path, part)
			}
		}
	}
	if page := string(s.nobody().get(t, "/m/"+market, "X-Forwarded-Proto", `javascript"><`).body); !strings.Contains(page, `content="`+s.url+"/m/"+market+`"`) {
		t.Error("a scheme that is none is believed")
	}
}
