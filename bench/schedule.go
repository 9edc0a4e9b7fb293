package bench

import (
	"context"
	"sync/atomic"
	"time"
)

// Schedule says when the next request is due. With a rate it is an open loop: requests are due when
// they are due, whatever became of those before, and one that is sent late, since everybody was
// waiting for answers, is measured from when it was due. Without, whoever has an answer asks again.
type Schedule struct {
	start  time.Time
	rate   float64 // per second
	issued atomic.Int64
}

// NewSchedule begins now. A rate of 0 is a closed loop.
func NewSchedule(rate float64) *Schedule { return &Schedule{start: time.Now(), rate: rate} }

// Next waits until a request is due; not ok when ctx has ended.
func (s *Schedule) Next(ctx context.Context) (due time.Time, ok bool) {
	if s.rate == 0 {
		return time.Now(), ctx.Err() == nil
	}
	n := s.issued.Add(1) - 1
	due = s.start.Add(time.Duration(float64(n) / s.rate * float64(time.Second)))
	return due, wait(ctx, time.Until(due))
}

// wait is false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
