package dbtest

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/e2e/link"
)

// Linked puts a link between a test and the Postgres of a URL, to be broken: through is the URL
// that goes through it.
func Linked(t testing.TB, database string) (through string, l *link.Link) {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	target := net.JoinHostPort(config.Host, fmt.Sprint(config.Port))
	if strings.HasPrefix(config.Host, "/") {
		target = fmt.Sprintf("%s/.s.PGSQL.%d", config.Host, config.Port)
	}
	l, err = link.New(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: l.Address(),
		Path: "/" + config.Database, RawQuery: "sslmode=disable",
	}
	return u.String(), l
}
