package cache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

const (
	defaultBytes = 32 << 20
	fillWithin   = 15 * time.Second

	// weight is how many times its JSON an entry takes, and entryBytes what it takes besides.
	weight     = 4
	entryBytes = 1 << 10
)

// Query is a read query by name. Two of the same name return the same.
type Query[T any] struct {
	Name []string // what it is, and its arguments
	Keys []Key    // that it depends on, whatever it returns; nil: it is not cached

	// Read reads by d alone. What it has returned is shared: nobody may change it.
	Read func(ctx context.Context, d *db.DB) (T, error)
	// Also are the keys that depend on what was returned; nil: there are none.
	Also func(T) []Key
}

// How an answer was come by.
type How string

// A hit was there, or on its way; a miss was read and kept; a bypass was read.
const (
	Hit    How = "hit"
	Miss   How = "miss"
	Bypass How = "bypass"
)

// Found is an answer.
type Found[T any] struct {
	Value T
	Body  []byte // as JSON, with a line feed
	ETag  string // of the body, in quotes
	How   How
}

// Stats are a cache's numbers since it was made; the first two are those of the moment.
type Stats struct {
	Entries, Bytes       int64
	Hits, Misses, Bypass int64 // answers
	Invalidated, Evicted int64 // entries
}

// Cache is safe for concurrent use, but Publish, Reset and SetState come from one goroutine.
type Cache struct {
	db   *db.DB
	most int64 // bytes; negative: nothing is kept

	// What a test of other ways replaces.
	stamped func(context.Context, func(context.Context, *db.DB) error) (db.Snapshot, error)
	sees    func(db.Snapshot, uint64) bool

	mu      sync.Mutex
	live    bool
	epoch   int64 // counts the times that everything was forgotten
	recent  recent
	fills   map[string]*fill
	entries *simplelru.LRU[string, *entry]
	byKey   map[Key]map[*entry]struct{}
	stats   Stats
}

type entry struct {
	name  string
	keys  []Key
	stamp db.Snapshot
	found any // Found[T]
	bytes int64
}

// fill is one reading, for all who ask meanwhile.
type fill struct {
	number    int64 // of the fills begun
	published int64 // events, when it began
	epoch     int64
	done      chan struct{}

	found any // Found[T]; nil without an answer
	body  int // bytes of its JSON
	kept  bool
	err   error
}

// New makes a cache of so many bytes (0: 32 MiB; negative: of none) in front of a database. Nothing
// is kept until SetState says that the tape is live.
func New(d *db.DB, bytes int64) *Cache {
	c := &Cache{
		db: d, most: cmp.Or(bytes, defaultBytes), stamped: d.Stamped, sees: db.Snapshot.Sees,
		recent: recent{underWay: make(map[*fill]struct{})},
		fills:  make(map[string]*fill),
		byKey:  make(map[Key]map[*entry]struct{}),
	}
	c.entries, _ = simplelru.NewLRU(math.MaxInt, c.forgotten) // keep bounds their bytes, whatever their number
	return c
}

// Get returns what a query returns: what is kept, or what it reads, for all who ask at this time.
// Errors: those of reading; ctx's.
func Get[T any](ctx context.Context, c *Cache, q Query[T]) (Found[T], error) {
	if q.Keys == nil || c.most < 0 {
		return readPast(ctx, c, q)
	}
	name := strings.Join(q.Name, "\x00")
	for again := false; ; again = true {
		c.mu.Lock()
		if found, ok := c.kept(name).(Found[T]); ok {
			c.stats.Hits++
			c.mu.Unlock()
			found.How = Hit
			return found, nil
		}
		f := c.fills[name]
		mine := f == nil
		if mine {
			f = c.begin(name)
		}
		c.mu.Unlock()
		if mine {
			fillIn(ctx, c, f, name, q)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return Found[T]{}, ctx.Err()
		}
		// What began before this call may be older than what the caller knows, if it could not be kept.
		if mine || again || f.kept {
			return answerOf[T](c, f, mine)
		}
	}
}

// readPast reads what is not cached.
func readPast[T any](ctx context.Context, c *Cache, q Query[T]) (Found[T], error) {
	c.mu.Lock()
	c.stats.Bypass++
	c.mu.Unlock()
	value, err := q.Read(ctx, c.db)
	if err != nil {
		return Found[T]{}, err
	}
	return Encode(value)
}

// fillIn reads for all who wait, also when who carries it out has gone, and keeps what may be kept.
func fillIn[T any](ctx context.Context, c *Cache, f *fill, name string, q Query[T]) {
	var stamp db.Snapshot
	var keys []Key
	f.err = errBrokenOff
	defer func() { c.end(f, name, stamp, keys) }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fillWithin)
	defer cancel()
	var value T
	read, err := c.stamped(ctx, func(ctx context.Context, d *db.DB) (err error) {
		value, err = q.Read(ctx, d)
		return err
	})
	if f.err = err; err != nil {
		return
	}
	answer, err := Encode(value)
	if f.err = err; err != nil {
		return
	}
	f.found, f.body = answer, len(answer.Body)
	if keys = q.Keys; q.Also != nil {
		keys = append(slices.Clip(keys), q.Also(value)...)
	}
	stamp = read
}

var errBrokenOff = errors.New("reading was broken off")

func answerOf[T any](c *Cache, f *fill, mine bool) (answer Found[T], err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	how := Bypass
	counter := &c.stats.Bypass
	switch {
	case f.kept && mine:
		how, counter = Miss, &c.stats.Misses
	case f.kept:
		how, counter = Hit, &c.stats.Hits
	}
	*counter++
	if f.err != nil {
		return answer, f.err
	}
	answer, _ = f.found.(Found[T])
	answer.How = how
	return answer, nil
}

// Encode makes an answer of what was read, or of what was made of it: a bypass, until it says otherwise.
func Encode[T any](value T) (Found[T], error) {
	body, err := json.Marshal(value)
	if err != nil {
		return Found[T]{}, err
	}
	hash := sha256.Sum256(body)
	return Found[T]{value, append(body, '\n'), `"` + hex.EncodeToString(hash[:12]) + `"`, Bypass}, nil
}

// begin makes a fill that all wait for who ask for its name. Called with c.mu held.
func (c *Cache) begin(name string) *fill {
	f := &fill{epoch: c.epoch, done: make(chan struct{})}
	c.recent.begin(f)
	c.fills[name] = f
	return f
}

// end keeps what was read, if it has seen all that it depends on.
func (c *Cache) end(f *fill, name string, stamp db.Snapshot, keys []Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.err == nil && c.live && f.epoch == c.epoch && c.recent.hasSeen(f, stamp, keys, c.sees) {
		f.kept = true
		c.keep(&entry{
			name: name, keys: keys, stamp: stamp, found: f.found,
			bytes: int64(weight*f.body + len(name) + 64*len(keys) + entryBytes),
		})
	}
	c.recent.end(f, stamp, c.sees)
	delete(c.fills, name)
	close(f.done)
}

// kept finds an entry's answer; nil if there is none. Called with c.mu held.
func (c *Cache) kept(name string) any {
	e, ok := c.entries.Get(name)
	if !ok {
		return nil
	}
	return e.found
}

// keep makes an entry, and room for it: those go that were used longest ago. Called with c.mu held.
func (c *Cache) keep(e *entry) {
	c.entries.Remove(e.name)
	if e.bytes > c.most/4 {
		return // it is the answer of those who wait, but would be in the way of all others
	}
	c.entries.Add(e.name, e)
	for _, k := range e.keys {
		if c.byKey[k] == nil {
			c.byKey[k] = make(map[*entry]struct{})
		}
		c.byKey[k][e] = struct{}{}
	}
	c.stats.Entries++
	for c.stats.Bytes += e.bytes; c.stats.Bytes > c.most; c.stats.Evicted++ {
		c.entries.RemoveOldest()
	}
}

// forgotten takes account of an entry that has gone. Called with c.mu held.
func (c *Cache) forgotten(_ string, e *entry) {
	for _, k := range e.keys {
		if delete(c.byKey[k], e); len(c.byKey[k]) == 0 {
			delete(c.byKey, k)
		}
	}
	c.stats.Entries--
	c.stats.Bytes -= e.bytes
}

// clear forgets everything, and what is being read. Called with c.mu held.
func (c *Cache) clear() {
	c.epoch++
	c.stats.Invalidated += c.stats.Entries
	c.entries.Purge()
}

// Publish takes the next event of a market.
func (c *Cache) Publish(e tape.Event) {
	c.changed(event{market: e.Market, xid: e.XID, keys: keysOf(e)})
}

// Wrote is for a write of this node's that has been acknowledged: who asks from now on sees it, also
// before the tape brings it. It pushes nothing to anybody.
func (c *Cache) Wrote(keys ...Key) { c.changed(event{keys: keys}) }

func (c *Cache) changed(e event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.add(e)
	if e.keys == nil {
		c.clear()
		return
	}
	for _, k := range e.keys {
		for old := range c.byKey[k] {
			if e.xid == 0 || !c.sees(old.stamp, e.xid) {
				c.entries.Remove(old.name)
				c.stats.Invalidated++
			}
		}
	}
}

// Forget forgets everything: something has changed that no tape tells.
func (c *Cache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
}

// Reset says that a market's history begins again at a head: what is kept may be of another.
func (c *Cache) Reset(market string, _ tape.Head) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.forget(market)
	c.clear()
}

// SetState says whether the tape is live: while it is not, nothing is kept.
func (c *Cache) SetState(state tape.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live = state == tape.Live; !c.live {
		c.clear()
	}
}

// Stats returns the numbers.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}
