package db_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/dbtest"
)

// An account is found by its handle alone, which is folded once, also where the planner knows nothing of
// the table yet: a connection keeps such a plan. Reading all persons, or folding the name for each, made
// trades of many accounts more than twice as dear.
func TestANameIsFoldedOnceAndItsAccountFoundByIt(t *testing.T) {
	t.Parallel()
	rows, err := dbtest.New(t).Pool().Query(t.Context(),
		"explain select f.id from unnest(array['ana']) as o (name) cross join lateral pgtape_core.find_account_ids(o.name, false) as f (id)")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	plan := strings.Join(lines, "\n")
	folded, scan, found := strings.Cut(plan, " on account x")
	if !found || !strings.Contains(folded, "->  Result") || strings.Contains(scan, "kind") {
		t.Errorf("the name is not folded by a node of its own, or more than the handle decides which accounts are read:\n%s", plan)
	}
}
