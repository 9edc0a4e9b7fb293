package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Logins is what there is to know of the SQL logins of traders.
type Logins struct {
	MayEnd    bool     `json:"may_end_lock_holders"` // those that keep markets locked
	Unlimited []string `json:"unlimited"`            // may take all connections
	Owner     string   `json:"owner"`                // of the functions
}

// askLogins asks a database that has a schema; nil where the login may not ask.
func askLogins(ctx context.Context, conn *pgx.Conn) *Logins {
	l := &Logins{}
	err := conn.QueryRow(ctx, `
		select pgtape.may_end_lock_holders(),
			array(
				select r.rolname::text from pg_catalog.pg_roles r
				where r.rolcanlogin and r.rolconnlimit < 0 and pg_has_role(r.oid, 'pgtape_trader', 'member')
					and not pg_has_role(r.oid, 'pgtape_server', 'member')
				order by 1 limit 5
			),
			(select nspowner::regrole::text from pg_catalog.pg_namespace where nspname = 'pgtape')`).
		Scan(&l.MayEnd, &l.Unlimited, &l.Owner)
	if err != nil {
		return nil
	}
	return l
}

// logins judges what one SQL login can do to everybody.
func (r *Report) logins() (findings []Finding) {
	l := r.Logins
	if l == nil {
		return nil
	}
	if !l.MayEnd {
		findings = append(findings, Finding{
			Subject: "logins", Severity: Costs, What: "sessions of SQL logins that keep markets locked cannot be ended",
			Cost: "one login that trades in a transaction and does not end it stops trading in these markets, for operators too",
			Mend: "as a superuser: grant pg_signal_backend, pg_read_all_stats to " + ident(l.Owner),
		})
	}
	if len(l.Unlimited) > 0 {
		findings = append(findings, Finding{
			Subject: "logins", Severity: Costs, What: "SQL logins without a limit of connections: " + strings.Join(l.Unlimited, ", "),
			Cost: "each of them can take every connection of the server",
			Mend: fmt.Sprintf("alter role %s connection limit 5; pgtape account sql-login makes such logins", ident(l.Unlimited[0])),
		})
	}
	return findings
}
