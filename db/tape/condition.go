package tape

import (
	"sync"
	"time"
)

// condition is how the reader is doing, for all to see.
type condition struct {
	limit time.Duration // of how late is still live

	mu     sync.Mutex
	status Status
	// since is when what has not been answered yet was asked: a probe, or all that the table has.
	// In the future: when the next question is overdue.
	since time.Time
}

// Status tells how the reader is doing.
func (r *Reader) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	status := r.status
	status.Lag = max(status.Lag, time.Since(r.since))
	if status.State == Live && status.Lag > r.limit {
		status.State = CatchingUp
	}
	return status
}

// asked notes that an answer is waited for, which will say that all before it has arrived.
func (r *Reader) asked(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.Before(r.since) {
		r.since = at
	}
}

// answered notes that all has arrived that had been committed at a time.
func (r *Reader) answered(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.status.Lag = now.Sub(at)
	r.since = now.Add(2 * r.options.Probe)
}

// judge sets the state of a reader whose source is ready: to be later than the limit is to catch up,
// and it takes half of it to be live again, so that the state does not flap.
func (r *Reader) judge() {
	switch lag := r.Status().Lag; {
	case lag > r.limit:
		r.setState(CatchingUp)
	case lag <= r.limit/2:
		r.setState(Live)
		r.patience = r.limit
	}
}

func (r *Reader) setState(state State) {
	r.mu.Lock()
	changed := r.status.State != state
	r.status.State = state
	r.mu.Unlock()
	if state == Lost {
		r.asked(time.Now()) // the question whether it is back
	}
	if changed {
		r.options.Log.Info("tape reader", "state", state)
		r.sink.SetState(state)
	}
}

// connected notes that the source was opened, in a mode.
func (r *Reader) connected(mode Mode, why string) {
	r.chose(mode, why)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Connects++
}

func (r *Reader) chose(mode Mode, why string) {
	r.mu.Lock()
	changed := r.status.Mode != mode || r.status.Why != why
	r.status.Mode, r.status.Why = mode, why
	r.mu.Unlock()
	if changed {
		r.options.Log.Info("reading the tape", "mode", mode, "why", why)
	}
}

// count shows what has been counted.
func (r *Reader) count(s *source) {
	var w watch
	if s != nil {
		w = s.watched
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Delivered, r.status.Reconciled, r.status.Resets = r.delivered, r.reconciled, r.resets
	r.status.Retained, r.status.WALStatus, r.status.SlotDrops = w.retained, w.status, r.drops
}
