package tape

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is where commits ring while a reader keeps the doorbell ringing: "<market> <seq>". Our
// signs of life are "probe:<id>"; no slug has a colon.
const channel = "pgtape_tape"

// notifyStream is rung by commits (NOTIFY). The payload is a market and a seq, never the event:
// that is fetched from the table.
type notifyStream struct {
	url   string
	table *pgx.Conn // of the reader; probe is called from its goroutine
}

// ringFor is how often the doorbell is kept ringing; the database gives it 30 s each time.
const ringFor = 10 * time.Second

func (s *notifyStream) run(ctx context.Context, signals chan<- signal) error {
	conn, err := connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if err := s.ring(ctx, conn); err != nil {
		return err
	}
	// A transaction that has begun may not have heard that it should ring. Until the last of those
	// has ended, the reader tails the table.
	var begun string
	if err := conn.QueryRow(ctx, "select pg_snapshot_xmax(pg_current_snapshot())::text").Scan(&begun); err != nil {
		return fmt.Errorf("waiting for older transactions: %w", err)
	}
	for ready := false; !ready; {
		err := conn.QueryRow(ctx, "select pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8", begun).Scan(&ready)
		if err != nil {
			return fmt.Errorf("waiting for older transactions: %w", err)
		}
		if !ready && !sleep(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
	if !send(ctx, signals, signal{ready: true}) {
		return ctx.Err()
	}
	return s.listen(ctx, conn, signals)
}

func (s *notifyStream) ring(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "select pgtape.keep_doorbell_ringing()"); err != nil {
		return fmt.Errorf("keeping the doorbell ringing: %w", err)
	}
	return nil
}

func (s *notifyStream) listen(ctx context.Context, conn *pgx.Conn, signals chan<- signal) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, ringFor)
		notification, err := conn.WaitForNotification(waiting)
		timeout := waiting.Err() != nil
		cancel()
		if err != nil && timeout && ctx.Err() == nil {
			if err := s.ring(ctx, conn); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("waiting for the doorbell: %w", err)
		}
		market, _, _ := strings.Cut(notification.Payload, " ")
		if id, ok := strings.CutPrefix(notification.Payload, "probe:"); ok {
			if !send(ctx, signals, signal{alive: id}) {
				return ctx.Err()
			}
		} else if !send(ctx, signals, signal{bell: market}) {
			return ctx.Err()
		}
	}
}

func (s *notifyStream) probe(ctx context.Context, table *pgx.Conn, id string) error {
	if _, err := table.Exec(ctx, "select pg_notify($1, 'probe:' || $2)", channel, id); err != nil {
		return fmt.Errorf("ringing for a sign of life: %w", err)
	}
	return nil
}

func send(ctx context.Context, signals chan<- signal, s signal) bool {
	select {
	case signals <- s:
		return true
	case <-ctx.Done():
		return false
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
