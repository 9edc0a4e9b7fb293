package tape

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pgtape/pgtape/db/hosts"
)

// session is one connection to the table, and the streams beside it. It is the one place from which
// the sink is called while there is a connection.
type session struct {
	*Reader
	table backlog

	mode Mode   // of the stream to open
	why  string // this mode
	now  *source
	next *source // the WAL, being opened while a doorbell delivers; nil: it is not

	pulse pulse // of now
	held  held  // what now has brought, and others cannot see yet

	// missed says that the stream has left out what the table has, and has carried nothing since.
	missed bool

	over   bool      // more doorbells have rung than were answered
	overAt time.Time // when that was last made good

	openAt    time.Time // when now may be opened
	recheckAt time.Time // when next may be
}

// run delivers until the connection or the stream breaks.
func (s *session) run(ctx context.Context) (err error) {
	if err := s.identify(ctx); err != nil {
		return err
	}
	s.release(ctx, s.table)
	if s.mode, s.why, err = s.choose(ctx, s.table); err != nil {
		return err
	}
	s.connected(s.mode, s.why)
	s.setState(CatchingUp)
	if err := s.start(ctx, s.table); err != nil {
		return err
	}
	tick := time.NewTicker(s.options.Probe / 4)
	defer tick.Stop()
	for err = s.tick(ctx); ; err = s.await(ctx, tick.C) {
		if errors.Is(err, errGivenUp) {
			s.giveUp(ctx, err)
		} else if err != nil {
			return err
		}
		s.rate()
		s.count(s.now)
	}
}

// rate says how the reader is doing. What comes only because the table is compared is late.
func (s *session) rate() {
	switch {
	case !s.now.isReady():
	case s.missed:
		s.setState(CatchingUp)
	default:
		s.judge()
	}
}

// identify learns to what server the connection is, and refuses a primary of before.
func (s *session) identify(ctx context.Context) error {
	var standby, synchronous bool
	err := s.table.row(ctx, []any{&standby, &synchronous},
		"select pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('synchronous_standby_names') <> ''")
	if err != nil {
		return fmt.Errorf("asking the server what it is: %w", err)
	}
	if standby {
		s.options.Servers.Forget()
		return hosts.ErrStandby
	}
	s.options.Servers.SetSynchronous(synchronous)
	var timeline string
	s.timeline = 0
	if err := s.table.row(ctx, []any{&timeline}, "select "+hosts.Timeline); err == nil {
		s.timeline = hosts.ParseTimeline(timeline)
	}
	return s.options.Servers.Use(s.timeline)
}

// await deals with the next thing that happens.
func (s *session) await(ctx context.Context, tick <-chan time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case sig := <-s.now.said():
		defer func() { s.pulse.heard = time.Now() }()
		return s.take(ctx, sig)
	case <-s.next.said(): // nothing but that it is ready
		return s.change(ctx)
	case broken := <-s.now.brokenBy():
		return s.lose(broken)
	case broken := <-s.next.brokenBy():
		s.forgo(broken)
		return nil
	case <-s.held.again:
		return s.letGo(ctx)
	case <-tick:
		return s.tick(ctx)
	}
}

// take takes a signal of the stream that is delivered from.
func (s *session) take(ctx context.Context, sig signal) error {
	switch {
	case sig.event != nil:
		if !s.options.Early && s.options.Servers.Synchronous() || len(s.held.events) > 0 {
			return s.hold(ctx, *sig.event)
		}
		return s.carried(ctx, func() error { return s.accept(ctx, s.table, *sig.event) })
	case sig.bells != nil:
		return s.rung(ctx, sig.bells)
	case sig.alive != "":
		return s.alive(ctx, sig.alive)
	case sig.ready:
		return s.begin(ctx)
	}
	return nil
}

// rung answers all doorbells that have rung. What was too much for that is looked for in the table,
// though not all the time.
func (s *session) rung(ctx context.Context, b *bells) error {
	rung, over := b.take()
	return s.carried(ctx, func() error {
		more, err := s.answer(ctx, s.table, rung)
		s.over = s.over || over || more
		return err
	})
}

// begin goes over from the table to a stream that misses nothing from now on.
func (s *session) begin(ctx context.Context) error {
	if _, err := s.pass(ctx); err != nil {
		return err
	}
	s.now.ready = time.Now()
	s.pulse = newPulse(s.options.Probe, s.limit, s.options.Reconcile)
	s.pulse.synchronous = s.options.Servers.Synchronous()
	if s.now.mode == WAL {
		s.failures = 0
	}
	s.recheckAt = time.Now().Add(s.options.Recheck)
	return nil
}

// alive takes a sign of life that has come back.
func (s *session) alive(ctx context.Context, id string) error {
	audit, ok := s.pulse.received(id)
	if !ok {
		return nil
	}
	s.answered(s.pulse.sent)
	s.options.Servers.Alive()
	if err := s.letGo(ctx); err != nil || audit == nil {
		return err
	}
	return s.carried(ctx, func() error { return s.reconcile(ctx, s.table, audit) })
}

// carried does what delivers events, and looks whether some of them had to be read from the table
// that the stream should have carried. Then nobody knows that it carries anything: that is told, and
// the mode chosen again, as the publication may have been changed.
func (s *session) carried(ctx context.Context, deliver func() error) error {
	delivered, before := s.delivered, s.reconciled
	if err := deliver(); err != nil {
		return err
	}
	found := s.reconciled - before
	if found == 0 {
		s.missed = s.missed && s.delivered == delivered
		return nil
	}
	return s.miss(ctx, found)
}

// tick does what is due. Before the stream is ready, the table is polled.
func (s *session) tick(ctx context.Context) error {
	if !s.now.isReady() {
		took, err := s.pass(ctx)
		if err != nil {
			return err
		}
		// A slot is opened when little is left to catch up: it keeps WAL from then on.
		if s.now == nil && took < s.limit && !time.Now().Before(s.openAt) {
			s.now = s.open(ctx, s.mode, s.why)
		}
		return s.look(ctx)
	}
	if err := s.pulse.send(ctx, s.now, s.table, &s.follower, len(s.now.signals) > 0); err != nil {
		return err
	}
	s.options.Servers.SetSynchronous(s.pulse.synchronous)
	if s.over && time.Since(s.overAt) > s.options.Reconcile/2 {
		s.over, s.overAt = false, time.Now()
		if _, err := s.pass(ctx); err != nil {
			return err
		}
	}
	if s.pulse.waiting {
		s.asked(s.pulse.sent)
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	return s.recheck(ctx)
}

// pass delivers all that the table has.
func (s *session) pass(ctx context.Context) (took time.Duration, err error) {
	began := time.Now()
	s.asked(began)
	if err := s.catchUp(ctx, s.table); err != nil {
		return 0, err
	}
	s.answered(began)
	return time.Since(began), nil
}

// turned does what cannot wait until a long reading of the table has ended.
func (s *session) turned(ctx context.Context) error {
	s.count(s.now)
	s.rate()
	return s.look(ctx)
}

// look asks, every now and then, what the server keeps for our slots.
func (s *session) look(ctx context.Context) error {
	if s.next != nil && time.Since(s.next.watched.at) >= s.options.Reconcile {
		err := s.next.look(ctx, s.table, s.options.MaxRetained)
		if errors.Is(err, errGivenUp) {
			s.forgo(err)
			err = nil
		}
		if err != nil {
			return err
		}
	}
	if s.now == nil || time.Since(s.now.watched.at) < s.options.Reconcile {
		return nil
	}
	return s.now.look(ctx, s.table, s.options.MaxRetained)
}

// lose says what follows from a stream that has ended.
func (s *session) lose(broken error) error {
	if s.now.mode == WAL && !s.now.isReady() {
		s.failures, s.failure = s.failures+1, broken
	}
	return broken
}

// Pauses before a slot that was given up is made again. In between the table is read.
const (
	firstRest = time.Second
	longRest  = time.Minute
)

// giveUp lets the slot go, and with it the WAL: the table has it all.
func (s *session) giveUp(ctx context.Context, why error) {
	s.setState(CatchingUp)
	s.rest = min(max(2*s.rest, firstRest), longRest)
	if ready := s.now.ready; !ready.IsZero() && time.Since(ready) > longRest {
		s.rest = firstRest
	}
	s.openAt = time.Now().Add(s.rest)
	s.options.Log.Warn("stream given up; reading the table", "why", why, "again_in", s.rest)
	s.now.close()
	s.now, s.held = nil, held{}
	s.drops++
	s.release(ctx, s.table)
}

// recheck opens the WAL beside the doorbell, if it can be had by now and the mode is ours to choose.
func (s *session) recheck(ctx context.Context) error {
	if s.options.Mode != Auto || s.now.mode != Notify || s.next != nil || time.Now().Before(s.recheckAt) {
		return nil
	}
	s.recheckAt = time.Now().Add(s.options.Recheck)
	var mode Mode
	var why string
	err := s.table.ask(ctx, func(ctx context.Context) (err error) {
		mode, why, err = Choose(ctx, s.table.conn, Auto)
		return err
	})
	if err != nil {
		return err
	}
	if mode == WAL {
		s.next = s.open(ctx, mode, why)
	} else {
		s.chose(mode, why)
	}
	return nil
}

// change goes over from the doorbell to the WAL, which is ready.
func (s *session) change(ctx context.Context) error {
	before := s.now
	s.now, s.next = s.next, nil
	s.mode, s.why = s.now.mode, s.now.why
	s.chose(s.mode, s.why)
	before.close()
	return s.begin(ctx)
}

// forgo goes on by the doorbell: the WAL could not be opened.
func (s *session) forgo(why error) {
	s.next.close()
	s.next = nil
	s.recheckAt = time.Now().Add(s.options.Recheck)
	s.chose(Notify, fmt.Sprintf("the WAL could not be opened: %v", why))
}
