package connect

import (
	neturl "net/url"
	"slices"
	"strings"
)

// WithDatabase is the URL, or the string of keywords and values, of another database of the server. It
// adds to the text and parses none of it: of two names the last one counts, in Postgres' own clients
// too, and what a host may look like (a socket's path as %2F, several hosts) is for one parser to know.
func WithDatabase(text, name string) string { return with(text, "dbname", name) }

func with(text, name, value string) string {
	if _, rest, ok := cutScheme(text); ok {
		_, rest = cutLogin(rest)
		separator := "?"
		if strings.Contains(rest, "?") {
			separator = "&"
		}
		if strings.HasSuffix(text, "?") || strings.HasSuffix(text, "&") {
			separator = ""
		}
		return text + separator + name + "=" + strings.ReplaceAll(neturl.QueryEscape(value), "+", "%20")
	}
	return text + " " + name + "=" + quote(value)
}

// credentials are the parameters that name a login, or prove it. Client certificates are a login's too.
var credentials = []string{"user", "password", "passfile", "sslcert", "sslkey", "sslpassword"}

// WithLogin is the URL, or the string of keywords and values, of another login of the same database. It
// never has the credentials of the given text: of a text that Config refuses it keeps what it can read.
func WithLogin(text, user, password string) string {
	return replace(text, credentials, user, password)
}

// WithoutPassword is the text without the password in it, and the password; empty: it has none. Other
// users of a machine see what a program is started with.
func WithoutPassword(text string) (rest, password string) {
	config, err := Config(text, Options{})
	if err != nil || config.Password == "" {
		return text, ""
	}
	if rest = replace(text, []string{"user", "password"}, config.User, ""); hasPassword(text) {
		return rest, config.Password
	}
	return text, ""
}

// replace drops parameters, and the login before the host, and adds a login.
func replace(text string, drop []string, user, password string) string {
	scheme, rest, ok := cutScheme(text)
	if !ok {
		login := "user=" + quote(user)
		if password != "" {
			login += " password=" + quote(password)
		}
		for _, p := range keywords(text) {
			if !slices.Contains(drop, strings.ToLower(p.name)) {
				login += " " + p.name + "=" + quote(p.value)
			}
		}
		return login
	}
	login := neturl.User(user)
	if password != "" {
		login = neturl.UserPassword(user, password)
	}
	_, rest = cutLogin(rest)
	place, query, _ := strings.Cut(rest, "?")
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		return pair == "" || slices.Contains(drop, parameter(pair))
	})
	if len(kept) > 0 {
		place += "?" + strings.Join(kept, "&")
	}
	return scheme + login.String() + "@" + place
}

func hasPassword(text string) bool {
	_, rest, ok := cutScheme(text)
	if !ok {
		return slices.ContainsFunc(keywords(text), func(p pair) bool { return p.name == "password" })
	}
	login, rest := cutLogin(rest)
	_, query, _ := strings.Cut(rest, "?")
	return strings.Contains(login, ":") || slices.ContainsFunc(strings.Split(query, "&"), func(pair string) bool { return parameter(pair) == "password" })
}

// cutScheme splits a URL of Postgres behind its scheme. Not ok: it is keywords and values.
func cutScheme(text string) (scheme, rest string, ok bool) {
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok {
			return scheme, rest, true
		}
	}
	return "", text, false
}

// cutLogin splits what is behind the scheme where Postgres' own parser does: at an @ before any slash. A
// password may hold a question mark.
func cutLogin(rest string) (login, place string) {
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		return rest[:i], rest[i+1:]
	}
	return "", rest
}

// parameter is the name in a pair of a query, which may be escaped.
func parameter(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if plain, err := neturl.PathUnescape(name); err == nil {
		name = plain
	}
	return strings.ToLower(name)
}

type pair struct{ name, value string }

const spaces = " \t\n\r\f\v"

// keywords reads keywords and values, as far as they can be read.
func keywords(text string) (pairs []pair) {
	for {
		name, rest, found := strings.Cut(text, "=")
		if !found {
			return pairs
		}
		var value string
		value, text = valueOf(strings.TrimLeft(rest, spaces))
		if name = strings.Trim(name, spaces); !strings.ContainsFunc(name, notOfKeywords) {
			pairs = append(pairs, pair{name, value})
		}
	}
}

// notOfKeywords tells what is in no keyword, and in no name of a setting.
func notOfKeywords(r rune) bool {
	return r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// valueOf reads one value, which ends at a space, or at its closing quote. A backslash goes before
// what is meant as it stands.
func valueOf(text string) (value, rest string) {
	text, quoted := strings.CutPrefix(text, "'")
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			plain.WriteByte(text[i])
		case quoted && c == '\'', !quoted && strings.IndexByte(spaces, c) >= 0:
			return plain.String(), text[i+1:]
		default:
			plain.WriteByte(c)
		}
	}
	return plain.String(), ""
}

// quote writes a value of a keyword.
func quote(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}
