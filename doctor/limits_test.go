package doctor_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/doctor"
)

// Whatever is wrong, the examination comes to an end, and says what is wrong and what mends it; done, the
// finding is gone.
func TestAnExaminationEndsWhateverIsWrong(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	url := migrated(t, own)
	own.Exec(t, "create role web login replication in role pgtape_server")
	web := as(t, url, "web")
	tests := []struct {
		name, subject string
		breaks, mends []string // mends: beside what the finding says
		want          doctor.Severity
	}{
		{"a time limit that nothing passes", "statement_timeout", []string{"alter role web set statement_timeout = 1"}, nil, doctor.Costs},
		{"a short lock_timeout", "lock_timeout", []string{"alter role web set lock_timeout = 10"}, nil, doctor.Costs},
		{"a database that is read-only", "read only", []string{"alter database postgres set default_transaction_read_only = on"}, nil, doctor.Blocks},
		{"a login that gets one connection", "connections", []string{"alter role web connection limit 1"}, []string{"alter role web connection limit -1"}, doctor.Blocks},
		{"a publication without its table", "publication", []string{"alter publication pgtape_tape drop table pgtape_core.tape"}, []string{"alter publication pgtape_tape add table pgtape_core.tape"}, doctor.Costs},
		{"rights that are gone", "grants", []string{"revoke all on all functions in schema pgtape from pgtape_server"}, []string{"migrate"}, doctor.Blocks},
		{"the use of the schema that is gone", "grants", []string{"revoke usage on schema pgtape from pgtape_server"}, []string{"migrate"}, doctor.Blocks},
	}
	for _, tt := range tests {
		own.Exec(t, tt.breaks...)
		f := finding(t, examine(t, doctor.Options{URL: web}), tt.subject)
		if f.Severity != tt.want && !(tt.want == doctor.Costs && f.Severity == doctor.Blocks) || f.Mend == "" {
			t.Errorf("%s: %+v", tt.name, f)
		}
		switch {
		case tt.mends == nil:
			own.Exec(t, strings.Split(f.Mend, "; ")...)
		case tt.mends[0] == "migrate":
			if _, err := db.MigrateUp(t.Context(), url); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		default:
			own.Exec(t, tt.mends...)
		}
		for _, f := range examine(t, doctor.Options{URL: web}).Findings {
			if f.Subject == tt.subject && f.Severity != doctor.OK {
				t.Errorf("%s: having done what it says, it still says: %+v", tt.name, f)
			}
		}
	}
}

// A synchronous standby that is not there makes every commit wait for ever: doctor and migrate say so.
func TestAMissingSynchronousStandbyIsSaid(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	url := migrated(t, own)
	own.Set(t, "synchronous_standby_names", "gone")
	r := examine(t, doctor.Options{URL: url})
	if f := finding(t, r, "synchronous standby"); f.Severity != doctor.Blocks || !strings.Contains(f.What, "gone") || f.Mend == "" {
		t.Errorf("%+v", f)
	}
	if _, err := db.MigrateUp(t.Context(), url); err == nil || !strings.Contains(err.Error(), "synchronous standby") {
		t.Errorf("migrating: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var waiting int
	dbtest.WaitUntil(t, "nobody to wait for a standby", func() bool {
		err = conn.QueryRow(t.Context(), "select count(*) from pg_stat_activity where wait_event = 'SyncRep'").Scan(&waiting)
		return err != nil || waiting == 0
	})
}
