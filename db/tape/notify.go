package tape

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/hosts"
)

// channel is where commits ring while a reader keeps the doorbell ringing: "<market> <seq>". Our
// signs of life are "probe:<id>"; no slug has a colon.
const channel = "pgtape_tape"

// notifyStream is rung by commits (NOTIFY). The payload is a market and a seq, never the event:
// that is fetched from the table.
type notifyStream struct {
	url     string
	servers *hosts.Servers
	stall   time.Duration // how long to wait for a reader that takes nothing

	conn  *pgx.Conn
	bells bells
	asked atomic.Pointer[string] // the probe that is under way
}

// ringEvery is how often the doorbell is kept ringing; the database gives it 30 s each time.
const ringEvery = 10 * time.Second

func (s *notifyStream) run(ctx context.Context, signals chan<- signal) error {
	conn, err := dial(ctx, s.url, s.servers)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	s.conn = conn
	if err := s.do(ctx, "listen "+channel); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if err := s.ring(ctx); err != nil {
		return err
	}
	if err := s.awaitOlder(ctx); err != nil {
		return fmt.Errorf("waiting for older transactions: %w", err)
	}
	err = s.rung(ctx, signals, signal{ready: true})
	for err == nil {
		if err = s.listen(ctx, signals); err == nil {
			err = s.ring(ctx)
		}
	}
	return err
}

func (s *notifyStream) do(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	_, err := s.conn.Exec(ctx, statement)
	return err
}

func (s *notifyStream) ring(ctx context.Context) error {
	if err := s.do(ctx, "select pgtape.keep_doorbell_ringing()"); err != nil {
		return fmt.Errorf("keeping the doorbell ringing: %w", err)
	}
	return nil
}

// awaitOlder waits until every transaction has ended that may have begun before the doorbell was
// asked to ring, and not have heard. The reader tails the table meanwhile.
func (s *notifyStream) awaitOlder(ctx context.Context) error {
	var begun string
	if err := s.ask(ctx, &begun, "select pg_snapshot_xmax(pg_current_snapshot())::text"); err != nil {
		return err
	}
	for {
		var over bool
		if err := s.ask(ctx, &over, "select pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8", begun); err != nil || over {
			return err
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
}

func (s *notifyStream) ask(ctx context.Context, answer any, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return s.conn.QueryRow(ctx, query, args...).Scan(answer)
}

// listen hands on what rings, until it is time to keep the doorbell ringing.
func (s *notifyStream) listen(ctx context.Context, signals chan<- signal) error {
	until, cancel := context.WithTimeout(ctx, ringEvery)
	defer cancel()
	for until.Err() == nil {
		notification, err := s.conn.WaitForNotification(until)
		if err != nil && until.Err() != nil && ctx.Err() == nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("waiting for the doorbell: %w", err)
		}
		if err := s.heard(ctx, signals, notification.Payload); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *notifyStream) rung(ctx context.Context, signals chan<- signal, sig signal) error {
	return hand(ctx, signals, sig, s.stall, func(context.Context) error { return nil })
}

// heard takes what has rung: our own sign of life, or a market. What is neither is somebody else's.
func (s *notifyStream) heard(ctx context.Context, signals chan<- signal, payload string) error {
	if id, ok := strings.CutPrefix(payload, "probe:"); ok {
		if own := s.asked.Load(); own == nil || *own != id {
			return nil
		}
		return s.rung(ctx, signals, signal{alive: id})
	}
	market, number, _ := strings.Cut(payload, " ")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !s.bells.add(market, seq) {
		return nil
	}
	return s.rung(ctx, signals, signal{bells: &s.bells})
}

func (s *notifyStream) probe(ctx context.Context, table *pgx.Conn, id string) (synchronous bool, err error) {
	s.asked.Store(&id)
	err = table.QueryRow(ctx, "select "+commitsWait+" from pg_catalog.pg_notify($1, 'probe:' || $2)", channel, id).Scan(&synchronous)
	if err != nil {
		return false, fmt.Errorf("ringing for a sign of life: %w", err)
	}
	return synchronous, nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
