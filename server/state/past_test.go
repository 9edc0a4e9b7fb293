package state_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

func TestHistoryFromMemoryIsTheDatabases(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	slug, account := n.Market(t), n.Account(t, "1000")
	for range 30 {
		n.buy(t, account, slug)
	}
	n.follow(t)
	n.same(t, slug)
	m, _ := n.stored(t, slug)
	compare := func() {
		t.Helper()
		n.same(t, slug)
		life := time.Since(m.CreatedAt)
		moment := func() *time.Time {
			at := m.CreatedAt.Add(time.Duration((rand.Float64()*1.4 - 0.2) * float64(life))).Truncate(time.Microsecond)
			return &at
		}
		for _, points := range []int{2, 3, 10, 500, 5000} {
			for range 20 {
				since, until := moment(), moment()
				switch rand.IntN(4) {
				case 0:
					since = nil
				case 1:
					at := n.event(t, slug, 1+rand.Int64N(30)).At // on the microsecond
					since = &at
				}
				got, ok := n.History(t.Context(), &m, since, until, points)
				want, err := n.DB.DB.History(t.Context(), slug, since, until, points)
				must(t, err)
				if a, b := text(t, got), text(t, want); !ok || a != b {
					t.Fatalf("remembered %v, from %v to %v, %d points:\nin memory       %s\nin the database %s", ok, since, until, points, a, b)
				}
			}
		}
	}
	compare()
	for range 20 {
		n.buy(t, account, slug)
	}
	compare()
	_, err := n.HaltMarket(t.Context(), slug, "because")
	must(t, err)
	compare()
	if pages := n.pages.Load(); pages != 1 {
		t.Errorf("%d pages read, want 1", pages)
	}
	got, ok := n.History(t.Context(), &m, nil, nil, 500)
	if !ok || len(got) == 0 || got[len(got)-1].Seq != 52 {
		t.Errorf("the whole life: %v %s", ok, text(t, got))
	}
}

func TestNoHistoryWithoutALiveTape(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	slug := n.Market(t)
	m, _ := n.stored(t, slug)
	if _, ok := n.History(t.Context(), &m, nil, nil, 10); ok {
		t.Error("remembered without a tape")
	}
	n.follow(t)
	n.same(t, slug)
	if _, ok := n.History(t.Context(), &m, nil, nil, 10); !ok {
		t.Error("not remembered")
	}
	n.SetState(tape.CatchingUp)
	if _, ok := n.History(t.Context(), &m, nil, nil, 10); ok {
		t.Error("remembered while the tape is late")
	}
	if _, ok := n.History(t.Context(), &db.Market{Slug: "nowhere"}, nil, nil, 10); ok {
		t.Error("remembered of no market")
	}
}

// TestPastsAreFew: no more are kept than there is room for, and those of dropped markets make room.
func TestPastsAreFew(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.follow(t)
	var markets []db.Market
	for range 3 {
		slug := n.Market(t)
		n.same(t, slug)
		m, _ := n.stored(t, slug)
		markets = append(markets, m)
	}
	n.SetPasts(2)
	for i, want := range []bool{true, true, false} {
		if _, ok := n.History(t.Context(), &markets[i], nil, nil, 10); ok != want {
			t.Errorf("market %d: %v", i, ok)
		}
	}
	n.Forget(markets[0].Slug)
	if _, ok := n.History(t.Context(), &markets[2], nil, nil, 10); !ok {
		t.Error("no room was made")
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	encoded, err := json.Marshal(v)
	must(t, err)
	return string(encoded)
}
