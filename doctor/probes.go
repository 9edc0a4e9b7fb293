package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/connect"
)

// Each probe has a time limit, and none that fails ends the examination: what it could not find out is a
// finding.
const (
	askWithin     = 15 * time.Second // for facts, and what is needed
	measureWithin = 30 * time.Second
)

// open connects without the time limits of the database, which a probe is not to fail by, unless a pooler
// refuses that.
func open(ctx context.Context, url string, m *meter) (*pgx.Conn, *pgx.ConnConfig, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	for _, o := range []connect.Options{{Name: "pgtape doctor", Unlimited: true}, {Name: "pgtape doctor"}} {
		config, err := connect.Config(url, o)
		if err != nil {
			return nil, nil, err
		}
		config.RuntimeParams["application_name"] = o.Name
		config.DialFunc = m.dial
		conn, err := connect.Dial(ctx, config)
		if !errors.Is(err, connect.ErrPooler) {
			if err != nil {
				err = fmt.Errorf("connecting: %w", db.ConnectError(err))
			}
			return conn, config, err
		}
	}
	return nil, nil, connect.ErrPooler
}

// try does one probe within its time limit.
func (r *Report) try(ctx context.Context, subject string, limit time.Duration, probe func(context.Context) error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := probe(limited)
	if err == nil {
		return
	}
	f := Finding{Subject: subject, Severity: Blocks, What: err.Error(), Cost: "it could not be looked at", Mend: "mend what is said, and ask again"}
	var own *db.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &own):
		f.What, f.Mend = own.Error(), own.Hint
		if own.Reason == db.ReasonTimeout {
			f.Cost = "no trade is answered"
		}
	case errors.As(err, &pg) && pg.Code == "53300":
		f.What = "the server gives no further connection: " + pg.Message
		f.Cost = "a server cannot connect"
		f.Mend = fmt.Sprintf("alter role %s connection limit -1; or raise the database's limit, or max_connections, or end who has the connections", ident(r.login))
	case limited.Err() != nil:
		f.What = fmt.Sprintf("no answer within %v", limit)
	}
	r.failed = append(r.failed, f)
}

// timeLimits are what a session of the server's would be under.
func (r *Report) timeLimits(ctx context.Context, url string) error {
	conn, err := connect.Open(ctx, url, connect.Options{Name: "pgtape doctor"})
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `
		select name, setting::bigint from pg_catalog.pg_settings
		where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout') and setting <> '0'
		order by name`, pgx.QueryExecModeExec)
	limits := map[string]int64{}
	if err == nil {
		var name string
		var ms int64
		_, err = pgx.ForEachRow(rows, []any{&name, &ms}, func() error {
			limits[name] = ms
			return nil
		})
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "57014" || pg.Code == "25P04") {
		r.failed = append(r.failed, r.short("statement_timeout", "so short that not even this question was answered", Blocks))
		return nil
	}
	for name, ms := range limits {
		if ms < 1000 {
			r.failed = append(r.failed, r.short(name, fmt.Sprintf("%d ms for the login", ms), Costs))
		}
	}
	return err
}

func (r *Report) short(name, what string, severity Severity) Finding {
	return Finding{
		Subject: name, Severity: severity, What: name + " is " + what, Cost: "trades and pages that take longer, or wait for others, are refused",
		Mend: fmt.Sprintf("set %[3]s = 0; alter role %[1]s in database %[2]s set %[3]s = '30s'", ident(r.Facts.Login), ident(r.Facts.Database), name),
	}
}
