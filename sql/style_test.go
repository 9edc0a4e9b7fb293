package sql

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	mostLines   = 60  // of a function, from create to $$;
	mostColumns = 120 // of a line
)

// longer are functions that may have more lines, and why. No function is added to it.
var longer = map[string]string{
	"pgtape_core.character_class": "a table of Unicode that sql/unicode makes",
	"pgtape_core.has_text_fault":  "a table of Unicode that sql/unicode makes",
	"pgtape_core.folded_letters":  "a table of Unicode that sql/unicode makes",
	"pgtape_core.rewrite_tape":    "goes when tapes know accounts by number",
	"pgtape.delete_account":       "loses most of its steps when tapes know accounts by number",

	// To be split.
	"pgtape.create_market":             "to be split",
	"pgtape.correct_resolution":        "to be split",
	"pgtape.export_account":            "to be split",
	"pgtape_core.derive_notifications": "to be split",
	"pgtape_core.check_charges":        "to be split",
}

// wide are files whose lines may be longer, and why.
var wide = map[string]string{
	"00015_characters.sql": "tables of Unicode that sql/unicode makes",
	"00016_texts.sql":      "rows of a table of characters, one test a line",
}

var (
	language   = regexp.MustCompile(`(?m)^    language (sql|plpgsql)$`)
	volatility = regexp.MustCompile(`(?m)^    (volatile|stable|immutable)$`)
	body       = regexp.MustCompile(`(?m)^(as \$\$|begin atomic)$|^    return `)
)

// declared is a function as a file declares it.
type declared struct {
	file, name, head, text string // head: the comment above it
}

// declaredFunctions finds all functions in the files.
func declaredFunctions(t *testing.T) (all []declared) {
	t.Helper()
	files, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, at := range functionHead.FindAllStringSubmatchIndex(f.Text, -1) {
			all = append(all, declared{f.Name, f.Text[at[2]:at[3]], commentAbove(f.Text[:at[0]]), statementAt(f.Text[at[0]:])})
		}
	}
	if len(all) < 150 {
		t.Fatalf("%d functions were found: the test does not find them any more", len(all))
	}
	return all
}

// commentAbove returns the comment that a text ends with, without goose's annotations.
func commentAbove(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	last := len(lines)
	for last > 0 && strings.HasPrefix(lines[last-1], "-- +goose StatementBegin") {
		last--
	}
	first := last
	for first > 0 && strings.HasPrefix(lines[first-1], "--") && !strings.HasPrefix(lines[first-1], "-- +goose") {
		first--
	}
	return strings.Join(lines[first:last], "\n")
}

// statementAt returns the statement that a text begins with.
func statementAt(text string) string {
	first, _, _ := strings.Cut(text, ";\n")
	end := ";"
	switch {
	case strings.Contains(first, "as $$\n"):
		end = "\n$$;"
	case strings.Contains(first, "begin atomic\n"):
		end = "\nend;"
	}
	statement, _, _ := strings.Cut(text, end+"\n")
	return statement + end
}

func TestEveryFunctionSaysWhatItDoes(t *testing.T) {
	for _, f := range declaredFunctions(t) {
		_, name, _ := strings.Cut(f.name, ".")
		if !strings.HasPrefix(f.head, "-- "+name+" ") && !strings.HasPrefix(f.head, "-- "+name+": ") {
			t.Errorf("%s: %s: the comment above it must begin with its name, and say what it returns or changes", f.file, f.name)
		}
	}
}

func TestEveryFunctionStatesItsAttributesOneALine(t *testing.T) {
	for _, f := range declaredFunctions(t) {
		at := body.FindStringIndex(f.text)
		if at == nil {
			t.Errorf("%s: %s: the test does not find its body", f.file, f.name)
			continue
		}
		declaration := f.text[:at[0]]
		if len(language.FindAllString(declaration, -1)) != 1 || len(volatility.FindAllString(declaration, -1)) != 1 {
			t.Errorf("%s: %s: state language, and volatile, stable or immutable, each on a line", f.file, f.name)
		}
	}
}

func TestNoFunctionIsLong(t *testing.T) {
	excused := map[string]bool{}
	for _, f := range declaredFunctions(t) {
		lines := strings.Count(f.text, "\n") + 1
		switch {
		case lines <= mostLines:
		case longer[f.name] != "":
			excused[f.name] = true
		default:
			t.Errorf("%s: %s has %d lines, at most %d: split it", f.file, f.name, lines, mostLines)
		}
	}
	for name := range longer {
		if !excused[name] {
			t.Errorf("%s is not long any more: take it out of the list", name)
		}
	}
}

func TestNoLineIsWide(t *testing.T) {
	files, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if wide[f.Name] != "" {
			continue
		}
		for i, line := range strings.Split(f.Text, "\n") {
			if utf8.RuneCountInString(line) > mostColumns {
				t.Errorf("%s:%d: more than %d columns", f.Name, i+1, mostColumns)
			}
		}
	}
}

// The file tells what is in it, before the first statement.
func TestEveryFileBeginsWithAComment(t *testing.T) {
	files, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Text, "-- +goose Up\n-- ") {
			t.Errorf("%s: say what is in it below the annotation", f.Name)
		}
	}
}

// PL/pgSQL looks a function up when it is called: one that no file declares would be missed only then.
func TestEveryFunctionThatIsCalledIsDeclared(t *testing.T) {
	declared := map[string]bool{}
	for _, f := range declaredFunctions(t) {
		declared[f.name] = true
	}
	files, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\bpgtape(?:_core)?\.\w+\(`)
	for _, f := range files {
		for i, line := range strings.Split(f.Text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "--") {
				continue
			}
			for _, name := range call.FindAllString(line, -1) {
				if name = strings.TrimSuffix(name, "("); !declared[name] {
					t.Errorf("%s:%d: no file declares %s", f.Name, i+1, name)
				}
			}
		}
	}
}
