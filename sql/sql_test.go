package sql

import (
	"flag"
	"os"
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
