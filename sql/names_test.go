package sql

import (
	"regexp"
	"strings"
	"testing"
)

const pinned = "\n    set search_path = pg_catalog, pg_temp\n"

var (
	functionHead = regexp.MustCompile(`(?m)^create or replace function (\S+?)\(`)
	boundBody    = regexp.MustCompile(`(?m)^    (return |begin atomic)`)
)

// A name in a function is looked up in the caller's schemas unless the function pins its search_path,
// and in the caller's temporary schema unless the path ends with it. A body of standard SQL has its
// names bound when it is made. The other helpers without a pin are granted to nobody and run as
// their caller, so that only pinned functions reach them.
func TestEveryFunctionPinsWhereItLooksNamesUp(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	var grants string
	for _, f := range functions {
		if f.Name == GrantsFile {
			grants = f.Text
		}
	}
	seen := 0
	for _, f := range functions {
		heads := functionHead.FindAllStringSubmatchIndex(f.Text, -1)
		for i, head := range heads {
			end := len(f.Text)
			if i+1 < len(heads) {
				end = heads[i+1][0]
			}
			name, text := f.Text[head[2]:head[3]], f.Text[head[0]:end]
			declaration, _, quoted := strings.Cut(text, "as $$")
			seen++
			switch {
			case strings.Contains(declaration, pinned) && strings.Count(declaration, "search_path") == 1:
			case !quoted && boundBody.MatchString(text):
			case strings.Contains(declaration, "search_path"):
				t.Errorf("%s: %s pins another search_path, want pg_catalog, pg_temp", f.Name, name)
			case strings.HasPrefix(name, "pgtape."), strings.Contains(declaration, "security definer"),
				strings.Contains(declaration, "returns trigger"), strings.Contains(grants, name+"("):
				t.Errorf("%s: %s is open to callers and pins no search_path: set search_path = pg_catalog, pg_temp", f.Name, name)
			}
		}
	}
	if seen < 150 {
		t.Errorf("%d functions were looked at: the test does not find them any more", seen)
	}
}
