package sql

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestTheLastFunctionFileRecordsTheDigestOfTheOthers(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	want := DigestStatement(Digest(functions))
	if *update {
		if err := os.WriteFile("functions/"+digestFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	last := functions[len(functions)-1]
	if last.Name != digestFile {
		t.Fatalf("last function file is %s, want %s", last.Name, digestFile)
	}
	if last.Text != want {
		t.Fatalf("%s is out of date: run go test ./sql -update", digestFile)
	}
}

// A backslash in a plain literal means another thing to a session with standard_conforming_strings off.
func TestBackslashesStandInLiteralsThatSaySo(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile(`([Ee]?)'[^']*'`)
	for _, f := range functions {
		for i, line := range strings.Split(f.Text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "--") {
				continue
			}
			for _, found := range literal.FindAllStringSubmatch(line, -1) {
				if found[1] == "" && strings.Contains(found[0], `\`) {
					t.Errorf("%s:%d: %s: write E'…\\\\…'", f.Name, i+1, found[0])
				}
			}
		}
	}
}

// The stock goose command applies what stands below its annotation.
func TestEveryFileBeginsWithGoosesAnnotation(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		if !strings.HasPrefix(f.Text, "-- +goose Up\n") {
			t.Errorf("%s begins otherwise", f.Name)
		}
	}
}

// The stock goose command takes two files of one number for a mistake.
func TestEachFileHasANumberOfItsOwn(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, f := range functions {
		number, _, _ := strings.Cut(f.Name, "_")
		if other := names[number]; other != "" {
			t.Errorf("%s and %s: choose another number for one of them", other, f.Name)
		}
		names[number] = f.Name
	}
}
