package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/pgtape/pgtape/db/dbtest/texts"
)

// literal is a text as SQL has it.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// namesAtATerminal gives names of all kinds on the command line: what is printed, of what was taken and
// of what was refused, moves no cursor, changes no colour, and turns no text round.
func namesAtATerminal(t *testing.T, dir string) {
	t.Helper()
	w := texts.New(t, 1)
	for range w.Rounds() {
		var kept []string
		for range 40 {
			kept = append(kept, literal(strings.ReplaceAll(w.Line(100), "\x00", "")))
		}
		statement := fmt.Sprintf("select t, pgtape_core.excerpt(t), %s from unnest(array[%s]) t", kept[0], strings.Join(kept, ", "))
		text := strings.ReplaceAll(w.Handle(), "\x00", "")
		for _, args := range [][]string{
			{"sql", "--data-dir", dir, statement},
			{"sql", "--data-dir", dir, "select pgtape.create_market(" + literal(text) + ", " + kept[1] + ")"},
			{"account", "--data-dir", dir, "create", "--", text},
			{"account", "--data-dir", dir, "password", "--", text},
			{"sql", "--data-dir", dir, "select 1 as \"" + strings.ReplaceAll(text, `"`, "") + `"`},
		} {
			_, out, errs := pgtape(t, args...)
			if at := strings.IndexFunc(out+errs, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); at >= 0 || texts.Harms(out+errs) {
				t.Errorf("%q prints %q", args, (out + errs)[at:min(at+40, len(out+errs))])
			}
		}
	}
	for _, args := range [][]string{{"account", "--data-dir", dir, "list"}, {"verify", "--data-dir", dir}} {
		if code, out, errs := pgtape(t, args...); code != 0 || texts.Harms(out+errs) {
			t.Errorf("%v: %d %q", args, code, out+errs)
		}
	}
}
