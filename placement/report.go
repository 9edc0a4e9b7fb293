package placement

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "round trips: user–edge a = %.1f ms, edge–database b = %.1f, user–database c = %.1f, beside the database e = %.1f\n\n",
		r.UserEdge, r.EdgeDatabase, r.UserDatabase, r.Local)
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "request\tuser\ts\tq")
	for _, place := range Places {
		fmt.Fprintf(table, "\t%s", place)
	}
	fmt.Fprint(table, "\tfastest\tbreak-even\n\t\t\t")
	for _, place := range Places {
		fmt.Fprintf(table, "\t%s", Formulas[place])
	}
	fmt.Fprintln(table)
	for _, v := range r.Verdicts {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d", v.Request, v.User, v.Trips, v.Queries)
		for _, place := range Places {
			fmt.Fprintf(table, "\t%.1f ms", v.Times[place])
		}
		fastest, until := string(v.Fastest), "none"
		if v.Tie {
			fastest += " (nearly a tie)"
		}
		if v.BreakEven != nil {
			until = fmt.Sprintf("q = %.2f", *v.BreakEven)
		}
		fmt.Fprintf(table, "\t%s\t%s\n", fastest, until)
	}
	_ = table.Flush() // into memory
	fmt.Fprintf(&out, "\ns: the user's round trips, for a new one with %d to make the connection; q: queries that wait for each other.\n", r.SetupTrips)
	_, err := io.WriteString(w, out.String())
	return err
}
