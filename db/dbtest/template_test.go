package dbtest

import (
	"testing"

	schema "github.com/pgtape/pgtape/sql"
)

// A template of files whose digest was not written yet is none of those whose digest was.
func TestATemplateIsOfAllFiles(t *testing.T) {
	t.Parallel()
	functions, err := schema.Functions()
	if err != nil {
		t.Fatal(err)
	}
	before, err := nameOf(functions)
	if err != nil {
		t.Fatal(err)
	}
	for i := range functions {
		was := functions[i].Text
		functions[i].Text += " "
		if after, err := nameOf(functions); err != nil || after == before {
			t.Errorf("%s changes, and the name does not (%v)", functions[i].Name, err)
		}
		functions[i].Text = was
	}
}
