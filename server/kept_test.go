package server

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestWhatIsKeptIsFoundOutOnceForAllWhoWait(t *testing.T) {
	t.Parallel()
	k := kept[int64]{life: time.Hour}
	var found atomic.Int64
	free := make(chan struct{})
	find := func() (int64, error) {
		<-free
		return found.Add(1), nil
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if n, err := k.get(find); n != 1 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
		})
	}
	close(free)
	wait.Wait()
	k.drop()
	if n, err := k.get(func() (int64, error) { return 0, errors.New("why") }); err == nil {
		t.Errorf("got %d, want why not", n)
	}
	if n, _ := k.get(find); n != 2 {
		t.Errorf("got %d after it was dropped, and an error", n)
	}
}

func TestWhatIsKeptIsGivenWhileItIsFoundOutAnew(t *testing.T) {
	t.Parallel()
	k := kept[int]{life: time.Nanosecond}
	if n, _ := k.get(func() (int, error) { return 1, nil }); n != 1 {
		t.Fatalf("got %d", n)
	}
	k.took, k.at = 0, time.Now().Add(-time.Hour) // it is old
	n, err := k.get(func() (int, error) {
		return k.get(nil) // somebody else, meanwhile
	})
	if n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestWilsonIsWhatTheBooksSay(t *testing.T) {
	t.Parallel()
	tests := []struct{ share, n, low, high float64 }{
		{0.1, 10, 0.0179, 0.4042}, // Newcombe 1998: 1 of 10 gives .0179 to .4042
		{0, 10, 0, 0.2775},
		{1, 10, 0.7225, 1},
	}
	for _, tt := range tests {
		low, high := wilson(tt.share, tt.n)
		if low < tt.low-1e-4 || low > tt.low+1e-4 || high < tt.high-1e-4 || high > tt.high+1e-4 {
			t.Errorf("%v of %v: %.4f to %.4f, want %.4f to %.4f", tt.share, tt.n, low, high, tt.low, tt.high)
		}
	}
}
