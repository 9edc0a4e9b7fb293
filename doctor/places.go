package doctor

import (
	"fmt"
	"strings"
)

// room is whether a reader finds a place. Places that readers of ours have are theirs to take again.
func room(subject, setting string, all, used, ours int, severity Severity, cost string) Finding {
	what := fmt.Sprintf("%d of %d are free", max(0, all-used), all)
	if used < all || ours > 0 {
		return Finding{Subject: subject, Severity: OK, What: what}
	}
	return Finding{
		Subject: subject, Severity: severity, What: what, Cost: cost,
		Mend: fmt.Sprintf("alter system set %s = %d, and restart the server; or drop what nobody uses: select * from pg_replication_slots where not active", setting, all+10),
	}
}

// readerConns are the connections that a server has beside its pool: the reader's two, and one to
// migrate or look.
const readerConns = 3

func (r *Report) connections(pool int) Finding {
	free := r.Facts.ConnectionsFree
	f := Finding{
		Subject: "connections", Severity: OK,
		What: fmt.Sprintf("%d of %d are free for the login; a server takes up to %d", max(0, free), r.Facts.Connections, pool+readerConns),
		Mend: r.moreConnections(pool),
	}
	switch {
	case free <= readerConns:
		f.Severity, f.Cost = Blocks, "a server cannot connect"
	case free < pool+readerConns:
		f.Severity, f.Cost = Costs, "under load some requests are refused a connection"
	default:
		f.Mend = ""
	}
	return f
}

// moreConnections is which limit to lift: the login's or the database's own, where they have one.
func (r *Report) moreConnections(pool int) string {
	f := r.Facts
	var lift []string
	if f.LoginLimit >= 0 && !f.Superuser {
		lift = append(lift, "alter role "+ident(f.Login)+" connection limit -1")
	}
	if f.DatabaseLimit >= 0 && !f.Superuser {
		lift = append(lift, "alter database "+ident(f.Database)+" connection limit -1")
	}
	if lift == nil {
		return fmt.Sprintf("alter system set max_connections = %d, and restart the server", f.Connections-f.ConnectionsFree+2*(pool+readerConns))
	}
	return strings.Join(lift, "; ")
}
