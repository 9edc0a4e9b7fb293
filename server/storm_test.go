package server

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAStormIsOverWhenNobodyComesAnyMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ends atomic.Int32
		s := storm{over: func() { ends.Add(1) }}
		come := func(n int) {
			for range n {
				s.arrive()
			}
		}
		after := func(d time.Duration, want int32) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := ends.Load(); got != want {
				t.Fatalf("%d storms have ended, want %d", got, want)
			}
		}
		come(stormSize - 1)
		after(time.Hour, 0) // there was none
		come(500)
		after(stormCalm/2, 0)
		come(1)
		after(stormCalm/2, 0)
		after(stormCalm, 1)
		come(stormSize - 1)
		after(time.Hour, 1)
		come(1)
		after(2*stormCalm, 2)
	})
}
