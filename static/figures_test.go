package static

import (
	"encoding/json"
	"os"
	"testing"
)

// What somebody has is never shown as more than it is, here and in js/money.js: static/test runs the
// same cases.
func TestHeldRoundsDown(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("test/held.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]string
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for amount, want := range cases {
		if got := held(amount); got != want {
			t.Errorf("%s shows as %s, want %s", amount, got, want)
		}
	}
}
