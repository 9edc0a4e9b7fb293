package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// NoServer is told when none of the servers of a URL will do, and why.
type NoServer struct {
	Servers []string // each with its reason
	causes  []error
}

func (e *NoServer) Error() string {
	return "no server of the database URL will do: " + strings.Join(e.Servers, "; ")
}

// Unwrap gives what each server has said.
func (e *NoServer) Unwrap() []error { return e.causes }

// finding is a search that is under way; all who connect meanwhile wait for it.
type finding struct {
	done chan struct{}
	key  string
	err  error
}

// choose narrows a configuration to one server: the one that has answered last, or else the best of
// all. With one server there is nothing to choose.
func (s *Servers) choose(ctx context.Context, config *pgconn.Config) (key string, err error) {
	named := named(config)
	if c, ok := s.known(ctx, config, named); ok {
		c.only(config)
		return c.key, nil
	}
	all := spread(ctx, config, named)
	if len(all) == 1 {
		return all[0].key, nil
	}
	for {
		s.mu.Lock()
		if i := slices.IndexFunc(all, func(c candidate) bool { return c.key == s.chosen }); i >= 0 {
			s.mu.Unlock()
			all[i].only(config)
			return all[i].key, nil
		}
		f := s.finding
		if f == nil {
			f = &finding{done: make(chan struct{})}
			s.finding = f
			go s.find(context.WithoutCancel(ctx), f, config.Copy(), all)
		}
		s.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if f.err != nil {
			return "", f.err
		}
		if i := slices.IndexFunc(all, func(c candidate) bool { return c.key == f.key }); i >= 0 {
			all[i].only(config)
			return f.key, nil
		}
	}
}

// known is the server that has answered last, for which no name but its own is looked up.
func (s *Servers) known(ctx context.Context, config *pgconn.Config, named []candidate) (candidate, bool) {
	s.mu.Lock()
	chosen := s.chosen
	s.mu.Unlock()
	if len(named) == 1 || chosen == "" {
		return candidate{}, false
	}
	for _, c := range named {
		if c.key != chosen && !strings.HasPrefix(chosen, c.key+" (") {
			continue
		}
		for _, c := range c.addresses(ctx, config) {
			if c.key == chosen {
				return c, true
			}
		}
	}
	return candidate{}, false
}

// found is what a server has said of itself.
type found struct {
	candidate
	place    int // in the URL
	recovery bool
	readOnly bool
	timeline uint32
	took     time.Duration
	err      error
}

// laterAnswers is how long the other servers are waited for when one will do: of two primaries the
// newer is wanted, and of two alike the one that the URL names first.
const laterAnswers = 200 * time.Millisecond

// find asks all servers at once. One that hangs is waited for only as long as no other will do.
func (s *Servers) find(ctx context.Context, f *finding, config *pgconn.Config, all []candidate) {
	ctx, cancel := context.WithTimeout(ctx, config.ConnectTimeout)
	defer cancel()
	answers := make(chan found, len(all))
	for i, c := range all {
		go func() { answers <- ask(ctx, config, c, i) }()
	}
	var heard []found
	for enough := (<-chan time.Time)(nil); len(heard) < len(all); {
		select {
		case a := <-answers:
			heard = append(heard, a)
			if a.err == nil && !a.recovery && enough == nil {
				enough = time.After(laterAnswers)
			}
			continue
		case <-enough:
		}
		break
	}
	best, err := s.best(heard)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.err = err; err == nil {
		f.key, s.chosen = best.key, best.key
	}
	s.learn(best.took, err)
	s.finding = nil
	close(f.done)
}

// best is a server that takes writes, of the newest timeline. One that is read-only by its settings
// is taken if there is no other; a standby, if the URL says that it may be one.
func (s *Servers) best(heard []found) (found, error) {
	var fit []found
	e := &NoServer{}
	for _, a := range heard {
		switch {
		case a.err != nil:
			e.add(a, reason(a.err))
			e.causes = append(e.causes, a.err)
		case a.recovery && !s.stated && !s.once:
			e.add(a, "a standby (in recovery)")
			e.causes = append(e.causes, ErrStandby)
		default:
			if err := s.Fit(a.timeline); err != nil {
				e.add(a, err.Error())
				e.causes = append(e.causes, err)
				continue
			}
			fit = append(fit, a)
		}
	}
	if len(fit) == 0 {
		return found{}, e
	}
	return slices.MinFunc(fit, func(a, b found) int {
		return cmp.Or(order(a.recovery, b.recovery), order(a.readOnly, b.readOnly),
			-cmp.Compare(a.timeline, b.timeline), cmp.Compare(a.place, b.place))
	}), nil
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (e *NoServer) add(a found, why string) { e.Servers = append(e.Servers, a.key+": "+why) }

// reason is the short form of why a connection was not made.
func reason(err error) string {
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		return pg.Message
	case timedOut(err):
		return "no answer in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// ask connects to a server, and asks what it is.
func ask(ctx context.Context, config *pgconn.Config, c candidate, place int) (a found) {
	began := time.Now()
	a = found{candidate: c, place: place}
	defer func() { a.took = time.Since(began) }()
	config = config.Copy()
	c.only(config)
	config.ValidateConnect, config.AfterConnect = nil, nil
	params := config.RuntimeParams
	config.RuntimeParams = map[string]string{"application_name": "pgtape"}
	if options, ok := params["options"]; ok { // by which some proxies know where to go
		config.RuntimeParams["options"] = options
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		a.err = err
		return a
	}
	defer conn.Close(ctx)
	a.recovery, a.readOnly, a.timeline, a.err = state(ctx, conn)
	return a
}

// state is what a server says of itself. Some that are only like Postgres know no timeline: 0.
func state(ctx context.Context, conn *pgconn.PgConn) (recovery, readOnly bool, timeline uint32, err error) {
	row, err := first(ctx, conn, "select pg_is_in_recovery(), current_setting('default_transaction_read_only')")
	if err != nil || len(row) != 2 {
		return false, false, 0, fmt.Errorf("asking the server what it is: %w", cmp.Or(err, errNoRow))
	}
	recovery, readOnly = row[0] == "t", row[1] == "on"
	if !recovery {
		if row, err := first(ctx, conn, "select "+Timeline); err == nil && len(row) == 1 {
			timeline = ParseTimeline(row[0])
		}
	}
	return recovery, readOnly, timeline, ctx.Err()
}

var errNoRow = errors.New("no answer")

func first(ctx context.Context, conn *pgconn.PgConn, statement string) (row []string, err error) {
	results, err := conn.Exec(ctx, statement).ReadAll()
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		return nil, cmp.Or(err, errNoRow)
	}
	for _, value := range results[0].Rows[0] {
		row = append(row, string(value))
	}
	return row, nil
}

// Timeline is an expression for the timeline that a primary writes, in hexadecimal digits.
const Timeline = "substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)"

// ParseTimeline reads it; 0 is unknown.
func ParseTimeline(text string) uint32 {
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
