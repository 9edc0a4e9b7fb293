package tape

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/hosts"
)

// lost tells whether an error is of a database that is lost, or was not found. Else it has answered, and
// refuses what only the reader wants, such as a slot or a publication: a pool beside it is well.
func lost(err error) bool {
	if errors.Is(err, errNoWAL) {
		return false
	}
	var none *hosts.NoServer
	var pg *pgconn.PgError
	if errors.As(err, &none) || !errors.As(err, &pg) {
		return true
	}
	shutDown, connection, readOnly := strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "08"), pg.Code == "25006"
	return shutDown || connection || readOnly
}
