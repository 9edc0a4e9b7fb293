package tape

import "context"

// miss tells of events that the stream has left out, and goes over to a mode that is to be had.
func (s *session) miss(ctx context.Context, found int64) error {
	s.missed = true
	s.count(s.now) // at once: what follows asks the database
	var mode Mode
	var why string
	err := s.table.ask(ctx, func(ctx context.Context) (err error) {
		mode, why, err = Choose(ctx, s.table.conn, s.options.Mode)
		return err
	})
	if err != nil {
		why = err.Error()
	}
	s.options.Log.Warn("events had to be read from the table that the stream did not carry",
		"events", found, "mode", s.now.mode, "now", mode, "why", why)
	if err != nil {
		s.chose(s.now.mode, why) // which was asked for, so there is no other
		return nil
	}
	if mode == Notify && s.now.mode == WAL {
		s.setState(CatchingUp)
		s.now.close()
		s.now, s.next, s.held, s.missed = nil, nil, held{}, false
		s.mode, s.why = mode, why
		s.chose(mode, why)
		s.release(ctx, s.table)
	}
	return nil
}
