package dbtest

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/e2e/lag"
)

// Lagged puts a long way between a test and the Postgres of a URL: through is the URL that goes
// through it. A unix socket's has no TLS, another keeps its sslmode.
func Lagged(t testing.TB, database string, oneWay time.Duration) (through string, p *lag.Proxy) {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	target := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") {
		target = config.Host + "/.s.PGSQL." + strconv.Itoa(int(config.Port))
		u.RawQuery = "sslmode=disable"
	}
	p, err = lag.New(target, oneWay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	u.Host = p.Address()
	return u.String(), p
}
