package password

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// wait puts somebody in a lane, and returns once it waits; the channel then hears how that ended.
func wait(t *testing.T, q *queue, lane Lane) <-chan error {
	t.Helper()
	before := q.count()
	ended := make(chan error, 1)
	go func() { ended <- q.take(InLane(t.Context(), lane)) }()
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

func (q *queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// turnsUntil gives turns until somebody has one.
func turnsUntil(q *queue, mine <-chan error) int {
	for turns := 1; turns < 10_000; turns++ {
		q.give()
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
	q := newQueue(1)
	if err := q.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 8 { // eight addresses with all that a lane holds, before anybody else
		for range laneLength {
			wait(t, q, Lane{Name: fmt.Sprint("attacker", n)})
		}
	}
	if err := q.take(InLane(t.Context(), Lane{Name: "attacker1"})); !errors.Is(err, ErrBusy) {
		t.Errorf("one more of an address: %v", err)
	}
	stranger, owner := wait(t, q, Lane{Name: "stranger"}), wait(t, q, Lane{Name: "owner", Known: true})
	if turns := turnsUntil(q, owner); turns < 1 || turns > 2 {
		t.Errorf("a device that is known has its turn as number %d", turns)
	}
	if turns := turnsUntil(q, stranger); turns < 1 || turns > 9 {
		t.Errorf("an address that is new has its turn as number %d", turns)
	}
}

func TestAFullQueueTakesWhoHasFewer(t *testing.T) {
	t.Parallel()
	q := newQueue(1)
	if err := q.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting := make([]<-chan error, maxWaiting)
	for n := range waiting {
		waiting[n] = wait(t, q, Lane{Name: fmt.Sprint("attacker", n/laneLength)})
	}
	stranger := make(chan error, 1)
	go func() { stranger <- q.take(InLane(t.Context(), Lane{Name: "stranger"})) }()
	if err := first(t, append(waiting, stranger)); !errors.Is(err, ErrBusy) || len(stranger) != 0 || q.count() != maxWaiting {
		t.Fatalf("%d wait, one hears %v, the newcomer is answered: %v", q.count(), err, len(stranger) != 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- q.take(InLane(ctx, Lane{Name: "leaver"})) }()
	cancel()
	if err := <-left; err == nil {
		t.Error("who has left has a turn")
	}
	given := 0
	for q.count() > 0 {
		q.give()
		given++
	}
	if given < maxWaiting-2 || given > maxWaiting {
		t.Errorf("%d turns, want one for each of %d", given, maxWaiting)
	}
	q.give()
	if err := q.take(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
