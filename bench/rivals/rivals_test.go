package rivals_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/bench/rivals"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func TestEveryRivalTrades(t *testing.T) {
	t.Parallel()
	for _, name := range rivals.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.New(t)
			for range 2 { // on what the first has left behind
				report, err := rivals.Run(t.Context(), name, rivals.Options{
					Superuser: d.URL(), Server: d.URL(), Connections: 4, Markets: 2, Batch: 8, Duration: 500 * time.Millisecond,
				})
				if err != nil {
					t.Fatal(err)
				}
				if report.Rival != name || report.Accepted == 0 || report.PerSec <= 0 || report.Call.Count == 0 || report.Rejected != 0 {
					t.Errorf("report = %+v", report)
				}
				if calls := report.Call.Count; name == "batch" && report.Accepted != 8*calls || name != "batch" && report.Accepted != calls {
					t.Errorf("%d trades in %d calls", report.Accepted, calls)
				}
			}
			d.Verify(t)
			if name == "serializable" {
				checkSerializable(t, d)
			}
		})
	}
	if _, err := rivals.Run(t.Context(), "none", rivals.Options{}); err == nil || !strings.Contains(err.Error(), "want one of") {
		t.Errorf("a rival that there is not: %v", err)
	}
}

// checkSerializable holds the rival's book to what its trades add up to: else it would not do the
// same work.
func checkSerializable(t *testing.T, d *dbtest.DB) {
	t.Helper()
	var trades, versions int64
	var spent, paid, wrong float64
	err := d.Pool().QueryRow(t.Context(), `
		select (select count(*) from rival_serializable.trade), (select sum(version)::bigint from rival_serializable.market),
			(select sum(1000 - balance) from rival_serializable.account),
			(select sum(case side when 'buy' then amount else -amount end) from rival_serializable.trade),
			(select count(*) from rival_serializable.market m where m.yes <> (select coalesce(sum(p.shares), 0) from rival_serializable.position p where p.market = m.id and p.outcome = 'yes'))`).
		Scan(&trades, &versions, &spent, &paid, &wrong)
	if err != nil {
		t.Fatal(err)
	}
	if trades == 0 || trades != versions || spent-paid > 1e-6 || paid-spent > 1e-6 || wrong != 0 {
		t.Errorf("%d trades, versions of %d, spent %f, paid %f, %f markets of which shares do not add up", trades, versions, spent, paid, wrong)
	}
}

func TestNotificationsAreSent(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	sent, err := rivals.Notify(t.Context(), d.URL(), "bench", 50, 500*time.Millisecond)
	if err != nil || sent == 0 || sent > 26 {
		t.Errorf("%d sent (%v), want about 25", sent, err)
	}
}
