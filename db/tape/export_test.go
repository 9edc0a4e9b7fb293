package tape

import (
	"context"
	"time"
)

// StreamURL makes streams of a mode connect elsewhere than the table does.
func (r *Reader) StreamURL(of Mode, url string) {
	before := r.newStream
	r.newStream = func(mode Mode, usual string) stream {
		if mode == of {
			usual = url
		}
		return before(mode, usual)
	}
}

// Stall makes streams wait this long for a reader that takes nothing.
func (r *Reader) Stall(limit time.Duration) {
	r.newStream = func(mode Mode, url string) stream {
		return r.streamOf(mode, url, limit)
	}
}

// Skip makes streams from the WAL lose events, as a bug would.
func (r *Reader) Skip(lost func(Event) bool) {
	before := r.newStream
	r.newStream = func(mode Mode, url string) stream { return leaky{before(mode, url), lost} }
}

type leaky struct {
	stream
	lost func(Event) bool
}

func (l leaky) run(ctx context.Context, signals chan<- signal) error {
	all := make(chan signal)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for {
			select {
			case s := <-all:
				if s.event != nil && l.lost(*s.event) {
					continue
				}
				select {
				case signals <- s:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return l.stream.run(ctx, all)
}
