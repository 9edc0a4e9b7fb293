package state_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/state"
)

// hold makes reads wait: each says what it has found, and returns that when it is let go.
func (n *node) hold() (found chan int64, letGo chan struct{}) {
	found, letGo = make(chan int64, 100), make(chan struct{})
	read := state.Read(func(ctx context.Context, slug string) (db.MarketState, error) {
		got, err := n.MarketState(ctx, slug)
		found <- got.Version
		<-letGo
		return got, err
	})
	n.read.Store(&read)
	return found, letGo
}

// ask asks in the background.
func (n *node) ask(ctx context.Context, slug string) chan *state.View {
	answer := make(chan *state.View, 1)
	go func() {
		view, err := n.Get(ctx, slug)
		if err != nil {
			view = nil
		}
		answer <- view
	}()
	return answer
}

func receive[T any](t testing.TB, what string, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	return got
}

func version(v *state.View) int64 {
	if v == nil {
		return -1
	}
	return v.Market.Version
}

// scene is a market and a trader, and a memory without a reader, that is told it is live: the tape
// is what the test hands on.
func scene(t *testing.T) (n *node, slug, account string) {
	n = newNode(t)
	slug, account = n.Market(t), n.Account(t, "100")
	n.Reset(slug, n.event(t, slug, 1).Head())
	n.SetState(tape.Live)
	return n, slug, account
}

// bring hands on an event.
func (n *node) bring(t testing.TB, slug string, seq int64) {
	t.Helper()
	n.Publish(n.event(t, slug, seq))
}

func TestEventsDuringAReadAreAppliedToWhatItFound(t *testing.T) {
	t.Parallel()
	n, slug, account := scene(t)
	n.buy(t, account, slug)
	found, letGo := n.hold()
	answer := n.ask(t.Context(), slug)
	if v := receive(t, "a read", found); v != 2 {
		t.Fatalf("found version %d", v)
	}
	for seq := int64(2); seq <= 4; seq++ { // the read has the first of them
		if seq > 2 {
			n.buy(t, account, slug)
		}
		n.bring(t, slug, seq)
	}
	close(letGo)
	if v := version(receive(t, "an answer", answer)); v != 4 {
		t.Errorf("answered version %d, want 4", v)
	}
	n.same(t, slug)
	if reads := n.reads.Load(); reads != 1 {
		t.Errorf("%d reads", reads)
	}
}

func TestWhatIsOlderThanTheTapeIsReadAgain(t *testing.T) {
	t.Parallel()
	n, slug, account := scene(t)
	old, err := n.MarketState(t.Context(), slug)
	must(t, err)
	n.buy(t, account, slug)
	n.bring(t, slug, 2)
	var mu sync.Mutex
	hidden, looks := true, 0
	read := state.Read(func(ctx context.Context, slug string) (db.MarketState, error) {
		mu.Lock()
		defer mu.Unlock()
		if looks++; hidden {
			return old, nil // as other sessions see it before the commit is visible
		}
		return n.MarketState(ctx, slug)
	})
	n.read.Store(&read)
	answer := n.ask(t.Context(), slug)
	dbtest.WaitUntil(t, "some looks", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return looks > 3
	})
	select {
	case v := <-answer:
		t.Fatalf("answered version %d", version(v))
	default:
	}
	if view, current, err := n.Look(t.Context(), slug); err != nil || current || version(view) != 1 {
		t.Errorf("looked at version %d, current %v, %v", version(view), current, err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := n.Get(impatient, slug); err == nil {
		t.Error("answered somebody who has no time")
	}
	mu.Lock()
	hidden = false
	mu.Unlock()
	if v := version(receive(t, "an answer", answer)); v != 2 {
		t.Errorf("answered version %d", v)
	}
}

func TestATableAheadOfTheTapeIsNotAppliedTwice(t *testing.T) {
	t.Parallel()
	n, slug, account := scene(t)
	for range 4 {
		n.buy(t, account, slug)
	}
	if v := version(n.get(t, slug)); v != 5 {
		t.Fatalf("version %d", v)
	}
	n.buy(t, account, slug)
	for seq := int64(2); seq <= 6; seq++ {
		n.bring(t, slug, seq)
	}
	n.same(t, slug)
	if reads := n.reads.Load(); reads != 1 {
		t.Errorf("%d reads", reads)
	}
}

func TestWhatDoesNotFollowIsReadAgain(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*tape.Event){
		"another hash before":   func(e *tape.Event) { e.Prev = make([]byte, 32) },
		"a hole":                func(e *tape.Event) { e.Seq++ },
		"an unknown kind":       func(e *tape.Event) { e.Kind = "renamed" },
		"a body without prices": func(e *tape.Event) { e.Body = `{"trade":{}}` },
		"no JSON":               func(e *tape.Event) { e.Body = `{` },
		"another outcome":       func(e *tape.Event) { e.Body = `{"status":"open","prices":{"a":"1","b":"0"}}` },
		"another event where memory is ahead": func(e *tape.Event) {
			e.Seq--
			e.Hash = make([]byte, 32)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, slug, account := scene(t)
			n.get(t, slug)
			n.buy(t, account, slug)
			e := n.event(t, slug, 2)
			spoil(&e)
			n.Publish(e)
			n.Reset(slug, n.event(t, slug, 2).Head())
			n.same(t, slug)
			if reads := n.reads.Load(); reads != 2 {
				t.Errorf("%d reads", reads)
			}
		})
	}
}

func TestAResetVoidsWhatIsBeingRead(t *testing.T) {
	t.Parallel()
	n, slug, account := scene(t)
	n.buy(t, account, slug)
	found, letGo := n.hold()
	answer := n.ask(t.Context(), slug)
	receive(t, "a read", found)
	n.buy(t, account, slug)
	n.Reset(slug, n.event(t, slug, 3).Head())
	close(letGo)
	if v := version(receive(t, "an answer", answer)); v != 3 {
		t.Errorf("answered version %d", v)
	}
}

func TestThoseWhoAskTogetherShareARead(t *testing.T) {
	t.Parallel()
	n, slug, _ := scene(t)
	found, letGo := n.hold()
	var answers []chan *state.View
	leaving, leave := context.WithCancel(t.Context())
	gone := n.ask(leaving, slug) // carries it out
	receive(t, "a read", found)
	for range 20 {
		answers = append(answers, n.ask(t.Context(), slug))
	}
	dbtest.WaitUntil(t, "all to ask", func() bool { return n.Waiting(slug) == 21 })
	leave()
	close(letGo)
	first := receive(t, "an answer", gone)
	for _, answer := range answers {
		if receive(t, "an answer", answer) != first {
			t.Error("answered by another read")
		}
	}
	if reads := n.reads.Load(); reads != 1 {
		t.Errorf("%d reads", reads)
	}
}

func TestWhileTheTapeIsNotLiveTheDatabaseAnswers(t *testing.T) {
	t.Parallel()
	n, slug, account := scene(t)
	n.get(t, slug)
	n.SetState(tape.Lost)
	n.buy(t, account, slug)
	if v := version(n.get(t, slug)); v != 2 {
		t.Fatalf("answered version %d from memory", v)
	}

	// Who asks during a read is not answered by it, but all of them by the next.
	found, letGo := n.hold()
	before := n.ask(t.Context(), slug)
	receive(t, "a read", found)
	n.buy(t, account, slug)
	var answers []chan *state.View
	for range 20 {
		answers = append(answers, n.ask(t.Context(), slug))
	}
	dbtest.WaitUntil(t, "all to ask", func() bool { return n.Waiting(slug) == 21 })
	close(letGo)
	if v := version(receive(t, "an answer", before)); v != 2 {
		t.Errorf("answered version %d", v)
	}
	for _, answer := range answers {
		if v := version(receive(t, "an answer", answer)); v != 3 {
			t.Errorf("answered version %d", v)
		}
	}
	if reads := n.reads.Load(); reads != 4 {
		t.Errorf("%d reads", reads)
	}
	if _, kept := n.Sizes(); kept != 0 {
		t.Errorf("%d markets kept", kept)
	}
}

func TestAFailedReadIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	n, slug, _ := scene(t)
	broken := state.Read(func(context.Context, string) (db.MarketState, error) {
		return db.MarketState{}, errors.New("broken")
	})
	n.read.Store(&broken)
	if _, err := n.Get(t.Context(), slug); err == nil || err.Error() != "broken" {
		t.Errorf("error %v", err)
	}
	n.read.Store(nil)
	n.same(t, slug)
}

func TestNamesOfNothingAreForgotten(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.SetState(tape.Live)
	for i := range 10 {
		if _, err := n.Get(t.Context(), fmt.Sprintf("none-%d", i)); db.CodeOf(err) != db.NotFound {
			t.Error(err)
		}
	}
	if known, _ := n.Sizes(); known != 0 {
		t.Errorf("%d names are kept", known)
	}
}

// TestMemoryIsBounded by time and number. What is read is a real market, under other names.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	real, err := n.MarketState(t.Context(), n.Market(t))
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		s := state.New(func(_ context.Context, slug string) (db.MarketState, error) {
			m := real
			m.Slug = slug
			return m, nil
		}, nil)
		s.SetState(tape.Live)
		get := func(slug string) {
			_, err := s.Get(t.Context(), slug)
			must(t, err)
		}
		get("first")
		get("second")
		for range 3 {
			time.Sleep(30 * time.Second)
			get("second")
		}
		get("third")
		if _, kept := s.Sizes(); kept != 2 {
			t.Errorf("%d markets kept of 2 that were asked for lately", kept)
		}
		for i := range state.KeepMost + 100 {
			get(fmt.Sprintf("m%d", i))
		}
		if _, kept := s.Sizes(); kept > state.KeepMost {
			t.Errorf("%d markets kept", kept)
		}
	})
}
