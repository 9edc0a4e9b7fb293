package cache_test

import (
	"testing"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/cache"
)

// A commit that waits for a standby is on the tape and in no snapshot: while it waits, what is read
// is not kept.
func TestWhatIsReadBehindAHeldCommitIsNotKept(t *testing.T) {
	t.Parallel()
	n := newNode(t, tape.WAL)
	slug, other, account := n.Market(t), n.Market(t), n.Account(t, "100")
	n.follow(t)
	n.is(t, slug, cache.Miss, 1)
	n.is(t, slug, cache.Hit, 1)

	h := n.hold(t, account, slug)
	dbtest.WaitUntil(t, "the tape", func() bool { return n.head(slug) == 2 })
	for range 3 {
		n.is(t, slug, cache.Bypass, 1)
	}
	n.is(t, other, cache.Miss, 1) // which has nothing to do with it
	n.is(t, other, cache.Hit, 1)

	h.release(t)
	n.is(t, slug, cache.Miss, 2)
	n.is(t, slug, cache.Hit, 2)
}

// The control: a stamp by the place in the WAL keeps what has not seen the commit, and nobody ever
// takes it back.
func TestAPlaceInTheWALIsNoStamp(t *testing.T) {
	t.Parallel()
	n := newNode(t, tape.WAL)
	n.byPlace()
	slug, account := n.Market(t), n.Account(t, "100")
	n.follow(t)
	n.is(t, slug, cache.Miss, 1)

	h := n.hold(t, account, slug)
	dbtest.WaitUntil(t, "the tape", func() bool { return n.head(slug) == 2 })
	n.is(t, slug, cache.Miss, 1)
	h.release(t)
	n.is(t, slug, cache.Hit, 1) // it is 2
}

// More happens elsewhere than is remembered while a commit is held.
func TestAHeldCommitIsRememberedWhateverHappensMeanwhile(t *testing.T) {
	t.Parallel()
	n := newNode(t, tape.WAL)
	slug, account := n.Market(t), n.Account(t, "100")
	n.follow(t)
	h := n.hold(t, account, slug)
	dbtest.WaitUntil(t, "the tape", func() bool { return n.head(slug) == 2 })
	for i := range cache.MaxRecent + 10 { // of a market of nobody
		n.Cache.Publish(tape.Event{Market: "elsewhere", Seq: int64(i), Kind: "opened", XID: uint64(i % 3)})
	}
	if kept := n.Recent(); kept > cache.MaxRecent {
		t.Errorf("%d events are remembered", kept)
	}
	n.is(t, slug, cache.Bypass, 1)
	h.release(t)
	n.is(t, slug, cache.Miss, 2)
	n.is(t, slug, cache.Hit, 2)
	n.get(t, n.Market(t))
	if kept := n.Recent(); kept > 10 {
		t.Errorf("%d events are still remembered", kept)
	}
}
