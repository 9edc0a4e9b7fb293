package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// A time that JSON, Go or JavaScript cannot say is refused wherever somebody may give one, in SQL too.
func TestTimesThatCannotBeSaidAreRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	for _, statement := range []string{
		"select pgtape.create_market('x', 'Will it?', closes_at => '%s')",
		"select pgtape.trade('" + market + "', 'yes', 'buy', shares => 1, max_cost => 1, deadline => '%s', account => '" + ana + "')",
		"select pgtape.history('" + market + "', since => '%s')",
		"select pgtape.history('" + market + "', until => '%s')",
		"select pgtape.profit_history('" + ana + "', '%s')",
	} {
		for _, at := range []string{"9999-12-31T23:59:59-08:00", "9999-12-31", "3000-01-01", "12026-01-01", "294276-12-31", "infinity", "-infinity", "0044-03-15 BC", "0001-01-01", "1969-12-31T23:59:59Z"} {
			_, err := d.Pool().Exec(t.Context(), fmt.Sprintf(statement, at))
			if code := db.CodeOf(db.Refusal(err)); code != db.InvalidRequest && code != db.InvalidOrder {
				t.Errorf("%s with %s: %v, want it refused", statement, at, err)
			}
		}
	}
	for _, lifetime := range []string{"200000 years", "101 years", "0", "-1 day"} {
		for _, statement := range []string{
			"select pgtape.create_key($1, 'k', 'p', sha256('k'), '{read}', $2)",
			"select pgtape.create_session($1, sha256('k'), $2)",
			"select pgtape.create_sign_in_link($1, sha256('k'), $2)",
			"select pgtape.create_invite(sha256(convert_to($1, 'UTF8')), 1, $2)",
		} {
			_, err := d.Pool().Exec(t.Context(), statement, ana, lifetime)
			if code := db.CodeOf(db.Refusal(err)); code != db.InvalidRequest {
				t.Errorf("%s with %s: %v, want it refused", statement, lifetime, err)
			}
		}
	}
	last := time.Date(2999, 12, 31, 23, 59, 59, 0, time.UTC)
	if _, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "last", Question: "Will it?", ClosesAt: &last}); err != nil {
		t.Errorf("the last date that is taken: %v", err)
	}
	d.Verify(t)
}
