package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// An earlier version told categories apart that look the same today: after an upgrade the older one is
// the spelling for both, the markets of the other keep theirs, and verify names it.
func TestCategoriesAreToldApartAsTodayAfterAnUpgrade(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for slug, category := range map[string]string{"first": "C\u00f3rdoba", "plain": "Sport"} {
		if _, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Will it?", Category: category}); err != nil {
			t.Fatal(err)
		}
	}
	d.Exec(t, "insert into pgtape_core.category (name, key) values ($1, $1)", "C\u03ccrdoba")
	d.Exec(t, "delete from pgtape_core.market_search where market_id = (select id from pgtape_core.market where slug = 'plain')")
	d.Exec(t, "update pgtape_core.function_bundle set digest = 'of an earlier version'")
	if _, err := db.MigrateUp(t.Context(), d.URL()); err != nil {
		t.Fatal(err)
	}
	for i, typed := range []string{"C\u03ccrdoba", "C\u00f3rdoba", "CO\u0301RDOBA"} {
		m, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprint("m", i), Question: "Will it?", Category: typed})
		if err != nil || m.Category != "C\u00f3rdoba" {
			t.Errorf("%+q becomes %+q, %v", typed, m.Category, err)
		}
	}
	if found, _, err := d.Markets(t.Context(), db.MarketFilter{Category: "c\u03ccrdoba"}); err != nil || len(found) != 4 {
		t.Errorf("%d markets of the category, %v, want 4", len(found), err)
	}
	if found, _, err := d.Markets(t.Context(), db.MarketFilter{Query: "plain"}); err != nil || len(found) != 1 {
		t.Errorf("%d markets that were not indexed are found, %v, want 1", len(found), err)
	}
	violations, err := d.DB.Verify(t.Context())
	if err != nil || len(violations) != 1 || !slices.ContainsFunc(violations, func(v db.Violation) bool { return strings.Contains(v.Subject, "C\u03ccrdoba") }) {
		t.Errorf("verify says %v, %v, want the category named", violations, err)
	}
}
