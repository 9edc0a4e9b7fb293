package e2e_test

import (
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// patience is how long a test waits for what must happen, unless it is a promise with a time.
const patience = 3 * time.Minute

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
