package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/connect"
)

// Pooler is what stands between us and the server.
type Pooler string

// The poolers: none; one that gives each of its clients a session of the server's; one that gives
// them a session for a transaction, and then to the next.
const (
	NoPooler          Pooler = ""
	SessionPooler     Pooler = "session"
	TransactionPooler Pooler = "transaction"
)

// findPooler looks whether the session that a connection has is its own. The key that a connection
// was given to cancel by names its server process; a pooler gives one of its own. If a second
// connection is served by the first one's process though that is still there, sessions are shared.
func findPooler(ctx context.Context, config *pgx.ConnConfig, conn *pgx.Conn) (Pooler, error) {
	mine, err := backend(ctx, conn)
	if err != nil {
		return NoPooler, err
	}
	other, err := connect.Dial(ctx, config)
	if err != nil {
		return NoPooler, fmt.Errorf("connecting a second time: %w", err)
	}
	defer other.Close(context.WithoutCancel(ctx))
	theirs, err := backend(ctx, other)
	if err != nil {
		return NoPooler, err
	}
	again, err := backend(ctx, conn)
	switch {
	case err != nil:
		return NoPooler, err
	case theirs == mine || again != mine:
		return TransactionPooler, nil
	case conn.PgConn().PID() != mine:
		return SessionPooler, nil
	}
	return NoPooler, nil
}

// backend asks which process serves a connection, without a prepared statement: a pooler may know none.
func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	if err := conn.QueryRow(ctx, "select pg_backend_pid()::bigint", pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return 0, fmt.Errorf("asking who serves us: %w", err)
	}
	return pid, nil
}
