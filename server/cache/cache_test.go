package cache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/cache"
)

// query is one of which the test says what it does.
func query(name string, read func() (string, error), keys ...cache.Key) cache.Query[string] {
	return cache.Query[string]{Name: []string{name}, Keys: keys, Read: func(ctx context.Context, d *db.DB) (string, error) {
		if _, err := d.Categories(ctx); err != nil {
			return "", err
		}
		return read()
	}}
}

func says(text string) func() (string, error) { return func() (string, error) { return text, nil } }

// ask fails the test if a query is not answered like this.
func (n *node) ask(t *testing.T, q cache.Query[string], how cache.How, text string) cache.Found[string] {
	t.Helper()
	found, err := cache.Get(t.Context(), n.Cache, q)
	must(t, err)
	if found.How != how || found.Value != text {
		t.Fatalf("a %s: %q, want a %s: %q", found.How, found.Value, how, text)
	}
	return found
}

// live is a node of which the test is the tape.
func live(t *testing.T) *node {
	t.Helper()
	n := newNode(t, tape.WAL)
	n.SetState(tape.Live)
	return n
}

func event(market, kind, body string) tape.Event {
	return tape.Event{Market: market, Seq: 1, Kind: kind, Body: body}
}

func TestAnAnswerGoesWithWhatItDependsOn(t *testing.T) {
	t.Parallel()
	n := live(t)
	for _, tt := range []struct {
		event tape.Event
		goes  string // of market:rain, account:ana, markets, moves, house
	}{
		{event("rain", "trade", `{"trade":{"id":7,"account":"ana","outcome":"yes"`), "market:rain account:ana markets"},
		{event("snow", "trade", `{"trade":{"id":8,"account":"ben","outcome":"yes"`), "markets"},
		{event("rain", "commented", `{"commented":{"id":1,"account":"ana"`), "market:rain markets"},
		{event("snow", "resolved", `{"resolved":{}`), "markets moves"},
		{event("house", "account", `{"account":{"handle":"Ana","opening_grant":"5"}}`), "account:ana house"},
		{event("house", "grant", `{"grant":{"account":"ben","amount":"5"}}`), "house"},
		{event("snow", "trade", `something else`), "market:rain account:ana markets moves house"},
		{event("house", "?", `?`), "market:rain account:ana markets moves house"},
	} {
		keys := []cache.Key{cache.Market("rain"), cache.Account("ana"), cache.Markets, cache.Moves, cache.House}
		for _, k := range keys {
			n.ask(t, query(string(k), says("old"), k), cache.Miss, "old")
		}
		n.Cache.Publish(tt.event)
		for _, k := range keys {
			if slices.Contains(strings.Fields(tt.goes), string(k)) {
				n.ask(t, query(string(k), says("new"), k), cache.Miss, "new")
			} else {
				n.ask(t, query(string(k), says("new"), k), cache.Hit, "old")
			}
		}
		n.Forget()
	}
}

// What the functions write is read as it is meant.
func TestWhatTheFunctionsWriteHasItsKeys(t *testing.T) {
	t.Parallel()
	n := newNode(t, tape.WAL)
	account, slug := n.Account(t, "1000"), n.Market(t)
	_, err := n.GrantCredits(t.Context(), account, "5", "for a test")
	must(t, err)
	n.buy(t, account, slug)
	_, err = n.TradeBatch(t.Context(), slug, []db.Order{{Account: account, Outcome: "*", Side: "buy", Shares: "1", MaxCost: "2"}})
	must(t, err)
	_, err = n.DB.DB.Comment(t.Context(), db.NewComment{Market: slug, Body: `a "comment"`, Account: account})
	must(t, err)
	_, err = n.VoidMarket(t.Context(), slug, "over")
	must(t, err)
	got := map[string]string{}
	for _, tapeOf := range []string{"house", slug} {
		events, err := n.TapeAfter(t.Context(), tapeOf, "", 100)
		must(t, err)
		for _, e := range events {
			got[e.Kind] = fmt.Sprint(cache.KeysOf(e))
		}
	}
	of, by := "market:"+slug+" markets", "account:"+strings.ToLower(account)
	for kind, want := range map[string]string{
		"account": "[house " + by + "]", "grant": "[house " + by + "]", "created": "[" + of + " moves]",
		"trade": "[" + of + " " + by + "]", "commented": "[" + of + "]", "void": "[" + of + " moves]",
	} {
		if got[kind] != want {
			t.Errorf("%s has the keys %s, want %s", kind, got[kind], want)
		}
	}
}

func TestOneReadsForAll(t *testing.T) {
	t.Parallel()
	n := live(t)
	var reads atomic.Int64
	began, goOn := make(chan struct{}), make(chan struct{})
	q := query("slow", func() (string, error) {
		reads.Add(1)
		close(began)
		<-goOn
		return "it", nil
	}, cache.Markets)
	var asking sync.WaitGroup
	ask := func() {
		if found, err := cache.Get(t.Context(), n.Cache, q); err != nil || found.Value != "it" {
			t.Errorf("%+v, %v", found, err)
		}
	}
	asking.Go(ask)
	<-began
	for range 50 {
		asking.Go(ask)
	}
	impatient, leave := context.WithCancel(t.Context())
	leave()
	if _, err := cache.Get(impatient, n.Cache, q); !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves waits: %v", err)
	}
	close(goOn)
	asking.Wait()
	if s := n.Stats(); reads.Load() != 1 || s.Misses != 1 || s.Hits != 50 {
		t.Errorf("%d reads, %+v", reads.Load(), s)
	}
}

// Who asks after an event is not answered by what was being read before it.
func TestWhoAsksAfterAnEventIsNotAnsweredFromBeforeIt(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(*node){
		"read from the table":    func(n *node) { n.Cache.Publish(event("rain", "opened", "")) },
		"a write of this node's": func(n *node) { n.Wrote(cache.Market("rain")) },
		"another history":        func(n *node) { n.Cache.Reset("rain", tape.Head{}) },
		"no longer live":         func(n *node) { n.SetState(tape.CatchingUp); n.SetState(tape.Live) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := live(t)
			began, goOn := make(chan struct{}), make(chan struct{})
			var reads atomic.Int64
			q := query("rain", func() (string, error) {
				if reads.Add(1) == 1 {
					close(began)
					<-goOn
					return "old", nil
				}
				return "new", nil
			}, cache.Market("rain"))
			first := make(chan cache.Found[string], 1)
			go func() {
				found, _ := cache.Get(t.Context(), n.Cache, q)
				first <- found
			}()
			<-began
			happens(n)
			second := make(chan cache.Found[string], 1)
			go func() {
				found, _ := cache.Get(t.Context(), n.Cache, q)
				second <- found
			}()
			time.Sleep(10 * time.Millisecond) // most likely it waits by now
			close(goOn)
			if found := <-first; found.Value != "old" || found.How != cache.Bypass {
				t.Errorf("who asked before: %+v", found)
			}
			if found := <-second; found.Value != "new" || found.How == cache.Bypass {
				t.Errorf("who asked after: %+v", found)
			}
			n.ask(t, q, cache.Hit, "new")
		})
	}
}

func TestWhatIsNotLiveIsNotCached(t *testing.T) {
	t.Parallel()
	n := live(t)
	q := query("rain", says("it"), cache.Market("rain"))
	n.ask(t, q, cache.Miss, "it")
	for _, state := range []tape.State{tape.CatchingUp, tape.Lost} {
		n.SetState(state)
		n.ask(t, q, cache.Bypass, "it")
		n.ask(t, q, cache.Bypass, "it")
		if s := n.Stats(); s.Entries != 0 || s.Bytes != 0 {
			t.Errorf("%s: %+v", state, s)
		}
		n.SetState(tape.Live)
		n.ask(t, q, cache.Miss, "it")
		n.ask(t, q, cache.Hit, "it")
	}
}

func TestAnErrorIsNotKept(t *testing.T) {
	t.Parallel()
	n := live(t)
	refused := db.Errorf(db.NotFound, "there is none")
	for range 2 {
		_, err := cache.Get(t.Context(), n.Cache, query("none", func() (string, error) { return "", refused }, cache.Moves))
		if db.CodeOf(err) != db.NotFound {
			t.Errorf("%v", err)
		}
	}
	n.ask(t, query("none", says("made"), cache.Moves), cache.Miss, "made")
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	n := newNode(t, tape.WAL)
	n.Cache = cache.New(n.DB.DB, 1<<20)
	n.SetState(tape.Live)
	text := strings.Repeat("x", 10_000)
	for i := range 100 {
		n.ask(t, query(fmt.Sprint(i), says(text), cache.Moves, cache.Market(fmt.Sprint(i))), cache.Miss, text)
		n.ask(t, query("0", says(text), cache.Moves, cache.Market("0")), cache.Hit, text) // is used all the time
	}
	s := n.Stats()
	if s.Bytes > 1<<20 || s.Entries < 20 || s.Evicted != 100-s.Entries {
		t.Errorf("%+v", s)
	}
	n.ask(t, query("1", says(text), cache.Moves), cache.Miss, text)
	large := strings.Repeat("x", 100_000)
	n.ask(t, query("large", says(large), cache.Moves), cache.Miss, large)
	n.ask(t, query("large", says(large), cache.Moves), cache.Miss, large) // would be in everybody's way
	n.Cache.Publish(event("rain", "opened", ""))
	if s := n.Stats(); s.Entries != 0 || s.Bytes != 0 {
		t.Errorf("%+v is left", s)
	}
	off := cache.New(n.DB.DB, -1)
	off.SetState(tape.Live)
	if found, err := cache.Get(t.Context(), off, query("1", says("it"), cache.Moves)); err != nil || found.How != cache.Bypass {
		t.Errorf("%+v %v", found, err)
	}
}
