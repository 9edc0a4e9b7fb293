package delivery

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

const (
	// perRound is how many faults each lane makes before everything is mended.
	perRound = 9

	// recoverWithin is when everybody must be where the tables stand, once everything is mended.
	recoverWithin = time.Minute
)

// TestDelivery breaks things for a while. At the end every watcher has been told exactly what the
// tables hold, in order, once; every acknowledged trade is in them; the book is sound.
func TestDelivery(t *testing.T) {
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Logf("%d faults in %v, -delivery.seed %d", *faults, *duration, chosen)

	w := newWorld(t)
	w.node.awaitReady(t)
	w.floor = newFloor(w)
	burster := newSQLTrader(w, "burst")
	w.backup() // everybody who trades is in it
	w.node.awaitReady(t)
	audience := newAudience(w)

	perLane := max(1, *faults/2)
	longest := min(6*time.Second, *duration/time.Duration(perLane))
	newBreaker := func(lane uint64) *breaker {
		return &breaker{
			w: w, audience: audience, burster: burster, longest: longest,
			random: rand.New(rand.NewPCG(chosen, lane)), made: map[string]int{},
		}
	}
	lanes := map[*breaker][]fault{newBreaker(1): serverFaults, newBreaker(2): clientFaults}

	var recoveries []time.Duration
	w.floor.begin()
	start := time.Now()
	for made := 0; made < perLane && !t.Failed(); made += perRound {
		var wait sync.WaitGroup
		for b, all := range lanes {
			wait.Go(func() {
				for i := made; i < min(made+perRound, perLane); i++ {
					time.Sleep(time.Until(start.Add(*duration * time.Duration(i) / time.Duration(perLane))))
					b.next(all)
				}
			})
		}
		wait.Wait()
		recoveries = append(recoveries, w.settle(audience))
		w.floor.begin()
	}
	w.settle(audience)
	w.floor.end()
	audience.end()

	w.histories = append(w.histories, w.readHistory())
	for _, x := range audience.watchers {
		for _, market := range markets {
			for i, wrong := range judge(w.histories, market, x.told[market]) {
				t.Errorf("%s, %s: %s", x.name, market, wrong)
				if i == 4 {
					break
				}
			}
		}
	}
	if err := w.floor.audit(); err != nil {
		t.Error(err)
	}
	w.verify()

	total, filled := 0, 0
	for b := range lanes {
		filled += b.filled
		for _, name := range slices.Sorted(maps.Keys(b.made)) {
			t.Logf("%4d %s", b.made[name], name)
			total += b.made[name]
		}
	}
	slices.Sort(recoveries)
	t.Logf("%d faults in %v, %d restores, %d starts of pgtape", total, time.Since(start).Round(time.Second), w.restores.Load(), w.node.starts)
	t.Logf("from mended to everybody up to date: median %v, longest %v",
		recoveries[len(recoveries)/2].Round(time.Millisecond), recoveries[len(recoveries)-1].Round(time.Millisecond))
	t.Logf("%d trades acknowledged, %d of them sent again", len(w.floor.acks), w.floor.repeated)
	t.Logf("%d sockets filled until the node closed them (4001)", filled)
	for _, x := range audience.watchers {
		t.Logf("%s: %s", x.name, x.summary())
	}
}

// settle lets everybody come to rest, and says how long it took until all knew all.
func (w *world) settle(a *audience) time.Duration {
	w.t.Helper()
	w.dbLink.Mend()
	w.webLink.Mend()
	mended := time.Now()
	if err := w.floor.rest(recoverWithin); err != nil {
		w.t.Error(err)
	}
	w.node.awaitReady(w.t)
	heads := w.heads()
	for {
		behind := ""
		for _, x := range a.watchers {
			for _, market := range markets {
				if r := x.at(market); !heads[market].met(r) {
					behind = fmt.Sprintf("%s is at %d of %s, whose head is %d", x.name, r.seq, market, heads[market].seq)
				}
			}
		}
		if behind == "" {
			break
		}
		if time.Since(mended) > recoverWithin {
			w.t.Errorf("%v after everything was mended, %s", recoverWithin, behind)
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(mended)
	for _, name := range []string{"pgtape_reader_reconciled_total", "pgtape_tape_gaps_total"} {
		value, err := w.node.metric(name)
		if err != nil || value != 0 {
			w.t.Errorf("%s is %v (%v)", name, value, err)
		}
	}
	w.t.Logf("all know all %v after it was mended", took.Round(time.Millisecond))
	return took
}

// head is where a market stands.
type head struct {
	seq    int64
	hash   uint64
	prices uint64
}

// met says whether a watcher has been told all up to there.
func (h head) met(r record) bool {
	return r.seq == h.seq && (r.op == toldQuote && r.entry.prices == h.prices || r.op != toldQuote && r.entry.hash == h.hash)
}

func (w *world) heads() map[string]head {
	w.t.Helper()
	h := map[string]head{}
	ctx := context.Background()
	conn, err := w.admin(ctx)
	must(w.t, err)
	defer conn.Close(ctx)
	for _, market := range markets {
		var seq int64
		var cursor, kind, body string
		must(w.t, conn.QueryRow(ctx, "select seq, cursor, kind, body from pgtape.tape where market = $1 order by seq desc limit 1", market).
			Scan(&seq, &cursor, &kind, &body))
		e, err := newEntry(kind, cursor, []byte(body))
		must(w.t, err)
		h[market] = head{seq, e.hash, e.prices}
	}
	return h
}

// verify audits the book by both ways that there are.
func (w *world) verify() {
	w.t.Helper()
	for _, args := range [][]string{{"verify"}, {"verify", "--replay"}} {
		out, err := exec.Command(binary, append(args, "--database-url", w.socketURL(db.OwnOwner))...).CombinedOutput()
		if err != nil {
			w.t.Errorf("pgtape %v: %v\n%s", args, err, out)
		}
	}
}

// summary counts what the watcher has gone through.
func (x *watcher) summary() string {
	count := map[byte]int{}
	for _, told := range x.told {
		for _, r := range told {
			count[r.op]++
		}
	}
	return fmt.Sprintf("%d events, %d quotes, %d snapshots, %d resumed, connections lost: %v",
		count[toldEvent], count[toldQuote], count[toldSnapshot], count[toldSubscribed], x.breaks)
}
