package hosts

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrStandby is wrapped by what is said of a server in recovery.
var ErrStandby = errors.New("the server is a standby (in recovery): it takes no writes, and what it shows may be old")

// RefuseStandby asks a connection whether it is to a standby, unless that may be.
// Errors: ErrStandby.
func (s *Servers) RefuseStandby(ctx context.Context, conn *pgconn.PgConn) error {
	if s.stated {
		return nil
	}
	return askRecovery(ctx, conn)
}

// refuseStandby is a pgconn.ValidateConnectFunc. Servers since 14 tell by themselves whether they are
// in recovery, so that no question is needed; but what a pooler tells of it may be old news.
func refuseStandby(ctx context.Context, conn *pgconn.PgConn) error {
	if conn.ParameterStatus("in_hot_standby") == "off" {
		return nil
	}
	return askRecovery(ctx, conn)
}

func askRecovery(ctx context.Context, conn *pgconn.PgConn) error {
	row, err := first(ctx, conn, "select pg_is_in_recovery()")
	if err != nil {
		return fmt.Errorf("asking whether the server is in recovery: %w", err)
	}
	if row[0] == "t" {
		return ErrStandby
	}
	return nil
}

// RefuseWish refuses a URL of several servers that wants one of them that takes no writes: the one that
// does would be chosen, and then refused for it.
func RefuseWish(config *pgconn.Config) error {
	if config.ValidateConnect == nil {
		return nil
	}
	wish := reflect.ValueOf(config.ValidateConnect).Pointer()
	for name, validate := range map[string]pgconn.ValidateConnectFunc{
		"standby":   pgconn.ValidateConnectTargetSessionAttrsStandby,
		"read-only": pgconn.ValidateConnectTargetSessionAttrsReadOnly,
	} {
		if wish != reflect.ValueOf(validate).Pointer() {
			continue
		}
		for _, f := range config.Fallbacks {
			if f.Host != config.Host || f.Port != config.Port {
				return fmt.Errorf("target_session_attrs=%s wants a server that takes no writes, and pgtape needs the primary: leave it out; or, to look at one standby, name that alone", name)
			}
		}
	}
	return nil
}

// dropReadOnly ends a connection on which a write was refused because the server takes none: it was
// demoted, or made read-only, since. The next one is made to a server that is looked at anew.
func dropReadOnly(config *pgconn.Config) {
	before := config.OnPgError
	config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		if err.Code == readOnlyTransaction {
			return false
		}
		return before == nil || before(conn, err)
	}
}

const readOnlyTransaction = "25006"
