package hosts

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// What a pool behind a pooler cannot see, it hears from the servers of the tape reader.
func TestServersThatFollowOthersHearWhatTheyHear(t *testing.T) {
	t.Parallel()
	reader, pool := New("postgres://one,two/d"), New("postgres://pooler/d")
	reader.SetSynchronous(true)
	var replaced []uint32
	lost := 0
	pool.WhenReplaced(func(timeline uint32) { replaced = append(replaced, timeline) })
	pool.WhenLost(func() { lost++ })
	pool.Follow(reader)
	if !pool.Synchronous() {
		t.Error("it does not hear what was known before")
	}
	reader.SetSynchronous(false)
	if pool.Synchronous() {
		t.Error("it does not hear that commits wait no more")
	}
	for _, timeline := range []uint32{1, 2, 2} {
		if err := reader.Use(timeline); err != nil {
			t.Fatal(err)
		}
	}
	reader.Lost()
	if len(replaced) != 1 || replaced[0] != 2 || lost != 1 {
		t.Errorf("told of timelines %v and of %d losses, want 2 and one", replaced, lost)
	}
	if err := pool.Use(1); !errors.Is(err, ErrOld) {
		t.Errorf("a primary of before: %v", err)
	}
}

// All names are looked up at once; and once a server has been chosen, its own alone.
func TestANameThatHangsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	config, err := pgconn.ParseConfig("postgres://hangs,answers/d?sslmode=disable&connect_timeout=60")
	if err != nil {
		t.Fatal(err)
	}
	other := make(chan struct{})
	config.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		if host == "answers" {
			close(other) // a second time would panic
			return []string{"127.0.0.1"}, nil
		}
		select {
		case <-other:
			return []string{"127.0.0.2"}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	all := spread(t.Context(), config, named(config))
	if len(all) != 2 || t.Context().Err() != nil {
		t.Fatalf("found %v", all)
	}

	s := New("postgres://hangs,answers/d")
	s.chosen = all[1].key
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) {
		if host != "answers" {
			t.Errorf("%s is looked up, though another has been chosen", host)
		}
		return []string{"127.0.0.1"}, nil
	}
	soon, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if key, err := s.choose(soon, config); err != nil || key != all[1].key || config.Host != "answers" || len(config.Fallbacks) != 0 {
		t.Errorf("chose %s, %s (%v)", key, config.Host, err)
	}
}
