package connect

import (
	neturl "net/url"
	"strings"
)

// WithDatabase is the URL, or the string of keywords and values, of another database of the server. It
// adds to the text and parses none of it: of two names the last one counts, in Postgres' own clients
// too, and what a host may look like (a socket's path as %2F, several hosts) is for one parser to know.
func WithDatabase(text, name string) string {
	rest, ok := strings.CutPrefix(text, "postgres://")
	if !ok {
		rest, ok = strings.CutPrefix(text, "postgresql://")
	}
	if !ok {
		return text + " dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "'"
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' { // a password may hold a ?
		rest = rest[i+1:]
	}
	separator := "?"
	if strings.Contains(rest, "?") {
		separator = "&"
	}
	if strings.HasSuffix(text, "?") || strings.HasSuffix(text, "&") {
		separator = ""
	}
	return text + separator + "dbname=" + strings.ReplaceAll(neturl.QueryEscape(name), "+", "%20")
}
