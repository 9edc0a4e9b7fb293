package tape_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
)

func TestASinkThatIsSlowIsSaidToCatchUp(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		market := d.Market(t)
		reader, sink := follow(t, d.URL(), mode)
		sink.waitState(tape.Live)
		var slow atomic.Bool
		slow.Store(true)
		sink.onPublish(func() {
			if slow.Load() {
				time.Sleep(5 * time.Millisecond)
			}
		})
		bulk(t, d, market, 2000)
		waitFor(t, "lag to be seen", func() bool {
			status := reader.Status()
			return status.State == tape.CatchingUp && status.Lag > time.Second
		})
		sink.waitState(tape.CatchingUp)
		slow.Store(false)
		sink.waitState(tape.Live)
		allOf(t, d, sink, market)
		soundly(t, reader)
		waitFor(t, "the lag to go", func() bool { return reader.Status().Lag < time.Second })
		sink.mu.Lock()
		defer sink.mu.Unlock()
		if slices.Contains(sink.states, tape.Lost) {
			t.Errorf("states %v: a slow sink is no lost database", sink.states)
		}
	})
}

// TestMemoryAndWALAreBoundedWhileASinkIsSlow runs alone, for what it measures.
func TestMemoryAndWALAreBoundedWhileASinkIsSlow(t *testing.T) {
	const (
		events   = 10_000
		retained = 1 << 20
	)
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		t.Run(string(mode), func(t *testing.T) {
			d := dbtest.New(t)
			market := d.Market(t)
			sink := &counter{market: market, pause: 50 * time.Microsecond}
			reader := tape.NewReader(tape.Options{URL: d.URL(), Mode: mode, MaxRetained: retained, Reconcile: 200 * time.Millisecond})
			ctx, stop := context.WithCancel(t.Context())
			var wait sync.WaitGroup
			wait.Go(func() { _ = reader.Run(ctx, sink) })
			defer wait.Wait()
			defer stop()
			waitFor(t, "the reader", func() bool { return reader.Status().State == tape.Live })

			before := heap()
			started := walPosition(t, d)
			var mostHeap, mostKept int64
			written := make(chan struct{})
			wait.Go(func() {
				defer close(written)
				bulk(t, d, market, events)
			})
			for busy := true; busy || sink.seq.Load() <= events; time.Sleep(50 * time.Millisecond) {
				select {
				case <-written:
					busy = false
				default:
				}
				mostHeap = max(mostHeap, heap()-before)
				mostKept = max(mostKept, kept(t, d))
			}
			status := reader.Status()
			t.Logf("%d events, %d MiB of WAL: heap grew by %d KiB at most, %d KiB of WAL were kept at most, %d times given up",
				events, (walPosition(t, d)-started)>>20, mostHeap>>10, mostKept>>10, status.SlotDrops)
			if mostHeap > 8<<20 {
				t.Errorf("the heap grew by %d MiB", mostHeap>>20)
			}
			if mode == tape.WAL && status.SlotDrops == 0 {
				t.Errorf("status %+v, want the slot to have been given up", status)
			}
			if n := sink.wrong.Load(); n != 0 || status.Resets != 0 {
				t.Errorf("%d events out of order; status %+v", n, status)
			}
			waitFor(t, "the reader to be live again", func() bool { return reader.Status().State == tape.Live })
		})
	}
}

// counter is a slow sink that remembers nothing but how far it is.
type counter struct {
	market string
	pause  time.Duration
	seq    atomic.Int64
	wrong  atomic.Int64
}

func (c *counter) Publish(e tape.Event) {
	if e.Market != c.market {
		return
	}
	time.Sleep(c.pause)
	if before := c.seq.Swap(e.Seq); before != 0 && before+1 != e.Seq {
		c.wrong.Add(1)
	}
}
func (c *counter) Reset(string, tape.Head) {}
func (c *counter) SetState(tape.State)     {}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// kept is how many bytes of WAL the server keeps for the slots of a database.
func kept(t *testing.T, d *dbtest.DB) (bytes int64) {
	t.Helper()
	err := d.Pool().QueryRow(t.Context(), `
		select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint
		from pg_replication_slots where database = current_database()`).Scan(&bytes)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func walPosition(t *testing.T, d *dbtest.DB) (bytes int64) {
	t.Helper()
	if err := d.Pool().QueryRow(t.Context(), "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").Scan(&bytes); err != nil {
		t.Fatal(err)
	}
	return bytes
}

// connections are those of the reader, but for the one to the table.
func connections(t *testing.T, d *dbtest.DB) (n int) {
	t.Helper()
	err := d.Pool().QueryRow(t.Context(), `
		select count(*) - 1 from pg_stat_activity where application_name = 'pgtape reader' and datname = current_database()`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestASinkThatTakesNothingHoldsUpNobodyElse(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode tape.Mode) {
		d := dbtest.New(t)
		market := d.Market(t)
		reader, sink := followWith(t, tape.Options{URL: d.URL(), Mode: mode}, func(r *tape.Reader) { r.Stall(time.Second) })
		sink.waitState(tape.Live)
		stuck, free := make(chan struct{}), make(chan struct{})
		release := sync.OnceFunc(func() { close(free) })
		defer release()
		sink.onPublish(sync.OnceFunc(func() { close(stuck); <-free }))
		bulk(t, d, market, 2000)
		<-stuck

		// The server has nothing left to keep, and who asks is told. Doorbells are taken all the same.
		if mode == tape.WAL {
			waitFor(t, "the stream to be given up", func() bool { return connections(t, d) == 0 })
		}
		waitFor(t, "lag to be seen", func() bool {
			status := reader.Status()
			return status.State == tape.CatchingUp && status.Lag > 2*time.Second
		})
		release()
		allOf(t, d, sink, market)
		// What the sink was told last may be from before it was stuck: the reader itself knows.
		waitFor(t, "a live reader that has given up a stream, if it has a slot", func() bool {
			status := reader.Status()
			return status.State == tape.Live && (status.SlotDrops > 0) == (mode == tape.WAL)
		})
		if status := reader.Status(); status.Connects != 1 || status.Resets != 0 {
			t.Errorf("status %+v, want the stream to have been given up, and nothing else", status)
		}
	})
}

func TestAServerThatHearsFromASlowReaderDoesNotGiveItUp(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market := d.Market(t)
	var database string
	if err := d.Pool().QueryRow(t.Context(), "select current_database()").Scan(&database); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "alter database "+database+" set wal_sender_timeout = '3s'")
	reader, sink := followWith(t, tape.Options{URL: d.URL(), Mode: tape.WAL}, func(r *tape.Reader) { r.Stall(time.Minute) })
	sink.waitState(tape.Live)
	stuck := make(chan struct{})
	sink.onPublish(sync.OnceFunc(func() { close(stuck); time.Sleep(8 * time.Second) }))
	bulk(t, d, market, 5000)
	<-stuck
	sink.waitEvents(market, 5000)
	allOf(t, d, sink, market)
	if status := reader.Status(); status.Connects != 1 || status.SlotDrops != 0 {
		t.Errorf("status %+v, want the first stream to have lasted", status)
	}
	soundly(t, reader)
}

func TestASlotThatKeepsMuchFromTheStartIsGivenUpAgainAndAgainWithoutHarm(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market := d.Market(t)
	reader, sink := followWith(t, tape.Options{URL: d.URL(), Mode: tape.WAL, MaxRetained: 1})
	sink.wait("the slot", func() bool { return slices.Contains(sink.states, tape.Live) })
	stop := trading(t, d, market)
	sink.wait("the slot to be given up three times", func() bool { return reader.Status().SlotDrops >= 3 })
	stop()
	allOf(t, d, sink, market)
	soundly(t, reader)
	if n := reader.Status().Connects; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
