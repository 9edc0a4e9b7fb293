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
	short, err := db.ShortLimits(ctx, conn)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "57014" || pg.Code == "25P04") {
		r.failed = append(r.failed, shortLimit(db.ShortLimit("statement_timeout", r.Facts.Login, r.Facts.Database), Blocks))
		return nil
	}
	for _, n := range short {
		r.failed = append(r.failed, shortLimit(n, Costs))
	}
	return err
}

// shortLimit is a limit as a finding. It blocks if not even the question for it was answered.
func shortLimit(n db.Need, severity Severity) Finding {
	return Finding{Subject: n.Subject, Severity: severity, What: n.What, Cost: "trades and pages are refused that would be done", Mend: n.Mend}
}
