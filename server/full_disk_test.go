package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// A disk that is really full: trades are refused with the reason, until there is room again, and nothing
// is lost, done twice or half written. When there is no room for the WAL either, Postgres ends itself;
// the server outlives that as well.
func TestAFullDiskIsToldAndOutlived(t *testing.T) {
	t.Parallel()
	dbtest.WithSmallDisk(t, 160<<20, func(t *testing.T, dir string) {
		own := dbtest.NewOwnAt(t, dir, "autovacuum", "off")
		s := openOn(t, own.Provisioned(t))
		s.follow(t)
		f := &fullDisk{site: s, dir: dir, market: s.Market(t), ana: s.signIn(t, "ana")}
		f.socket = s.dial(t)
		f.socket.subscribe(f.market, "", "tape")
		snapshot := f.socket.next("snapshot")
		start := snapshot.Cursor
		f.seen = snapshot.Seq

		s.Exec(t, "select pg_switch_wal()") // a segment with room in it, which the next order makes
		f.order(t, http.StatusCreated)
		free := f.fill(t)
		f.isRefused(t)
		free()
		f.goesOn(t, start)

		free = f.fill(t)
		f.endPostgres(t, own)
		free()
		own.StartAgain(t)
		f.goesOn(t, start)
	})
}

// fullDisk is a site whose database is on a small disk, and what it has acknowledged.
type fullDisk struct {
	*site
	dir    string
	market string
	ana    user
	socket *wire
	seen   int64 // the seq of the last event that the socket has brought

	mu      sync.Mutex
	open    []string // keys of orders of which nobody knows what became
	made    int64    // trades
	refused int
}

// fill leaves no room on the disk.
func (f *fullDisk) fill(t *testing.T) (free func()) {
	t.Helper()
	file, err := os.Create(filepath.Join(f.dir, "filler"))
	must(t, err)
	for size := 1 << 20; size >= 1; size /= 4 {
		for zeros := make([]byte, size); err == nil; {
			_, err = file.Write(zeros)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	must(t, file.Close())
	return func() { must(t, os.Remove(file.Name())) }
}

// place sends an order, and remembers what became of it.
func (f *fullDisk) place(t *testing.T, key string) answer {
	t.Helper()
	got := f.ana.post(t, "/api/v1/markets/"+f.market+"/trades", `{"outcome":"yes","side":"buy","shares":"0.01","max_cost":"1"}`, "Idempotency-Key", key)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case got.status == http.StatusCreated:
		f.made++
	case got.status == http.StatusServiceUnavailable && reasonOf(got) != "" && got.header.Get("Retry-After") != "":
		f.refused++
		f.open = append(f.open, key)
	default:
		t.Errorf("an order is answered %v", got)
	}
	return got
}

func (f *fullDisk) order(t *testing.T, status int) answer {
	t.Helper()
	got := f.place(t, newKey())
	if got.status != status {
		t.Fatalf("an order is answered %v, want %d", got, status)
	}
	return got
}

// isRefused trades until the disk has no room, and a lot more; then asks the server what it says of it.
func (f *fullDisk) isRefused(t *testing.T) {
	t.Helper()
	for began := time.Now(); f.refused == 0; {
		if got := f.place(t, newKey()); f.refused > 0 && reasonOf(got) != db.ReasonDiskFull {
			t.Errorf("the first refusal is %v", got)
		}
		if time.Since(began) > patience {
			t.Fatal("the disk is not full")
		}
	}
	began := time.Now()
	var traders sync.WaitGroup
	for range 4 {
		traders.Go(func() {
			for range 50 {
				if got := f.place(t, newKey()); got.status != http.StatusCreated && reasonOf(got) != db.ReasonDiskFull {
					t.Errorf("an order is refused with %v", got)
				}
			}
		})
	}
	traders.Wait()
	said := strings.Count(f.log.String(), "requests are refused")
	if most := 2 + int(time.Since(began)/(10*time.Second)); said < 1 || said > most || !strings.Contains(f.log.String(), "reason="+db.ReasonDiskFull) {
		t.Errorf("of %d refusals the log speaks %d times", f.refused, said)
	}
	if want := fmt.Sprintf(`pgtape_db_unavailable_total{reason="%s"} `, db.ReasonDiskFull); !strings.Contains(string(f.nobody().get(t, "/metrics").body), want) {
		t.Errorf("no metric %s", want)
	}
	if got := f.nobody().get(t, "/readyz"); got.status != http.StatusServiceUnavailable || reasonOf(got) != db.ReasonDiskFull {
		t.Errorf("readiness: %v", got)
	}
	for _, path := range []string{"/healthz", "/", "/api/v1/markets/" + f.market, "/api/v1/markets/" + f.market + "/tape"} {
		if got := f.nobody().get(t, path); got.status != http.StatusOK {
			t.Errorf("%s, which can be read: %v", path, got)
		}
	}
}

// endPostgres makes Postgres need room for its WAL, until it ends.
func (f *fullDisk) endPostgres(t *testing.T, own *dbtest.Own) {
	t.Helper()
	for ended := false; !ended; {
		_, err := f.Pool().Exec(t.Context(), "select pg_logical_emit_message(true, 'filler', repeat('x', 1000000))")
		select {
		case <-own.Done():
			ended = true
		default:
			if err == nil {
				continue
			}
			f.place(t, newKey())
		}
	}
	got := f.order(t, http.StatusServiceUnavailable)
	if reason := reasonOf(got); !slices.Contains([]string{db.ReasonUnreachable, db.ReasonLost, db.ReasonRestarting}, reason) {
		t.Errorf("an order is refused with %v", got)
	}
	if got := f.nobody().get(t, "/readyz"); got.status != http.StatusServiceUnavailable || reasonOf(got) == "" {
		t.Errorf("readiness: %v", got)
	}
	if !strings.Contains(f.log.String(), "reason="+reasonOf(got)) {
		t.Errorf("the log says nothing of %s", reasonOf(got))
	}
	if got := f.nobody().get(t, "/healthz"); got.status != http.StatusOK {
		t.Errorf("alive: %v", got)
	}
}

// goesOn waits until the server is ready again, asks again for what was refused, and compares what the
// database has with what was acknowledged, and with what the socket has brought.
func (f *fullDisk) goesOn(t *testing.T, start string) {
	t.Helper()
	dbtest.WaitUntil(t, "readiness", func() bool { return f.nobody().get(t, "/readyz").status == http.StatusOK })
	open := f.open
	f.open = nil
	for _, key := range open {
		f.place(t, key)
	}
	if len(f.open) > 0 {
		t.Errorf("%d orders are refused still", len(f.open))
	}
	f.order(t, http.StatusCreated)
	market, err := f.DB.DB.Market(t.Context(), f.market)
	must(t, err)
	if market.Version != 1+f.made {
		t.Errorf("%d trades are acknowledged, and the market stands at %d", f.made, market.Version)
	}
	for seq := f.seen + 1; seq <= market.Version; seq++ {
		if e := f.socket.next("event"); e.Seq != seq {
			t.Fatalf("the socket brings %d after %d", e.Seq, seq-1)
		}
	}
	f.seen = market.Version
	got := f.nobody().get(t, "/api/v1/markets/"+f.market+"/tape?limit=1000&after="+start)
	var page struct{ Events []frame }
	if got.read(t, &page); got.status != http.StatusOK || int64(len(page.Events)) != f.made {
		t.Errorf("behind the first cursor: %d, %d events, want %d", got.status, len(page.Events), f.made)
	}
	f.Verify(t)
}
