package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// What somebody types for an outcome is looked for while its market is locked: however long it is, and
// however many outcomes of whatever script there are, that is soon over.
func TestOutcomesAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	outcomes := make([]string, 50)
	for i := range outcomes {
		outcomes[i] = strings.Repeat("яβé", 19) + fmt.Sprint(i)
	}
	for typed, want := range map[string]string{
		"*":                               "*",
		outcomes[7]:                       outcomes[7],
		norm.NFD.String(outcomes[7]):      outcomes[7],
		" " + outcomes[49] + "\u00a0":     outcomes[49],
		strings.ToUpper(outcomes[3]):      outcomes[3],
		"  ":                              "  ",
		strings.Repeat("я", 61):           strings.Repeat("я", 61),
		strings.Repeat("я", 100_000):      strings.Repeat("я", 100_000),
		strings.Repeat("\u0301", 300):     strings.Repeat("\u0301", 300),
		strings.Repeat("\U0001F600", 400): strings.Repeat("\U0001F600", 400),
	} {
		var got string
		if err := d.Pool().QueryRow(t.Context(), "select pgtape_core.outcome_spelled($1, $2)", outcomes, typed).Scan(&got); err != nil || got != want {
			t.Errorf("%.20q is found as %.20q, %v", typed, got, err)
		}
	}
	// No call of look_alike_key for what cannot be a name; else one, and one for each outcome.
	for typed, want := range map[string]int{"*": 0, outcomes[7]: 0, norm.NFD.String(outcomes[7]): 0, strings.Repeat("я", 61): 0, strings.Repeat("я", 60): 51} {
		if got := countCalls(t, d, "look_alike_key", "select pgtape_core.outcome_spelled($1, $2)", outcomes, typed); got != want {
			t.Errorf("%.20q folds %d names, want %d", typed, got, want)
		}
	}
}

// countCalls counts how often a statement calls a function of pgtape_core.
func countCalls(t *testing.T, d *dbtest.DB, function, statement string, args ...any) (count int) {
	t.Helper()
	tx, err := d.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), "set local track_functions = 'all'"); err != nil {
		t.Fatal(err)
	}
	const counted = "select coalesce(sum(calls), 0) from pg_stat_xact_user_functions where schemaname = 'pgtape_core' and funcname = $1"
	var before int
	if err := tx.QueryRow(t.Context(), counted, function).Scan(&before); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRow(t.Context(), counted, function).Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count - before
}

// What counts is the length of what is kept: a name that was typed letter by letter, with its marks
// behind them, is as long as it looks.
func TestTextsAreMeasuredAsTheyAreKept(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for i, name := range []string{strings.Repeat("한", 40), strings.Repeat("한", 60), strings.Repeat("é", 60), strings.Repeat("ᾂ", 60), strings.Repeat("ệ", 60)} {
		m, err := d.CreateMarket(t.Context(), db.NewMarket{
			Slug: fmt.Sprint("m", i), Question: norm.NFD.String(strings.Repeat(name, 8)), Outcomes: []string{norm.NFD.String(name), "other"},
		})
		if err != nil || !slices.Equal(m.Outcomes, []string{name, "other"}) || m.Question != strings.Repeat(name, 8) {
			t.Errorf("%+q: %+q, %v", name, m.Outcomes, err)
		}
		_, err = d.CreateMarket(t.Context(), db.NewMarket{Slug: "long", Question: "Which?", Outcomes: []string{strings.Repeat(norm.NFD.String(name), 2), "other"}})
		if db.CodeOf(err) != db.InvalidRequest || !strings.Contains(err.Error(), "1 to 60 characters") {
			t.Errorf("twice %+q: %v, want it too long", name, err)
		}
	}
	for _, text := range []string{strings.Repeat("e\u0301", 30_000), strings.Repeat("\u0301", 300), strings.Repeat("\u200b", 100_000)} {
		if _, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "long", Question: text}); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("%.10q…: %v", text, err)
		}
	}
	d.Verify(t)
}

// The one expression that passes sound texts refuses what the table of characters refuses.
func TestFaultsOfTextsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	var wrong string
	if err := d.Pool().QueryRow(t.Context(), `
		select coalesce(string_agg(to_hex(i), ' '), '')
		from (
			select i from generate_series(1, 9000) i union all select i * 487 from generate_series(19, 2287) i
		) x
		where i not between 55296 and 57343
			and pgtape_core.has_text_fault('a' || chr(i)) <> (pgtape_core.character_class(i) in ('r', 'p'))`).Scan(&wrong); err != nil || wrong != "" {
		t.Errorf("%.200s, %v", wrong, err)
	}
	for text, want := range map[string]bool{
		"": false, "a": false, "a\nb": false, "\n": true, " \u0301": true, "\u0301a": true,
		"a" + strings.Repeat("\u0301", 8): false, "a" + strings.Repeat("\u0301", 9): true, "日" + strings.Repeat("\u0e31", 9): true,
	} {
		var got bool
		if err := d.Pool().QueryRow(t.Context(), "select pgtape_core.has_text_fault($1)", text).Scan(&got); err != nil || got != want {
			t.Errorf("%+q: %v, %v", text, got, err)
		}
	}
}
