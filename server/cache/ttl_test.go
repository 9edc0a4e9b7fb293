package cache_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/cache"
)

// ttl keeps answers for so long, whatever happens, and for a while longer gives the old one to who asks
// and reads anew: with 60 s and 15 s, what is usual in front of databases far away.
type ttl struct {
	db          *db.DB
	life, grace time.Duration

	mu    sync.Mutex
	known map[string]*aged
}

type aged struct {
	found seen
	at    time.Time
	busy  bool
}

func (c *ttl) get(ctx context.Context, q cache.Query[seen]) (cache.Found[seen], error) {
	name := strings.Join(q.Name, " ")
	c.mu.Lock()
	old := c.known[name]
	if old != nil {
		age := time.Since(old.at)
		if age < c.life || age < c.life+c.grace && old.busy {
			defer c.mu.Unlock()
			return cache.Found[seen]{Value: old.found, How: cache.Hit}, nil
		}
		old.busy = true
	}
	c.mu.Unlock()
	at := time.Now()
	if old != nil && time.Since(old.at) < c.life+c.grace {
		go func() { _, _ = c.read(ctx, name, q, at) }()
		return cache.Found[seen]{Value: old.found, How: cache.Hit}, nil
	}
	return c.read(ctx, name, q, at)
}

func (c *ttl) read(ctx context.Context, name string, q cache.Query[seen], at time.Time) (cache.Found[seen], error) {
	value, err := q.Read(ctx, c.db)
	if err == nil {
		c.mu.Lock()
		c.known[name] = &aged{found: value, at: at}
		c.mu.Unlock()
	}
	return cache.Found[seen]{Value: value, How: cache.Miss}, err
}

// TestATimeToLiveGivesOldAnswers and ours, under the same load, does not.
func TestATimeToLiveGivesOldAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		life, grace time.Duration // 0: ours
	}{
		{"ours", 0, 0},
		{"60 s and 15 s", time.Minute, 15 * time.Second},
		{"1 s and 250 ms", time.Second, 250 * time.Millisecond},
	} {
		n := newNode(t, tape.WAL)
		l := newLoad(t, n)
		if tt.life > 0 {
			c := &ttl{db: n.AsServer(t), life: tt.life, grace: tt.grace, known: map[string]*aged{}}
			l.get = c.get
		}
		n.follow(t)
		l.run(t, until(*compareFor))
		t.Logf("%s, for %v: %v", tt.name, *compareFor, l)
		if ours := tt.life == 0; ours != (l.older.Load() == 0) {
			t.Errorf("%s: %v", tt.name, l)
		}
	}
}
