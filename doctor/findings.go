package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// Severity is how much a finding matters.
type Severity string

// The severities: as it should be; good to know; it works, and costs something; pgtape does not work.
const (
	OK     Severity = "ok"
	Note   Severity = "note"
	Costs  Severity = "costs"
	Blocks Severity = "blocks"
)

// Finding is one thing that was looked at.
type Finding struct {
	Subject  string   `json:"subject"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Cost     string   `json:"cost,omitempty"`  // in words
	Trips    int      `json:"trips,omitempty"` // round trips that it costs: a connection, or a query
	MS       float64  `json:"ms,omitempty"`    // and the time
	Mend     string   `json:"mend,omitempty"`  // the command, or what to change
}

// judge says what follows from what was measured and asked.
func (r *Report) judge(o Options) []Finding {
	var all []Finding
	for _, about := range [][]Finding{
		{r.version(), r.standby(), r.pooler()},
		r.privileges(),
		r.logins(),
		{r.schema()},
		r.tapeReader(o.Source),
		{r.connections(o.Pool)},
		r.ways(),
		{r.statements(), r.distance(), r.commit(), r.durability(), r.clock(), r.memory(), r.autovacuum(), r.insight()},
	} {
		for _, f := range about {
			if f.Subject != "" {
				all = append(all, f)
			}
		}
	}
	for _, f := range r.failed {
		all = put(all, f)
	}
	return r.withNeeds(all)
}

// put adds a finding, in the place of one of the same subject that is there: it knows more.
func put(all []Finding, f Finding) []Finding {
	if i := slices.IndexFunc(all, func(a Finding) bool { return a.Subject == f.Subject }); i >= 0 {
		all[i] = f
		return all
	}
	return append(all, f)
}

// withNeeds adds what serve and migrate would refuse, in their words.
func (r *Report) withNeeds(all []Finding) []Finding {
	for _, n := range r.needs {
		f := Finding{Subject: n.Subject, Severity: Costs, What: n.What, Cost: "see what is wrong", Mend: n.Mend}
		if n.Blocks {
			f.Severity, f.Cost = Blocks, "pgtape serve refuses to start"
		}
		all = put(all, f)
	}
	return all
}

func (r *Report) version() Finding {
	if r.Facts.Number < 14_00_00 {
		return Finding{
			Subject: "version", Severity: Blocks, What: "PostgreSQL " + r.Facts.Version + " is older than 14",
			Cost: "pgtape does not run on it", Mend: "upgrade the server to 14 or newer",
		}
	}
	return Finding{Subject: "version", Severity: OK, What: "PostgreSQL " + r.Facts.Version}
}

func (r *Report) standby() Finding {
	if !r.Facts.Standby {
		return Finding{}
	}
	return Finding{Subject: "standby", Severity: Blocks, What: "the server is a standby and takes no writes", Cost: "nobody can trade", Mend: "name the primary"}
}

func (r *Report) pooler() Finding {
	switch r.Pooler {
	case TransactionPooler:
		return Finding{
			Subject: "pooler", Severity: Blocks, What: "behind a pooler that gives sessions for a transaction only",
			Cost: "the server's role and its prepared statements are a session's, and the tape cannot be read through it",
			Mend: "name Postgres itself in --database-url, not the pooler (usually port 5432 instead of 6432); pgtape has a pool of its own",
		}
	case SessionPooler:
		return Finding{
			Subject: "pooler", Severity: Costs, What: "behind a pooler",
			Cost: "a hop more for each query, and the WAL cannot be read through most of them",
			Mend: "name Postgres itself in --database-url: pgtape has a pool of its own",
		}
	case NoPooler:
	}
	return Finding{Subject: "pooler", Severity: OK, What: "none: sessions are our own"}
}

func (r *Report) privileges() []Finding {
	f := r.Facts
	switch {
	case f.Superuser:
		return []Finding{{
			Subject: "privileges", Severity: Note, What: "the login " + f.Login + " is a superuser: more than a server needs",
			Mend: "create role pgtape_web login replication password '…' in role pgtape_server",
		}}
	case f.Schema == db.SchemaMissing: // where it may not, the needs say so
		return []Finding{{Subject: "privileges", Severity: OK, What: "the login " + f.Login + " may make the schema and its roles"}}
	case !f.Member:
		return []Finding{{
			Subject: "privileges", Severity: Blocks, What: "the login " + f.Login + " is no member of pgtape_server",
			Cost: "pgtape serve refuses to start", Mend: "grant pgtape_server to " + ident(f.Login),
		}}
	case f.Owner:
		return []Finding{{Subject: "privileges", Severity: OK, What: "the login " + f.Login + " owns the schema: it migrates and may serve"}}
	}
	return []Finding{{Subject: "privileges", Severity: OK, What: "the login " + f.Login + " has what a server needs"}}
}

func (r *Report) schema() Finding {
	switch {
	case r.Facts.Schema == db.SchemaMissing:
		return Finding{Subject: "schema", Severity: Blocks, What: "the database has no pgtape yet", Cost: "pgtape serve refuses to start", Mend: "pgtape migrate up"}
	case r.Facts.Schema == db.SchemaOther && !r.Facts.Superuser && !r.Facts.Member:
		return Finding{} // it could not be looked at: privileges says so
	case r.Facts.Schema == db.SchemaOther:
		return Finding{
			Subject: "schema", Severity: Blocks, What: "the schema is another version's than this program's", Cost: "pgtape serve refuses to start",
			Mend: "pgtape migrate up, or the program of the newer version",
		}
	}
	return Finding{Subject: "schema", Severity: OK, What: "this program's, up to date"}
}

// tapeReader is whether the tape can be read from the WAL. By NOTIFY it always can.
func (r *Report) tapeReader(source tape.Mode) []Finding {
	f := r.Facts
	severity, cost := Blocks, "the WAL cannot be read: pgtape serve falls back to NOTIFY (--source auto), which takes a lock of the whole database at each commit, or refuses (--source wal)"
	switch source {
	case tape.Auto:
		severity = Costs
	case tape.Notify:
		return []Finding{{Subject: "tape reader", Severity: OK, What: "by NOTIFY, as asked for"}}
	case tape.WAL:
	}
	var found []Finding
	if f.WALLevel != "logical" {
		found = append(found, Finding{
			Subject: "wal_level", Severity: severity, What: "wal_level is " + f.WALLevel, Cost: cost,
			Mend: "alter system set wal_level = logical, and restart the server",
		})
	} else {
		found = append(found, Finding{Subject: "wal_level", Severity: OK, What: "logical"})
	}
	found = append(found,
		room("replication slots", "max_replication_slots", f.Slots, f.SlotsUsed, f.SlotsOurs, severity, cost),
		room("wal senders", "max_wal_senders", f.Senders, f.SendersUsed, f.SlotsOurs, severity, cost))
	if !f.Replication {
		found = append(found, Finding{
			Subject: "replication", Severity: severity, What: "the login " + f.Login + " has no right to replicate", Cost: cost,
			Mend: "alter role " + ident(f.Login) + " replication",
		})
	}
	return found
}

// ways are the shorter ways to a connection.
func (r *Report) ways() []Finding {
	if len(r.Setups) == 0 {
		return nil
	}
	now := r.Setups[0]
	found := []Finding{{
		Subject: "connecting", Severity: OK, What: fmt.Sprintf("%s, %.1f ms", trips(now.Trips), now.MS),
	}}
	before := now
	for _, s := range r.Setups[1:] {
		f := Finding{Severity: Costs, Trips: before.Trips - s.Trips, MS: max(0, s.saves)}
		f.Cost = fmt.Sprintf("%s, %.1f ms for each connection", trips(f.Trips), f.MS)
		switch s.How {
		case asKept:
			f.Subject, f.Severity = "key exchange", Note
			f.What = fmt.Sprintf("the server takes %s, which no client of Go offers first: TLS starts twice", s.KeyExchange)
			f.Mend = "nothing to do: pgtape learns it with its first connection. " + r.moreCurves()
		case direct:
			f.Subject, f.What = "ssl negotiation", "each connection asks first whether it may speak TLS"
			f.Mend = "add sslnegotiation=direct and sslmode=require (or verify-full) to the URL"
		case plain:
			f.Subject, f.What = "ssl negotiation", "each connection asks for TLS, which the server has not, and begins again without"
			f.Mend = "add sslmode=disable to the URL, if the network is trusted; else give the server a certificate: ssl = on"
		}
		if f.Trips > 0 {
			found = append(found, f)
		}
		before = s
	}
	return found
}

// moreCurves is what helps clients that learn nothing.
func (r *Report) moreCurves() string {
	if r.Facts.Number >= 18_00_00 {
		return "For others: alter system set ssl_groups = 'X25519:prime256v1'; select pg_reload_conf()"
	}
	return "Others written in Go set CurvePreferences; PostgreSQL 18 takes X25519 too"
}

func (r *Report) statements() Finding {
	p := r.Pace
	if r.Pooler == TransactionPooler || p.Query.N == 0 {
		return Finding{} // there can be none
	}
	if p.Query.Trips > 1 {
		return Finding{
			Subject: "statement cache", Severity: Costs, What: "the URL keeps queries from being prepared (default_query_exec_mode)",
			Trips: p.Query.Trips - 1, MS: p.Query.P50 / float64(p.Query.Trips),
			Cost: fmt.Sprintf("%s for each query, %.2f ms", trips(p.Query.Trips-1), p.Query.P50/float64(p.Query.Trips)),
			Mend: "take default_query_exec_mode out of the URL",
		}
	}
	return Finding{
		Subject: "statement cache", Severity: OK,
		What: fmt.Sprintf("a query is %s; without the cache it would be %d, %.2f ms more", trips(p.Query.Trips), p.Undecided.Trips, max(0, p.Undecided.P50-p.Query.P50)),
	}
}

func (r *Report) distance() Finding {
	p := r.Pace.Query
	if p.N == 0 {
		return Finding{}
	}
	f := Finding{Subject: "distance", Severity: OK, What: fmt.Sprintf("a query takes %.2f ms (p99 %.2f)", p.P50, p.P99)}
	if p.P50 > 5 {
		f.Severity, f.MS = Costs, p.P50
		f.Cost = fmt.Sprintf("%.1f ms for each trade, and each query that a request waits for", p.P50)
		f.Mend = "run pgtape serve beside the database; pgtape placement says what is fastest for whom"
	}
	return f
}

// commit says in plain words what a commit waits for.
func (r *Report) commit() Finding {
	if r.Facts.Standby || r.Pace.Commit.N == 0 {
		return Finding{}
	}
	p := r.Pace
	single, batched := p.Rates()
	f := Finding{
		Subject: "commit", Severity: OK,
		What: fmt.Sprintf("a trade's commit takes %.2f ms more than a query (p50; p99 in all %.2f ms): %s. From here one market can have about %.0f trades/s one after the other, %.0f in batches", p.Flush, p.Commit.P99, r.disk(), single, batched),
	}
	if p.Flush > 5 {
		f.Severity, f.MS = Costs, p.Flush
		f.Cost = fmt.Sprintf("%.1f ms for each trade that comes alone", p.Flush)
		f.Mend = "a faster disk for pg_wal, with a cache that survives power cuts, or a local one"
	}
	return f
}

func (r *Report) disk() string {
	switch f := r.Facts; {
	case f.Fsync == "off":
		return "nothing is forced to the disk (fsync is off)"
	case f.SynchronousCommit == "off":
		return "commits do not wait for the disk (synchronous_commit is off)"
	case f.StandbyNames != "" && f.SynchronousCommit != "local":
		return "it waits for the disk here and for a standby"
	case r.Pace.Flush < 0.1:
		return "faster than a disk: a cache that survives power cuts, or one that does not tell the truth"
	case r.Pace.Flush < 1.5:
		return "a local disk, with fsync"
	case r.Pace.Flush < 10:
		return "a disk attached over a network, or a busy one"
	}
	return "a slow disk: far away, spinning or overloaded"
}

func (r *Report) durability() Finding {
	if strings.Contains(r.Facts.StandbyNames, "*") {
		return Finding{
			Subject: "durability", Severity: Costs, What: "synchronous_standby_names names every connection that replicates (*)",
			Cost: "the tape readers of pgtape count as standbys: what one of them has read is confirmed, though no standby has it",
			Mend: "name the standbys: alter system set synchronous_standby_names = 'ANY 1 (…)', by their application_name or cluster_name",
		}
	}
	var off []string
	for name, value := range map[string]string{
		"fsync": r.Facts.Fsync, "synchronous_commit": r.Facts.SynchronousCommit, "full_page_writes": r.Facts.FullPageWrites,
	} {
		if value == "off" {
			off = append(off, name)
		}
	}
	slices.Sort(off)
	if off == nil {
		return Finding{Subject: "durability", Severity: OK, What: "what is answered survives a crash"}
	}
	cost := "a crash takes back trades that were answered and seen"
	if r.Facts.Fsync == "off" || r.Facts.FullPageWrites == "off" {
		cost = "a power cut can destroy the whole database"
	}
	return Finding{
		Subject: "durability", Severity: Costs, What: strings.Join(off, ", ") + ": off", Cost: cost,
		Mend: "alter system reset " + strings.Join(off, "; alter system reset ") + "; select pg_reload_conf()",
	}
}

func (r *Report) clock() Finding {
	p := r.Pace
	if p.Query.N == 0 {
		return Finding{}
	}
	off := max(p.Skew, -p.Skew)
	f := Finding{Subject: "clock", Severity: OK, What: fmt.Sprintf("the database's clock is %.0f ms from ours, give or take %.0f", off, p.SkewError)}
	switch {
	case off < 100+p.SkewError:
		return f
	case off > 1000+p.SkewError:
		f.Severity = Costs
	default:
		f.Severity = Note
	}
	f.MS = off
	f.Cost = "deadlines and closing times are judged by the database's clock; ages and latencies are shown wrong by as much"
	f.Mend = "let both machines follow the time: timedatectl set-ntp true"
	return f
}

func (r *Report) memory() Finding {
	const little = 64 << 20
	f := Finding{Subject: "shared_buffers", Severity: OK, What: fmt.Sprintf("%d MB", r.Facts.SharedBuffers>>20)}
	if r.Facts.SharedBuffers < little {
		f.Severity, f.Cost = Costs, "tables and indexes of a busy market do not stay in memory"
		f.Mend = "alter system set shared_buffers = '128MB' (a quarter of the memory, on a machine of its own), and restart the server"
	}
	return f
}

func (r *Report) autovacuum() Finding {
	if r.Facts.Autovacuum == "on" {
		return Finding{}
	}
	return Finding{
		Subject: "autovacuum", Severity: Costs, What: "off", Cost: "balances, books and positions, which are updated with each trade, grow without end and become slower",
		Mend: "alter system set autovacuum = on; select pg_reload_conf()",
	}
}

func (r *Report) insight() Finding {
	f := r.Facts
	if slices.Contains(f.Extensions, "pg_stat_statements") {
		return Finding{Subject: "extensions", Severity: OK, What: strings.Join(f.Extensions, ", ")}
	}
	found := Finding{Subject: "extensions", Severity: Note, What: strings.Join(append(f.Extensions, "no pg_stat_statements"), ", "), Cost: "nobody can tell which statements take the time"}
	found.Mend = "alter system set shared_preload_libraries = 'pg_stat_statements' (with what is there), restart the server, create extension pg_stat_statements"
	if !f.Statements {
		found.Mend = "install the package with PostgreSQL's additional modules first (postgresql-contrib); then " + found.Mend
	}
	return found
}

func trips(n int) string {
	if n == 1 {
		return "1 round trip"
	}
	return fmt.Sprintf("%d round trips", n)
}

// ident quotes a name for SQL if it has to be.
func ident(name string) string {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}
