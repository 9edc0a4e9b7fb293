package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// becomeServer makes a new connection ready before anybody gets it: it is to the server that takes
// writes, has the rights of pgtape_server only, and knows the statements that trades are made by, so
// that the first trade on it is one round trip like any other.
func (p *pool) becomeServer(ctx context.Context, conn *pgx.Conn) error {
	if err := p.enlist(ctx, conn); err != nil {
		return err
	}
	if conn.Config().DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return nil // the URL wants no prepared statements, as for a pooler
	}
	for _, statement := range []string{tradeStatement, batchStatement, freeStatement} {
		_, err := conn.Prepare(ctx, statement, statement)
		switch {
		case pgErrorOf(err) != nil: // an older schema, which CheckSchema tells better
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// How long a connection has rested before it is looked at, and before it is asked in any case.
const (
	shortRest = time.Second
	longRest  = time.Minute
)

// doubtful decides whether a connection is asked for a sign of life before it is handed out, which
// costs a round trip. One that has rested a while is only looked at: what a server says when it ends
// a connection has arrived by itself.
func doubtful(_ context.Context, p pgxpool.ShouldPingParams) bool {
	return p.IdleDuration > longRest || p.IdleDuration > shortRest && !quiet(p.Conn.PgConn().Conn())
}
