package cache_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/cache"
)

var (
	historyFor = flag.Duration("cache.for", 2*time.Second, "how long people trade and read at random")
	compareFor = flag.Duration("cache.compare", 2*time.Second, "how long each way to cache is tried")
)

// load is people who trade and read at random.
type load struct {
	*node
	markets  []string
	accounts []string

	// get answers a query: version by market, trades by account.
	get func(ctx context.Context, q cache.Query[seen]) (cache.Found[seen], error)

	asked, older atomic.Int64 // answers, and those older than what the node had seen before
	behind       atomic.Int64 // by how many events at most
	byHow        sync.Map     // How → *atomic.Int64
}

// seen is what an answer shows.
type seen struct {
	Versions map[string]int64 // by market
	Trades   map[string]int64 // by account
}

func newLoad(t *testing.T, n *node) *load {
	t.Helper()
	l := &load{node: n, get: func(ctx context.Context, q cache.Query[seen]) (cache.Found[seen], error) {
		return cache.Get(ctx, n.Cache, q)
	}}
	for range 8 {
		l.markets = append(l.markets, n.Market(t))
	}
	for range 32 {
		l.accounts = append(l.accounts, n.Account(t, "1000000"))
	}
	return l
}

func pick[T any](list []T) T { return list[rand.IntN(len(list))] }

// run has 32 write and 64 read until over. Four of the writers' commits are held for a moment each.
func (l *load) run(t *testing.T, over func() bool) {
	t.Helper()
	var people sync.WaitGroup
	ctx, end := context.WithCancel(t.Context())
	defer end()
	for i, account := range l.accounts {
		if i%8 == 0 {
			people.Go(func() { l.writeHeld(t, account, over) })
		} else {
			people.Go(func() { l.write(t, account, over) })
		}
	}
	for range 64 {
		people.Go(func() { l.read(t, over) })
	}
	releasing := make(chan struct{})
	go func() {
		defer close(releasing)
		for ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			_, _ = l.own.Pool().Exec(ctx, `select pg_cancel_backend(pid) from pg_stat_activity
				where wait_event = 'SyncRep' and datname = current_database() and query_start < clock_timestamp() - interval '100 ms'`)
		}
	}()
	people.Wait()
	end()
	<-releasing
}

// write trades, and now and then looks at what came of it, as whoever has a receipt from this node.
func (l *load) write(t *testing.T, account string, over func() bool) {
	for !over() {
		receipt, err := l.Trade(t.Context(), db.Order{
			Account: account, Market: pick(l.markets), Outcome: pick([]string{"yes", "no"}), Side: "buy", Shares: "1", MaxCost: "1",
		})
		if err != nil {
			t.Error(err)
			return
		}
		if rand.IntN(4) == 0 {
			l.Wrote(cache.Market(receipt.Market), cache.Markets, cache.Account(account))
			found, err := l.get(t.Context(), l.ofMarket(receipt.Market))
			if err != nil || found.Value.Versions[receipt.Market] < receipt.Version {
				l.note(found.How, receipt.Version-found.Value.Versions[receipt.Market])
			}
		}
		time.Sleep(rand.N(20 * time.Millisecond))
	}
}

func (l *load) writeHeld(t *testing.T, account string, over func() bool) {
	conn, err := pgx.Connect(t.Context(), l.URL())
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for !over() {
		_, err := conn.Exec(t.Context(), "set synchronous_commit = on")
		if err == nil {
			_, err = conn.Exec(t.Context(), "select pgtape.trade($1, 'yes', 'buy', shares => 1, max_cost => 1, account => $2)", pick(l.markets[:2]), account)
		}
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(rand.N(40 * time.Millisecond))
	}
}

// read asks at random, and compares with what the node had seen before it asked.
func (l *load) read(t *testing.T, over func() bool) {
	for !over() {
		l.mu.Lock()
		heads, trades, resets := maps.Clone(l.heads), maps.Clone(l.trades), l.resets
		l.mu.Unlock()
		found, err := l.get(t.Context(), l.query())
		if err != nil {
			t.Error(err)
			return
		}
		behind := int64(0)
		for market, version := range found.Value.Versions {
			behind = max(behind, heads[market]-version)
		}
		for account, count := range found.Value.Trades {
			behind = max(behind, trades[account]-count)
		}
		l.mu.Lock()
		taken := l.resets != resets // what it had seen is not so any more
		l.mu.Unlock()
		if !taken {
			l.note(found.How, behind)
		}
		time.Sleep(rand.N(4 * time.Millisecond))
	}
}

func (l *load) note(how cache.How, behind int64) {
	l.asked.Add(1)
	n, _ := l.byHow.LoadOrStore(how, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	if how == cache.Bypass || behind <= 0 {
		return
	}
	l.older.Add(1)
	for most := l.behind.Load(); behind > most && !l.behind.CompareAndSwap(most, behind); most = l.behind.Load() {
	}
}

func (l *load) count(how cache.How) int64 {
	n, ok := l.byHow.Load(how)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

func (l *load) String() string {
	return fmt.Sprintf("%d answers (%d hits, %d misses, %d past it), %d older than what the node had seen, by up to %d events",
		l.asked.Load(), l.count(cache.Hit), l.count(cache.Miss), l.count(cache.Bypass), l.older.Load(), l.behind.Load())
}

func (l *load) query() cache.Query[seen] {
	switch rand.IntN(5) {
	case 0:
		return l.ofMarket(pick(l.markets))
	case 4: // of which commits are held
		return l.ofMarket(pick(l.markets[:2]))
	case 1:
		return l.ofAccount(pick(l.accounts))
	case 2:
		return l.ofHolder(pick(l.accounts))
	}
	return l.ofAll()
}

func (l *load) ofMarket(slug string) cache.Query[seen] {
	return cache.Query[seen]{
		Name: []string{"market", slug}, Keys: []cache.Key{cache.Market(slug)},
		Read: func(ctx context.Context, d *db.DB) (s seen, err error) {
			m, err := d.Market(ctx, slug)
			return seen{Versions: map[string]int64{slug: m.Version}}, err
		},
	}
}

func (l *load) ofAll() cache.Query[seen] {
	return cache.Query[seen]{
		Name: []string{"markets"}, Keys: []cache.Key{cache.Markets},
		Read: func(ctx context.Context, d *db.DB) (s seen, err error) {
			list, _, err := d.Markets(ctx, db.MarketFilter{})
			s.Versions = map[string]int64{}
			for _, m := range list {
				s.Versions[m.Slug] = m.Version
			}
			return s, err
		},
	}
}

func (l *load) ofAccount(handle string) cache.Query[seen] {
	return cache.Query[seen]{
		Name: []string{"trades", handle}, Keys: []cache.Key{cache.Account(handle)},
		Read: func(ctx context.Context, d *db.DB) (s seen, err error) {
			p, err := d.Profile(ctx, handle)
			return seen{Trades: map[string]int64{handle: p.Trades}}, err
		},
	}
}

// ofHolder depends on the markets that somebody turns out to hold shares of.
func (l *load) ofHolder(handle string) cache.Query[seen] {
	return cache.Query[seen]{
		Name: []string{"held", handle}, Keys: []cache.Key{cache.Account(handle)},
		Read: func(ctx context.Context, d *db.DB) (s seen, err error) {
			list, err := d.Positions(ctx, handle)
			s.Versions = map[string]int64{}
			for _, p := range list {
				if _, known := s.Versions[p.Market]; known || err != nil {
					continue
				}
				var m db.Market
				m, err = d.Market(ctx, p.Market)
				s.Versions[p.Market] = m.Version
			}
			return s, err
		},
		Also: func(s seen) (keys []cache.Key) {
			for _, slug := range slices.Sorted(maps.Keys(s.Versions)) {
				keys = append(keys, cache.Market(slug))
			}
			return keys
		},
	}
}

func until(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return !time.Now().Before(end) }
}

// TestNoAnswerIsOlderThanWhatTheNodeHasSeen in a random history, some of whose commits are on the tape
// before they can be seen.
func TestNoAnswerIsOlderThanWhatTheNodeHasSeen(t *testing.T) {
	t.Parallel()
	for _, mode := range []tape.Mode{tape.WAL, tape.Notify} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			n := newNode(t, mode)
			l := newLoad(t, n)
			n.follow(t)
			l.run(t, until(*historyFor))
			t.Log(l)
			if l.older.Load() > 0 {
				t.Errorf("%v", l)
			}
			if l.count(cache.Hit) == 0 || l.count(cache.Miss) == 0 {
				t.Errorf("nothing was cached: %v", l)
			}
			dbtest.WaitUntil(t, "the end of the tape", func() bool {
				m, err := n.DB.DB.Market(t.Context(), l.markets[0])
				return err == nil && n.head(m.Slug) == m.Version
			})
			n.Verify(t)
		})
	}
}

// The control: with a place in the WAL for a stamp the same history has answers that are too old.
func TestAPlaceInTheWALGivesAnswersThatAreTooOld(t *testing.T) {
	t.Parallel()
	n := newNode(t, tape.WAL)
	n.byPlace()
	l := newLoad(t, n)
	n.follow(t)
	late := until(time.Minute)
	l.run(t, func() bool { return late() || l.older.Load() > 0 })
	t.Log(l)
	if l.older.Load() == 0 {
		t.Error("not one in a minute: this test shows nothing any more")
	}
}
