package server_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/pgtape/pgtape/static"
)

func TestAssetsAreAskedForAgainAndNotSentAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	got := s.nobody().get(t, "/static/js/app.js")
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/javascript") ||
		got.header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	again := s.nobody().get(t, "/static/js/app.js", "If-None-Match", got.header.Get("ETag"))
	if again.status != http.StatusNotModified || len(again.body) > 0 {
		t.Errorf("again: %s", again)
	}
}

// A page names its files by addresses that a browser need never ask for again; an address of another build
// gets the file of this one, and is asked for again.
func TestPagesNameFilesThatMayBeKeptForEver(t *testing.T) {
	t.Parallel()
	s := open(t)
	page := string(s.nobody().get(t, "/").body)
	addresses := regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(addresses) < 10 {
		t.Fatalf("%d addresses of files", len(addresses))
	}
	for _, address := range addresses {
		got := s.nobody().get(t, address[1])
		if got.status != http.StatusOK || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v", address[1], got.status, got.header)
		}
	}
	for path, status := range map[string]int{
		"/static/0123456789abcdef/js/app.js":                              200,
		"/static/0123456789abcdef/js/none.js":                             404,
		"/static/0123456789abcdef":                                        404,
		"/static/0123456789abcdef/":                                       404,
		"/static/0123456789ABCDEF/js/app.js":                              404,
		"/static/" + static.Build() + "/" + static.Build() + "/js/app.js": 404,
	} {
		got := s.nobody().get(t, path)
		if cached := got.header.Get("Cache-Control"); got.status != status || cached != map[int]string{200: "no-cache", 404: "no-store"}[status] {
			t.Errorf("%s: %d, Cache-Control %s, want %d", path, got.status, cached, status)
		}
	}
}

// plain decodes what an asset was sent as.
func (a answer) plain(t *testing.T) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(a.body)
	var err error
	switch a.header.Get("Content-Encoding") {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "br":
		r = brotli.NewReader(r)
	}
	must(t, err)
	text, err := io.ReadAll(r)
	must(t, err)
	return string(text)
}

func TestAssetsAreSentInACodingThatIsTaken(t *testing.T) {
	t.Parallel()
	s := open(t)
	const path = "/static/js/app.js"
	want := s.nobody().get(t, path, "Accept-Encoding", "identity")
	etags := map[string]string{}
	for accepts, coding := range map[string]string{
		"":                             "",
		"gzip":                         "gzip",
		"gzip, deflate, br, zstd":      "br",
		"gzip, deflate":                "gzip",
		"GZip;Q=1.0":                   "gzip",
		"x-gzip":                       "gzip",
		"br":                           "br",
		"zstd":                         "",
		"deflate, nonsense":            "",
		"gzip;q=0":                     "",
		"gzip;q=0, *":                  "br",
		"gzip;q=0.5, br;q=0.4":         "gzip",
		"gzip ; q = 0.001":             "gzip",
		"br;q=0, gzip;q=0.3, identity": "",
		"identity;q=0.5, *;q=0.9":      "br",
		"*":                            "br",
		"*;q=0":                        "none",
		"identity;q=0":                 "none",
		"*;q=0, gzip":                  "gzip",
		"gzip;q=nan":                   "",
		"gzip;q=":                      "",
		"gzip;":                        "",
		",,;q=1,gzip,":                 "gzip",
	} {
		got := s.nobody().get(t, path, "Accept-Encoding", cmp.Or(accepts, " "))
		if coding == "none" {
			if got.status != http.StatusNotAcceptable {
				t.Errorf("%q: %d", accepts, got.status)
			}
			continue
		}
		if got.status != http.StatusOK || got.header.Get("Content-Encoding") != coding || got.plain(t) != string(want.body) {
			t.Errorf("%q: %d, %q, want %q", accepts, got.status, got.header.Get("Content-Encoding"), coding)
		}
		if got.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: varies by %q", accepts, got.header.Get("Vary"))
		}
		if known := etags[coding]; known != "" && known != got.header.Get("ETag") {
			t.Errorf("%q: ETag %s, and %s before", accepts, got.header.Get("ETag"), known)
		}
		etags[coding] = got.header.Get("ETag")
	}
	if etags["gzip"] == etags["br"] || etags["gzip"] == etags[""] || etags[""] == etags["br"] {
		t.Errorf("two codings have one ETag: %v", etags)
	}
}

// A part, or the headers alone, are of the coding that the whole is sent in.
func TestPartsAndHeadersOfAnAssetAreOfItsCoding(t *testing.T) {
	t.Parallel()
	s := open(t)
	const path = "/static/js/feed.js"
	for _, coding := range []string{"identity", "gzip", "br"} {
		whole := s.nobody().get(t, path, "Accept-Encoding", coding)
		head := s.nobody().do(t, http.MethodHead, path, nil, "Accept-Encoding", coding)
		for _, name := range []string{"ETag", "Content-Encoding", "Content-Type", "Vary", "Cache-Control"} {
			if head.header.Get(name) != whole.header.Get(name) {
				t.Errorf("%s: %s is %q of HEAD, %q of GET", coding, name, head.header.Get(name), whole.header.Get(name))
			}
		}
		if head.status != http.StatusOK || len(head.body) > 0 {
			t.Errorf("%s: HEAD %s", coding, head)
		}
		part := s.nobody().get(t, path, "Accept-Encoding", coding, "Range", "bytes=100-199", "If-Range", whole.header.Get("ETag"))
		if part.status != http.StatusPartialContent || !bytes.Equal(part.body, whole.body[100:200]) ||
			part.header.Get("Content-Range") != "bytes 100-199/"+strconv.Itoa(len(whole.body)) {
			t.Errorf("%s: a part: %d, %s", coding, part.status, part.header.Get("Content-Range"))
		}
		if again := s.nobody().get(t, path, "Accept-Encoding", coding, "Range", "bytes=0-9", "If-Range", `"other"`); again.status != http.StatusOK || !bytes.Equal(again.body, whole.body) {
			t.Errorf("%s: a part of another build: %d", coding, again.status)
		}
		if beyond := s.nobody().get(t, path, "Accept-Encoding", coding, "Range", "bytes=9999999-"); beyond.status != http.StatusRequestedRangeNotSatisfiable || beyond.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: a part beyond the end: %d %v", coding, beyond.status, beyond.header)
		}
		if fresh := s.nobody().get(t, path, "Accept-Encoding", coding, "If-None-Match", whole.header.Get("ETag")); fresh.status != http.StatusNotModified {
			t.Errorf("%s: what has not changed: %d", coding, fresh.status)
		}
	}
}
