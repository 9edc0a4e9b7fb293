package doctor_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/doctor"
)

func examine(t *testing.T, o doctor.Options) *doctor.Report {
	t.Helper()
	if o.Source == "" {
		o.Source = tape.WAL
	}
	if o.Pool == 0 {
		o.Pool = 16
	}
	report, err := doctor.Examine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// finding is what a report says of a subject.
func finding(t *testing.T, r *doctor.Report, subject string) doctor.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.Subject == subject {
			return f
		}
	}
	t.Fatalf("nothing of %s in %+v", subject, r.Findings)
	return doctor.Finding{}
}

// phases writes a set-up as names and round trips.
func phases(s *doctor.Setup) string {
	var text []string
	for _, p := range s.Phases {
		text = append(text, fmt.Sprintf("%s %d", p.Name, p.Trips))
	}
	return strings.Join(text, ", ")
}

var delays = []time.Duration{0, 25 * time.Millisecond / 2, 100 * time.Millisecond / 2} // one way

func TestRoundTripsOfASetupAreExactAtAnyDistance(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	own.Secure(t, "prime256v1") // what Postgres takes up to 17
	database := own.PasswordURL(t, "postgres", "require")
	for _, oneWay := range delays {
		t.Run(fmt.Sprint(2*oneWay), func(t *testing.T) {
			t.Parallel()
			through, _ := dbtest.Lagged(t, database, oneWay)
			r := examine(t, doctor.Options{URL: through})
			want := []string{
				"tcp 1, ssl request 1, tls 2, start-up 1, authentication 2, ready 0",
				"tcp 1, ssl request 1, tls 1, start-up 1, authentication 2, ready 0",
			}
			if r.Facts.Number >= 17_00_00 {
				want = append(want, "tcp 1, tls 1, start-up 1, authentication 2, ready 0")
			}
			for i, s := range r.Setups {
				if got := phases(s); i >= len(want) || got != want[i] || s.Trips != 7-i {
					t.Errorf("%s: %s: %d in all", s.How, got, s.Trips)
				}
				if least := float64(s.Trips) * 2 * oneWay.Seconds() * 1000; s.MS < least {
					t.Errorf("%s took %.1f ms, want %.1f at least", s.How, s.MS, least)
				}
			}
			if len(r.Setups) != len(want) {
				t.Errorf("%d ways to connect, want %d", len(r.Setups), len(want))
			}
			if r.Setups[0].Authorization != "scram" || !r.Setups[0].Restarted || r.Setups[1].Restarted {
				t.Errorf("set-ups %+v, %+v", r.Setups[0], r.Setups[1])
			}
			if f := finding(t, r, "key exchange"); f.Trips != 1 || oneWay >= 50*time.Millisecond && f.MS < 20 {
				t.Errorf("key exchange: %+v", f)
			}
			if q := r.Pace; q.Query.Trips != 1 || q.Undecided.Trips != 2 || q.Commit.Trips != 1 {
				t.Errorf("pace %+v", q)
			}
			if f := finding(t, r, "distance"); oneWay > 0 && f.Severity != doctor.Costs {
				t.Errorf("distance: %+v", f)
			}
		})
	}
}

// Who asks for TLS where there is none begins again.
func TestAskingInVainForTLSIsCounted(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t)
	r := examine(t, doctor.Options{URL: own.PasswordURL(t, "postgres", "prefer")})
	if len(r.Setups) != 2 || r.Setups[0].Trips != 6 || r.Setups[1].Trips != 4 {
		t.Fatalf("set-ups %+v", r.Setups)
	}
	if got, want := phases(r.Setups[1]), "tcp 1, start-up 1, authentication 2, ready 0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if f := finding(t, r, "ssl negotiation"); f.Trips != 2 || !strings.Contains(f.Mend, "sslmode=disable") {
		t.Errorf("finding %+v", f)
	}
	r = examine(t, doctor.Options{URL: own.PasswordURL(t, "postgres", "disable")})
	if len(r.Setups) != 1 || r.Setups[0].Trips != 4 {
		t.Errorf("set-ups without asking %+v", r.Setups)
	}
}

func TestAGoodPostgresBlocksNothing(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	r := examine(t, doctor.Options{URL: d.URL()})
	if r.Blocked || r.Blocking() != nil {
		t.Errorf("blocked by %v", r.Blocking())
	}
	if r.Facts.Schema != db.SchemaOwn || r.Pooler != doctor.NoPooler || r.Lone <= 0 || r.Batched <= r.Lone {
		t.Errorf("report %+v", r)
	}
	if f := finding(t, r, "durability"); f.Severity != doctor.Costs || !strings.Contains(f.What, "fsync") { // off, in tests
		t.Errorf("durability: %+v", f)
	}
	if f := finding(t, r, "clock"); f.Severity != doctor.OK {
		t.Errorf("clock: %+v", f)
	}
	d.Verify(t)
	var left int
	if err := d.Pool().QueryRow(t.Context(), "select count(*) from pg_replication_slots where slot_name like '%doctor%'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d slots are left (%v)", left, err)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil || !strings.Contains(text.String(), "trades of one market") {
		t.Errorf("%v:\n%s", err, &text)
	}
}

// migrated is the URL of a server's database postgres, with a schema.
func migrated(t *testing.T, own *dbtest.Own) string {
	t.Helper()
	url := own.URL(own.Superuser(), "postgres")
	if _, err := db.MigrateUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return url
}

// as is a URL with another login.
func as(t *testing.T, database, login string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(login)
	return u.String()
}

// blockedBy examines, and wants exactly these subjects to block, each with what mends it.
func blockedBy(t *testing.T, url string, subjects ...string) {
	t.Helper()
	r := examine(t, doctor.Options{URL: url})
	if got := r.Blocking(); !slices.Equal(got, subjects) || r.Blocked != (len(subjects) > 0) {
		t.Errorf("blocked by %q, want %q", got, subjects)
	}
	for _, subject := range subjects {
		if f := finding(t, r, subject); f.Mend == "" || f.Cost == "" {
			t.Errorf("%+v says not what it costs, or what mends it", f)
		}
	}
}

func TestWhatBlocks(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t, "max_replication_slots", "1")
	url := migrated(t, own)
	blockedBy(t, url)

	own.Exec(t, "select pg_create_logical_replication_slot('somebodys', 'pgoutput')")
	blockedBy(t, url, "replication slots")
	own.Exec(t, "select pg_drop_replication_slot('somebodys')")

	own.Exec(t, "create role stranger login")
	blockedBy(t, as(t, url, "stranger"), "privileges", "replication")
	own.Exec(t, "grant pgtape_server to stranger")
	blockedBy(t, as(t, url, "stranger"), "replication")
	own.Exec(t, "alter role stranger replication")
	blockedBy(t, as(t, url, "stranger"))

	own.Exec(t, "alter role stranger connection limit 3")
	blockedBy(t, as(t, url, "stranger"), "connections")
	own.Exec(t, "alter role stranger connection limit 10")
	if f := finding(t, examine(t, doctor.Options{URL: as(t, url, "stranger")}), "connections"); f.Severity != doctor.Costs {
		t.Errorf("connections: %+v", f)
	}
	own.Exec(t, "alter role stranger connection limit -1")

	own.Exec(t, "update pgtape_core.function_bundle set digest = 'older'")
	blockedBy(t, url, "schema")

	own.Exec(t, "create database empty")
	blockedBy(t, own.URL(own.Superuser(), "empty"), "schema")
	blockedBy(t, own.URL("stranger", "empty"), "privileges", "schema")
}

func TestAWALThatCannotBeReadBlocks(t *testing.T) {
	t.Parallel()
	own := dbtest.NewOwn(t, "wal_level", "replica", "max_wal_senders", "0", "shared_buffers", "1MB", "autovacuum", "off")
	url := migrated(t, own)
	blockedBy(t, url, "wal_level", "wal senders")
	r := examine(t, doctor.Options{URL: url, Source: tape.Auto})
	if r.Blocked || finding(t, r, "wal_level").Severity != doctor.Costs {
		t.Errorf("in auto mode blocked by %v", r.Blocking())
	}
	for _, subject := range []string{"shared_buffers", "autovacuum"} {
		if f := finding(t, r, subject); f.Severity != doctor.Costs {
			t.Errorf("%+v", f)
		}
	}
	if r := examine(t, doctor.Options{URL: url, Source: tape.Notify}); r.Blocked {
		t.Errorf("in notify mode blocked by %v", r.Blocking())
	}
}

func TestAPoolerIsFound(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for mode, want := range map[doctor.Pooler]doctor.Severity{doctor.TransactionPooler: doctor.Blocks, doctor.SessionPooler: doctor.Costs} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			url := pooled(t, d.URL(), mode == doctor.TransactionPooler)
			for range 2 { // what the first has left behind does not disturb the second
				r := examine(t, doctor.Options{URL: url})
				if f := finding(t, r, "pooler"); r.Pooler != mode || f.Severity != want {
					t.Errorf("pooler %q: %+v", r.Pooler, f)
				}
			}
		})
	}
}

// What a test cannot have for real, such as an old version, is made of a real report.
func TestWhatIsJudgedOfOtherServers(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	o := doctor.Options{URL: d.URL(), Source: tape.WAL, Pool: 16}
	real := examine(t, o)
	tests := []struct {
		name, subject string
		change        func(*doctor.Facts, *doctor.Pace)
		want          doctor.Severity
		words         string
	}{
		{"an old version", "version", func(f *doctor.Facts, _ *doctor.Pace) { f.Number, f.Version = 13_00_20, "13.20" }, doctor.Blocks, "13.20"},
		{"a standby", "standby", func(f *doctor.Facts, _ *doctor.Pace) { f.Standby = true }, doctor.Blocks, "standby"},
		{"a clock behind", "clock", func(_ *doctor.Facts, p *doctor.Pace) { p.Skew = -300 }, doctor.Note, "300 ms"},
		{"a clock far ahead", "clock", func(_ *doctor.Facts, p *doctor.Pace) { p.Skew = 5000 }, doctor.Costs, "5000 ms"},
		{"a far database whose clock cannot be told", "clock", func(_ *doctor.Facts, p *doctor.Pace) { p.Skew, p.SkewError = 120, 60 }, doctor.OK, "give or take 60"},
		{"a local disk", "commit", func(f *doctor.Facts, p *doctor.Pace) { f.Fsync, p.Flush = "on", 0.3 }, doctor.OK, "local disk"},
		{"a disk over a network", "commit", func(f *doctor.Facts, p *doctor.Pace) { f.Fsync, p.Flush = "on", 3 }, doctor.OK, "over a network"},
		{"a slow disk", "commit", func(f *doctor.Facts, p *doctor.Pace) { f.Fsync, p.Flush = "on", 20 }, doctor.Costs, "slow disk"},
		{"commits that do not wait", "durability", func(f *doctor.Facts, _ *doctor.Pace) {
			f.Fsync, f.FullPageWrites, f.SynchronousCommit = "on", "on", "off"
		}, doctor.Costs, "synchronous_commit"},
		{"everything durable", "durability", func(f *doctor.Facts, _ *doctor.Pace) { f.Fsync, f.FullPageWrites = "on", "on" }, doctor.OK, "survives"},
		{"statements watched", "extensions", func(f *doctor.Facts, _ *doctor.Pace) { f.Extensions = []string{"pg_stat_statements"} }, doctor.OK, "pg_stat_statements"},
		{"a URL that prepares nothing", "statement cache", func(_ *doctor.Facts, p *doctor.Pace) { p.Query.Trips = 2 }, doctor.Costs, "default_query_exec_mode"},
	}
	for _, tt := range tests {
		facts, pace := *real.Facts, *real.Pace
		tt.change(&facts, &pace)
		changed := *real
		changed.Facts, changed.Pace = &facts, &pace
		changed.Findings = changed.Judge(o)
		if f := finding(t, &changed, tt.subject); f.Severity != tt.want || !strings.Contains(f.What, tt.words) {
			t.Errorf("%s: %+v, want %s and %q", tt.name, f, tt.want, tt.words)
		}
	}
}
