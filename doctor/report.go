package doctor

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/tape"
)

// Options of an examination.
type Options struct {
	URL    string
	Source tape.Mode // how the tape is to be read: what keeps WAL from being read blocks, for Auto it costs
	Pool   int       // connections that a server's pool may have
}

// Report is what was found.
type Report struct {
	Host     string    `json:"host"`
	Pooler   Pooler    `json:"pooler,omitempty"`
	Setups   []*Setup  `json:"setups"` // as the URL says, and shorter ones
	Pace     *Pace     `json:"pace"`
	Facts    *Facts    `json:"facts"`
	Logins   *Logins   `json:"logins,omitempty"`
	Lone     float64   `json:"trades_per_second"` // of one market, one after the other from here
	Batched  float64   `json:"trades_per_second_batched"`
	Findings []Finding `json:"findings"`
	Blocked  bool      `json:"blocked"`

	login  string
	needs  []db.Need
	failed []Finding // of probes that did not come to an end
}

// Examine measures a Postgres, asks it what it is, and judges.
func Examine(ctx context.Context, o Options) (*Report, error) {
	r := &Report{Pace: &Pace{}}
	var m meter
	conn, config, err := open(ctx, o.URL, &m)
	if err != nil {
		return nil, err
	}
	r.Host = inUse(config, conn)
	defer func() { conn.Close(context.WithoutCancel(ctx)) }()
	r.login = config.User
	r.try(ctx, "connections", askWithin, func(ctx context.Context) (err error) {
		r.Pooler, err = findPooler(ctx, config, conn)
		return err
	})
	asking, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if r.Pooler == TransactionPooler {
		// What is prepared stays with a session that is the next one's, who trips over it.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
		again, err := connect.Dial(asking, config)
		if err != nil {
			return nil, fmt.Errorf("connecting: %w", err)
		}
		conn.Close(ctx)
		conn = again
	}
	r.Logins = askLogins(asking, conn)
	if r.Facts, err = askFacts(asking, conn); err != nil {
		return nil, err
	}
	if r.needs, err = db.Needs(asking, conn, db.ToServe); err != nil {
		return nil, err
	}
	if len(r.failed) > 0 { // one connection is all there is
		return r.judged(o), nil
	}
	r.try(ctx, "time limits", askWithin, func(ctx context.Context) error { return r.timeLimits(ctx, o.URL) })
	r.try(ctx, "connecting", measureWithin, func(ctx context.Context) (err error) {
		r.Setups, err = measureSetups(ctx, &config.Config, r.Facts.Number)
		return err
	})
	writes := !r.Facts.Standby
	if writes {
		before := len(r.failed)
		r.try(ctx, "synchronous standby", askWithin, func(ctx context.Context) error { return db.ProbeCommit(ctx, conn) })
		writes = len(r.failed) == before
	}
	if conn.IsClosed() {
		if conn, _, err = open(ctx, o.URL, &m); err != nil {
			return nil, err
		}
	}
	r.try(ctx, "measuring", measureWithin, func(ctx context.Context) error {
		pace, err := measurePace(ctx, conn, &m, !writes, r.Pooler)
		if err == nil {
			r.Pace = pace
		}
		return err
	})
	return r.judged(o), nil
}

// judged adds what follows from what was found out.
func (r *Report) judged(o Options) *Report {
	if r.Pace.Query.N > 0 {
		r.Lone, r.Batched = r.Pace.Rates()
	}
	r.Findings = r.judge(o)
	for _, f := range r.Findings {
		r.Blocked = r.Blocked || f.Severity == Blocks
	}
	return r
}

// inUse leaves of several servers that a URL names the one that a connection is to: what is measured and
// judged is that one, and a server that hangs is not asked again.
func inUse(config *pgx.ConnConfig, conn *pgx.Conn) string {
	used := conn.Config()
	if config.Fallbacks != nil {
		config.Host, config.Port, config.TLSConfig = used.Host, used.Port, used.TLSConfig
		config.Fallbacks, config.LookupFunc = used.Fallbacks, used.LookupFunc
	}
	return fmt.Sprintf("%s:%d", used.Host, used.Port)
}

// Blocking are the subjects of what blocks.
func (r *Report) Blocking() (subjects []string) {
	for _, f := range r.Findings {
		if f.Severity == Blocks {
			subjects = append(subjects, f.Subject)
		}
	}
	return subjects
}

// Write prints the report for people: the measurements, then the findings, the worst first.
func (r *Report) Write(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "PostgreSQL %s at %s, database %s, as %s\n\n", r.Facts.Version, r.Host, r.Facts.Database, r.Facts.Login)
	r.writeSetups(&out)
	p := r.Pace
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "a query\t%s\tp50 %.2f ms\tp99 %.2f ms\n", trips(p.Query.Trips), p.Query.P50, p.Query.P99)
	if p.Undecided.N > 0 {
		fmt.Fprintf(table, "… without the cache of statements\t%s\tp50 %.2f ms\tp99 %.2f ms\n", trips(p.Undecided.Trips), p.Undecided.P50, p.Undecided.P99)
	}
	if p.Commit.N > 0 {
		fmt.Fprintf(table, "a commit of a trade's size\t%s\tp50 %.2f ms\tp99 %.2f ms\n", trips(p.Commit.Trips), p.Commit.P50, p.Commit.P99)
		fmt.Fprintf(table, "trades of one market\t\tabout %.0f/s one after the other\t%.0f/s in batches\n", r.Lone, r.Batched)
	}
	_ = table.Flush() // into memory
	out.WriteString("\n")
	for _, severity := range []Severity{Blocks, Costs, Note, OK} {
		for _, f := range r.Findings {
			if f.Severity == severity {
				f.write(&out)
			}
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// writeSetups has a line for each phase, and a column for each way to connect.
func (r *Report) writeSetups(out *strings.Builder) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "a new connection")
	for _, s := range r.Setups {
		fmt.Fprintf(table, "\t%s", s.How)
	}
	fmt.Fprintln(table)
	for _, name := range []string{phaseName, phaseTCP, phaseSocket, phaseAsk, phaseTLS, phaseStart, phaseAuth, phaseReady} {
		cells, any := "", false
		for _, s := range r.Setups {
			cell := "\t"
			for _, p := range s.Phases {
				if p.Name == name {
					any = true
					cell += fmt.Sprintf("%d  %.2f ms", p.Trips, p.MS)
				}
			}
			cells += cell
		}
		if any {
			fmt.Fprintf(table, "  %s%s\n", name, cells)
		}
	}
	fmt.Fprint(table, "  in all")
	for _, s := range r.Setups {
		fmt.Fprintf(table, "\t%s, %.2f ms", trips(s.Trips), s.MS)
	}
	fmt.Fprintln(table)
	_ = table.Flush() // into memory
	out.WriteString("\n")
}

func (f Finding) write(out *strings.Builder) {
	fmt.Fprintf(out, "%-6s  %s: %s\n", f.Severity, f.Subject, f.What)
	if f.Cost != "" {
		fmt.Fprintf(out, "        costs: %s\n", f.Cost)
	}
	if f.Mend != "" {
		fmt.Fprintf(out, "        mend:  %s\n", f.Mend)
	}
}
