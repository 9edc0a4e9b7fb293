package compare

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// The table stands between these lines of a document.
const (
	tableBegins = "<!-- table: written by scripts/bench -->"
	tableEnds   = "<!-- end of table -->"
)

// Markdown is the result as tables: what was to be reached, and what was measured.
func (r Result) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s: %s. %s. %d rounds, %g s each measurement; medians of the rounds (in parentheses: the lowest and the highest), ratios within a round.\n\n",
		r.Date, r.Machine, strings.Join(r.Versions, ", "), r.Rounds, r.Seconds)
	b.WriteString("| to reach | target | measured | |\n|---|---|---|---|\n")
	for _, t := range targets {
		s := r.of(t.compute)
		sign, reached := "≤", s.median <= t.bound
		if t.least {
			sign, reached = "≥", s.median >= t.bound
		}
		verdict := map[bool]string{true: "reached", false: "**not reached**"}[reached]
		if !s.known {
			verdict = "not measured"
		}
		fmt.Fprintf(&b, "| %s | %s %s %s | %s | %s |\n", t.what, sign, digits(t.bound), t.unit, s.text(t.unit), verdict)
	}
	b.WriteString("\n| figure | measured |\n|---|---|\n")
	for _, m := range readings {
		if s := r.of(m.compute); s.known {
			fmt.Fprintf(&b, "| %s | %s |\n", m.what, s.text(m.unit))
		}
	}
	for i, note := range r.Notes {
		if i == 0 {
			b.WriteString("\nNotes of the run:\n\n")
		}
		fmt.Fprintf(&b, "- %s\n", note)
	}
	return b.String()
}

func (s spread) text(unit string) string {
	if !s.known {
		return "–"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s (%s–%s)", digits(s.median), unit, digits(s.low), digits(s.high)))
}

// digits writes a number with three significant digits, or whole with separators.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	if math.Abs(v) < 1000 {
		return strconv.FormatFloat(v, 'f', max(0, min(3, 2-int(math.Floor(math.Log10(math.Abs(v)))))), 64)
	}
	text := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// WriteInto puts the tables between their marks in a document.
func (r Result) WriteInto(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	before, rest, begins := bytes.Cut(text, []byte(tableBegins))
	_, after, ends := bytes.Cut(rest, []byte(tableEnds))
	if !begins || !ends {
		return errors.New(file + " has no place for the table: want " + tableBegins + " and " + tableEnds)
	}
	text = []byte(string(before) + tableBegins + "\n\n" + r.Markdown() + "\n" + tableEnds + string(after))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}
