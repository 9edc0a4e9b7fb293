package tape

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// signal is what a stream tells the reader.
type signal struct {
	event *Event // a committed event, from the WAL
	bells *bells // something was committed in some markets
	alive string // a probe that has come back
	ready bool   // from now on nothing is missed
}

// stream tells of commits in one mode. run sends to signals until ctx ends or the stream breaks;
// probe sends a sign of life that comes back as signal.alive; the server tells with it whether commits
// wait for standbys.
type stream interface {
	run(ctx context.Context, signals chan<- signal) error
	probe(ctx context.Context, table *pgx.Conn, id string) (synchronous bool, err error)
}

// errGivenUp is a stream that we let go because the server keeps too much for it: the table has it all.
var errGivenUp = errors.New("stream given up")

// stallLimit is how long a stream waits for a reader that takes nothing. Meanwhile the server keeps
// what comes behind.
const stallLimit = 10 * time.Second

// hand gives the reader a signal. While it has to wait, the server hears from us: meanwhile is
// called every second.
func hand(ctx context.Context, signals chan<- signal, s signal, limit time.Duration, meanwhile func(context.Context) error) error {
	select {
	case signals <- s:
		return nil
	default:
	}
	stalled := time.NewTimer(limit)
	defer stalled.Stop()
	confirm := time.NewTicker(confirmEvery)
	defer confirm.Stop()
	for {
		select {
		case signals <- s:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-stalled.C:
			return fmt.Errorf("%w: nothing was taken from it for %v", errGivenUp, limit)
		case <-confirm.C:
			if err := meanwhile(ctx); err != nil {
				return err
			}
		}
	}
}

// source is a stream at work in a goroutine of its own.
type source struct {
	stream
	mode    Mode
	why     string
	signals chan signal
	broken  chan error // how the stream ended
	ended   chan struct{}
	cancel  context.CancelFunc

	opened  time.Time
	ready   time.Time // since when nothing is missed; zero: not yet
	watched watch
}

// ahead is how many signals a stream may be ahead of the reader. What comes behind waits in the
// database.
const ahead = 256

func open(ctx context.Context, st stream, mode Mode, why string) *source {
	ctx, cancel := context.WithCancel(ctx)
	s := &source{
		stream: st, mode: mode, why: why, cancel: cancel, opened: time.Now(),
		signals: make(chan signal, ahead), broken: make(chan error, 1), ended: make(chan struct{}),
	}
	go func() {
		defer close(s.ended)
		s.broken <- st.run(ctx, s.signals)
	}()
	return s
}

// close ends the stream; nil is none.
func (s *source) close() {
	if s != nil {
		s.cancel()
		<-s.ended
	}
}

func (s *source) isReady() bool { return s != nil && !s.ready.IsZero() }

// said and brokenBy are the channels of a source; of none, they never have anything.
func (s *source) said() <-chan signal {
	if s == nil {
		return nil
	}
	return s.signals
}

func (s *source) brokenBy() <-chan error {
	if s == nil {
		return nil
	}
	return s.broken
}
