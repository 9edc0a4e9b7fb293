package tape_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/embedded"
)

// postgres is a server of a test's own, which can be stopped, and put back to an older copy.
type postgres struct {
	*dbtest.DB
	dir      string
	settings map[string]string
	cluster  *embedded.Cluster
}

func newPostgres(t *testing.T, settings ...string) *postgres {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-test-") // not t.TempDir: the server's user has to get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &postgres{dir: dir, settings: map[string]string{"fsync": "off", "full_page_writes": "off"}}
	for i := 0; i < len(settings); i += 2 {
		p.settings[settings[i]] = settings[i+1]
	}
	p.start(t)
	t.Cleanup(func() { _ = p.cluster.Stop(context.WithoutCancel(t.Context())) })
	url := p.cluster.URL(p.cluster.Superuser(), "postgres")
	if _, err := db.MigrateUp(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	p.DB = dbtest.Open(t, url)
	return p
}

func (p *postgres) start(t testing.TB) {
	t.Helper()
	cluster, err := embedded.Start(t.Context(), embedded.Options{
		DataDir: p.dir, BinDir: dbtest.BinDir(t),
		Settings: p.settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.cluster = cluster
	if p.DB != nil {
		p.Pool().Reset() // its connections went with the server
	}
}

func (p *postgres) stopFast(t testing.TB) {
	t.Helper()
	if err := p.cluster.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (p *postgres) stopImmediately(t testing.TB) {
	t.Helper()
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.cluster.Stop(now); err != nil {
		t.Fatal(err)
	}
}

// backup copies a stopped server, and returns what puts it back.
func (p *postgres) backup(t testing.TB) (restore func()) {
	t.Helper()
	saved := p.dir + ".saved"
	run(t, "cp", "-a", p.dir, saved)
	t.Cleanup(func() { os.RemoveAll(saved) })
	return func() {
		t.Helper()
		run(t, "rm", "-rf", p.dir)
		run(t, "cp", "-a", saved, p.dir)
	}
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// bulk makes events of a market fast, a thousand in a transaction.
func bulk(t testing.TB, d *dbtest.DB, market string, n int) {
	t.Helper()
	for ; n > 0; n -= 1000 {
		d.Exec(t, fmt.Sprintf(`do $$
			declare
				book pgtape_core.book;
			begin
				select b.* into book from pgtape_core.book b join pgtape_core.market m on m.id = b.market_id
				where m.slug = '%[1]s' for no key update of b;
				for i in 1 .. %[2]d loop
					book := pgtape_core.append_event('%[1]s', book, clock_timestamp(), 'note', json_build_object('text', repeat('x', 500))::text);
				end loop;
			end $$`, market, min(n, 1000)))
	}
}

// waitFor waits for what nobody tells of.
func waitFor(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
