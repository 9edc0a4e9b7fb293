package server

import (
	"sync"
	"time"
)

// kept is what takes long to find out, and may be a little old: for its life, or, where that is more,
// for twenty times as long as it took. One request at a time finds it out again; those that come
// meanwhile take what there is.
type kept[T any] struct {
	life time.Duration

	mu    sync.Mutex
	value T
	at    time.Time     // zero: nothing yet, or withdrawn
	took  time.Duration // to find it out
	busy  chan struct{} // closed when who finds it out is done; nil: nobody does
}

// get returns what is kept, or has it found out.
func (k *kept[T]) get(find func() (T, error)) (T, error) {
	for {
		k.mu.Lock()
		fresh, busy := time.Since(k.at) < max(k.life, 20*k.took), k.busy
		if fresh || busy != nil && !k.at.IsZero() {
			defer k.mu.Unlock()
			return k.value, nil
		}
		if busy == nil {
			k.busy = make(chan struct{})
			k.mu.Unlock()
			return k.fill(find)
		}
		k.mu.Unlock()
		<-busy
	}
}

func (k *kept[T]) fill(find func() (T, error)) (value T, err error) {
	start := time.Now()
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			k.value, k.at, k.took = value, start, time.Since(start)
		}
		close(k.busy)
		k.busy = nil
	}()
	return find()
}

// drop withdraws what is kept.
func (k *kept[T]) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = time.Time{}
}
