package fairqueue

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// Bounds of the queues below.
const (
	ofEach = 8
	inAll  = 512
)

// wait has somebody wait, and returns once it waits; the channel then hears how that ended.
func wait(t *testing.T, q *Queue, client Client) <-chan error {
	t.Helper()
	before := q.count()
	ended := make(chan error, 1)
	go func() { ended <- q.Take(WithClient(t.Context(), client)) }()
	for deadline := time.Now().Add(10 * time.Second); len(ended) == 0 && q.count() == before; {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits")
		}
		time.Sleep(time.Millisecond)
	}
	return ended
}

// first is how the first of some ends.
func first(t *testing.T, some []<-chan error) error {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, ended := range some {
			select {
			case err := <-ended:
				return err
			default:
			}
		}
	}
	t.Fatal("nobody is answered")
	return nil
}

func (q *Queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// turnsUntil gives turns until somebody has one.
func turnsUntil(q *Queue, mine <-chan error) int {
	for turns := 1; turns < 10_000; turns++ {
		q.Give()
		select {
		case <-mine:
			return turns
		case <-time.After(5 * time.Millisecond):
		}
	}
	return -1
}

func TestTurnsGoRoundAmongAddresses(t *testing.T) {
	t.Parallel()
	q := New(Options{AtOnce: 1, Each: ofEach, All: inAll})
	if err := q.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 8 { // eight addresses with all that may wait of one, before anybody else
		for range ofEach {
			wait(t, q, Client{Name: fmt.Sprint("attacker", n)})
		}
	}
	if err := q.Take(WithClient(t.Context(), Client{Name: "attacker1"})); !errors.Is(err, ErrBusy) {
		t.Errorf("one more of an address: %v", err)
	}
	stranger, owner := wait(t, q, Client{Name: "stranger"}), wait(t, q, Client{Name: "owner", Known: true})
	if turns := turnsUntil(q, owner); turns < 1 || turns > 2 {
		t.Errorf("a device that is known has its turn as number %d", turns)
	}
	if turns := turnsUntil(q, stranger); turns < 1 || turns > 9 {
		t.Errorf("an address that is new has its turn as number %d", turns)
	}
}

func TestAFullQueueTakesWhoHasFewer(t *testing.T) {
	t.Parallel()
	q := New(Options{AtOnce: 1, Each: ofEach, All: inAll})
	if err := q.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting := make([]<-chan error, inAll)
	for n := range waiting {
		waiting[n] = wait(t, q, Client{Name: fmt.Sprint("attacker", n/ofEach)})
	}
	stranger := make(chan error, 1)
	go func() { stranger <- q.Take(WithClient(t.Context(), Client{Name: "stranger"})) }()
	if err := first(t, append(waiting, stranger)); !errors.Is(err, ErrBusy) || len(stranger) != 0 || q.count() != inAll {
		t.Fatalf("%d wait, one hears %v, the newcomer is answered: %v", q.count(), err, len(stranger) != 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- q.Take(WithClient(ctx, Client{Name: "leaver"})) }()
	cancel()
	if err := <-left; err == nil {
		t.Error("who has left has a turn")
	}
	given := 0
	for q.count() > 0 {
		q.Give()
		given++
	}
	if given < inAll-2 || given > inAll {
		t.Errorf("%d turns, want one for each of %d", given, inAll)
	}
	q.Give()
	if err := q.Take(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
