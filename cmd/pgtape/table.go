package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/pgtape/pgtape/db"
)

// table writes rows in columns to the standard output, where they are when it is flushed. No cell
// can move the cursor of a terminal.
type table struct{ *tabwriter.Writer }

func newTable() table { return table{tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)} }

func (t table) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = db.Printable(fmt.Sprint(cell))
	}
	fmt.Fprintln(t, strings.Join(texts, "\t"))
}
