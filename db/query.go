package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/connect"
)

// Table is what a statement has returned, as text.
type Table struct {
	Columns []string
	Rows    [][]string
	Tag     string // such as "SELECT 1"
}

// PersonPath is the search_path of a person at a terminal, who leaves the schema out. Without public,
// which everybody can write before PostgreSQL 15: a function there could be taken for one of Postgres.
const PersonPath = "pgtape, pg_temp"

// Query runs one statement for a person at a terminal, with the search_path of pgtape psql.
// Errors: those of the functions it calls, and Postgres' own.
func Query(ctx context.Context, url, statement string) (*Table, error) {
	conn, err := connect.Open(ctx, url, connect.Options{})
	if err != nil {
		return nil, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "set search_path = "+PersonPath); err != nil {
		return nil, refusal(err)
	}
	reader := conn.PgConn().ExecParams(ctx, statement, nil, nil, nil, nil)
	t := &Table{}
	for _, column := range reader.FieldDescriptions() {
		t.Columns = append(t.Columns, Printable(column.Name))
	}
	for reader.NextRow() {
		var row []string
		for _, value := range reader.Values() {
			row = append(row, Printable(string(value)))
		}
		t.Rows = append(t.Rows, row)
	}
	tag, err := reader.Close()
	t.Tag = tag.String()
	return t, refusal(err)
}

// SQLState is that of what Postgres has refused; empty: it has said nothing.
func SQLState(err error) string {
	var told *pgconn.PgError
	if errors.As(err, &told) {
		return told.Code
	}
	return ""
}

// Printable is a text as it stands at a terminal: on one line, with nothing that it would act on.
func Printable(value string) string {
	if !strings.ContainsFunc(value, unprintable) {
		return value
	}
	var out strings.Builder
	for _, r := range value {
		if unprintable(r) {
			quoted := strconv.QuoteRune(r)
			out.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func unprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) || r == utf8.RuneError }

// Write prints the rows in aligned columns and their number or, without columns, the tag.
func (t *Table) Write(w io.Writer) error {
	if len(t.Columns) == 0 {
		_, err := fmt.Fprintln(w, t.Tag)
		return err
	}
	widths := make([]int, len(t.Columns))
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		for i, value := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(value))
		}
	}
	var out strings.Builder
	line := func(row []string) {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = value + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(value))
		}
		out.WriteString(" " + strings.TrimRight(strings.Join(cells, " | "), " ") + "\n")
	}
	line(t.Columns)
	rules := make([]string, len(widths))
	for i, width := range widths {
		rules[i] = strings.Repeat("-", width+2)
	}
	out.WriteString(strings.Join(rules, "+") + "\n")
	for _, row := range t.Rows {
		line(row)
	}
	fmt.Fprintf(&out, "(%d rows)\n", len(t.Rows))
	_, err := io.WriteString(w, out.String())
	return err
}
